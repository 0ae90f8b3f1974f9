/// Why a connection is of no more use.
package enum TransportError: Error, Sendable {
    case system(SystemError)
    case tls(String)
    /// TLS ended without saying so: what was received may be cut.
    case truncated

    /// In words.
    package var text: String {
        switch self {
        case .system(let error): error.reason
        case .tls(let reason): reason
        case .truncated: "TLS ended without a close notification"
        }
    }
}
