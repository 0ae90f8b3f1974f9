package import SluicePolicy

/// Why a token is not accepted: the policy's word for it, and what a log may say. It quotes nothing of the token.
package struct TokenRefusal: Error, Sendable, Equatable {
    package let reason: CredentialRefusal
    package let detail: String

    package init(_ reason: CredentialRefusal, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}
