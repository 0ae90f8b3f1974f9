package import SluiceCore

/// What a verifier says of a credential.
package enum CredentialVerdict: Sendable {
    /// Of a kind that others know about.
    case notMine
    case principal(Principal)
    /// - Parameter of: whose it would be, if that is known: for the audit trail alone.
    case refused(CredentialRefusal, of: String? = nil)
    /// To be asked with `resolve`: something dearer than a look-up is needed, as a signature or a question to an
    /// issuer.
    case undecided
}

/// Why a credential is not accepted: for logs and the audit trail. Who showed it is not told.
package enum CredentialRefusal: String, Sendable, CaseIterable {
    case malformed, unknown, disabled, expired
    case notYetValid = "not_yet_valid"
    case signature, issuer, audience
    case algorithm
    /// Whoever could tell does not answer.
    case unavailable
    /// None was shown.
    case missing
    /// Two were shown that differ.
    case ambiguous
    /// Of no kind that is accepted here.
    case unsupported
    /// Too many that were refused have come from the address.
    case limited
}

/// Tells who shows a credential: tokens, certificates. Shared by all workers.
///
/// What is cached must not outlive the policy that it was made under: its roles may mean something else now.
package protocol CredentialVerifier: AnyObject, Sendable {
    /// Called on every request, on its worker: no I/O, and nothing dearer than a look-up (2 µs).
    ///
    /// - Parameters:
    ///   - token: as it stood behind `Bearer`, or in `x-api-key`.
    ///   - now: seconds since 1970.
    func verify(_ token: Span<UInt8>, under policy: AccessPolicy, at now: Int) -> CredentialVerdict

    /// Called after `undecided`, on the worker, where it may wait, within a bound. Not called for addresses that have
    /// shown too many wrong ones.
    ///
    /// - Returns: anything but `undecided`.
    func resolve(_ token: [UInt8], under policy: AccessPolicy, at now: Int) async -> CredentialVerdict

    /// Asked where no token was shown, on a connection whose client has proved a certificate.
    ///
    func verify(certificate: ClientCertificate, under policy: AccessPolicy, at now: Int) -> CredentialVerdict
}

extension CredentialVerifier {
    package func verify(certificate: ClientCertificate, under policy: AccessPolicy, at now: Int) -> CredentialVerdict {
        .notMine
    }
}
