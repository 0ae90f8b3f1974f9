package import SluiceCore
package import SluiceDownstream
package import SluiceHTTP
package import SluicePolicy

/// Finds out who sends a request, from what he shows and where he connects. The same for applications and for operators.
package enum Gatekeeper {
    package enum Finding {
        case principal(Principal)
        case refused(CredentialRefusal, of: String? = nil)
        /// To be asked of this verifier, who may take his time.
        case undecided(any CredentialVerifier, token: [UInt8])
    }

    /// - Parameters:
    ///   - certificate: the subject of the one that the connection's client has proved.
    ///   - place: whom the place stands for where he connects; `nil`: nobody.
    ///   - now: seconds since 1970.
    package static func find(
        _ fields: borrowing HeaderFields, certificate: ClientCertificate?, place: Principal?, under policy: AccessPolicy,
        at now: Int
    ) -> Finding {
        switch PresentedCredential(fields) {
        case .ambiguous: return .refused(.ambiguous)
        case .unsupported: return place.map { .principal($0) } ?? .refused(.unsupported)
        case .none:
            if let certificate {
                for verifier in policy.verifiers {
                    switch verifier.verify(certificate: certificate, under: policy, at: now) {
                    case .principal(let principal): return .principal(principal)
                    case .refused(let reason, let id): return .refused(reason, of: id)
                    case .notMine, .undecided: break
                    }
                }
            }
            return place.map { .principal($0) } ?? .refused(.missing)
        case .token(let field, let offset):
            let value = fields.value(at: field)
            return find(value.extracting(offset..<value.count), place, policy, now)
        }
    }

    private static func find(
        _ token: Span<UInt8>, _ place: Principal?, _ policy: AccessPolicy, _ now: Int
    ) -> Finding {
        for verifier in policy.verifiers {
            switch verifier.verify(token, under: policy, at: now) {
            case .notMine: break
            case .principal(let principal): return .principal(principal)
            case .refused(let reason, let id): return .refused(reason, of: id)
            case .undecided: return .undecided(verifier, token: token.copied)
            }
        }
        // SDKs always show something: where nothing has to be shown, what nobody here gave out means nothing.
        return place.map { .principal($0) } ?? .refused(.unknown)
    }

    /// Whom the place stands for where an application connects.
    package static func place(_ trust: ListenerTrust, _ policy: AccessPolicy) -> Principal? {
        switch trust {
        case .machine: policy.local
        case .everyone: policy.anyone
        case .certificate, .nobody: nil
        }
    }

    /// Asks the verifier that could not tell at once.
    package static func resolve(
        _ token: [UInt8], _ verifier: any CredentialVerifier, under policy: AccessPolicy, at now: Int
    ) async -> Finding {
        switch await verifier.resolve(token, under: policy, at: now) {
        case .principal(let principal): .principal(principal)
        case .refused(let reason, let id): .refused(reason, of: id)
        case .notMine, .undecided: .refused(.unknown)
        }
    }
}

extension Span<UInt8> {
    fileprivate var copied: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return bytes
    }
}
