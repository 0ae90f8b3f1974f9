internal import SluiceCore

/// A request method (RFC 9110 §9). Methods that Sluice never serves are `other`, and are refused by name.
package enum Method: UInt8, Sendable, Equatable {
    case get, head, post, put, patch, delete, options, connect, trace, other

    package init(_ token: Span<UInt8>) {
        for method in Method.known where token.equals(method.name) {
            self = method
            return
        }
        self = .other
    }

    private static let known: [Method] = [.post, .get, .head, .put, .patch, .delete, .options, .connect, .trace]

    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: "OTHER"
        }
    }

    /// Whether doing it twice is the same as doing it once (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }
}
