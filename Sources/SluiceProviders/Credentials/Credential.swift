package import SluiceCore
internal import SluiceHTTP
package import SluiceUpstream

/// How one key is shown to its provider.
package enum Credential: Sendable {
    /// A field with a fixed value; the name in lower case.
    case field(name: String, value: Secret)
    /// What depends on the request or on the time: added when the request is complete.
    case signer(any RequestSigner)

    /// `authorization: Bearer KEY` (RFC 6750 §2.1).
    package static func bearer(_ key: Secret) -> Credential {
        key.withExposed { key in
            let value = ByteBuffer("Bearer ")
            value.append(key)
            return .field(name: "authorization", value: Secret(value.span))
        }
    }
}

/// Signs requests, or brings a token that has to be asked for first.
package protocol RequestSigner: AnyObject, Sendable {
    /// Adds what proves who we are to a request that is complete but for that.
    ///
    /// - Parameter authority: what `host` says.
    /// - Parameter seconds: since 1970.
    func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int)
    /// Overwrites the key and what was made of it wherever it stands in bytes that are to be shown to somebody.
    func conceal(in buffer: ByteBuffer)
    /// For one that needs a token: where it comes from.
    var tokens: TokenSource? { get }
    /// What the provider calls the application, if the request has to say it too.
    var applicationID: String? { get }
}

extension RequestSigner {
    package var tokens: TokenSource? { nil }
    package var applicationID: String? { nil }
}
