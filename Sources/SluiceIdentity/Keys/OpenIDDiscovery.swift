internal import SluiceCore
internal import SluiceJSON
internal import SluicePolicy

/// What an OpenID provider says of itself (OpenID Connect Discovery 1.0 §4).
package enum OpenIDDiscovery {
    package static func url(ofIssuer issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    /// Where its keys are. What it calls itself has to be what it was asked as, character by character (§4.3).
    package static func keysURL(in document: Span<UInt8>, issuer: String) throws(IdentityClient.Failure) -> String {
        let tape = JSONTape()
        do throws(TokenRefusal) {
            try JSONWebToken.scan(document, "description", onto: tape)
        } catch {
            throw IdentityClient.Failure("what it says of itself cannot be read: \(error.detail)")
        }
        let root = tape.root(over: document)
        guard root["issuer"]?.equals(issuer.utf8Span.span) == true else {
            throw IdentityClient.Failure("it calls itself by the name of another issuer")
        }
        guard let url = root["jwks_uri"]?.string else {
            throw IdentityClient.Failure("it does not say where its keys are")
        }
        return url
    }
}
