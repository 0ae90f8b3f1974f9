internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON
package import SluicePolicy

/// What a Kubernetes API server is asked about a service account's token (TokenReview, authentication.k8s.io/v1).
package struct TokenReview: Sendable {
    /// Its own token, with which Sluice asks.
    package var tokenFile: String?
    /// The token has to be for one of them; not empty.
    package var audiences: [String]
    package var rules: ServiceAccountRules

    package init(tokenFile: String?, audiences: [String], rules: ServiceAccountRules) {
        self.tokenFile = tokenFile
        self.audiences = audiences
        self.rules = rules
    }

    func fill(_ question: inout IdentityClient.Question, _ token: [UInt8]) throws(IdentityClient.Failure) {
        if let tokenFile { question.authorization = try TokenFile.bearer(tokenFile) }
        let buffer = ByteBuffer(capacity: token.count + 256)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("apiVersion")
            json.string("authentication.k8s.io/v1")
            json.key("kind")
            json.string("TokenReview")
            json.key("spec")
            json.object { json in
                json.key("token")
                json.string(token.span)
                json.key("audiences")
                json.array { json in for audience in audiences { json.string(audience) } }
            }
        }
        question.body = [UInt8](copying: buffer.span)
    }

    /// A server that does not know audiences repeats none: its answer says nothing of this one, and is not believed
    /// (TokenReviewStatus, `audiences`).
    package func read(_ answer: JSONValue, under policy: AccessPolicy) throws(TokenRefusal) -> Principal {
        guard let status = answer["status"], status["authenticated"]?.bool == true else {
            throw TokenRefusal(.unknown, "the cluster does not know it")
        }
        guard let audiences = status["audiences"], self.audiences.contains(where: { TokenRules.names(audiences, $0) })
        else { throw TokenRefusal(.audience, "it is for another audience") }
        guard let account = ServiceAccount(subject: status["user"]?["username"]?.string) else {
            throw TokenRefusal(.malformed, "it is of no service account")
        }
        return rules.principal(account, under: policy)
    }
}
