package import SluiceCore
package import SluiceNet

/// What a mock provider is started with. The initial values are the defaults.
package struct MockOptions: Sendable {
    /// Where it listens; port 0 is whichever is free.
    package var addresses = [SocketAddress.ipv4(UInt32(0x7F00_0001).bigEndian, port: 4020)]
    /// Event loops, each on a thread of its own.
    package var workers = 1
    /// PEM files; both for TLS, neither for none.
    package var certificateFile: String?
    package var privateKeyFile: String?
    /// What bearers must say; `nil` takes anything.
    package var apiKey: Secret?
    /// What happens to a request that says nothing else.
    package var behaviour = Behaviour()
    /// How many requests `/mock/requests` can show.
    package var requestsKept = 200
    /// Names for the list of models, beside those that are always there.
    package var models: [String] = []

    /// How long tokens of the token endpoints are good, in seconds; `nil` as long as each provider's.
    package var tokenSeconds: Int?

    package init() {}

    /// The most requests that are kept.
    package static let requestsKeptMax = 100_000
}
