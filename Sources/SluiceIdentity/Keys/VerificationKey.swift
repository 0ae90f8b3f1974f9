package import SluiceCore
package import SluiceTLS

/// One key that tokens are verified with.
package struct VerificationKey: Sendable {
    package enum Material: Sendable {
        case publicKey(PublicKey)
        /// Of HS256: shared with the issuer.
        case secret(Secret)
    }

    /// Shorter secrets can be guessed (RFC 7518 §3.2).
    package static let secretByteCountMin = 32

    /// `kid`.
    package let id: String?
    /// The one algorithm it is for, if its owner says so.
    package let algorithm: SignatureAlgorithm?
    package let material: Material

    package init(id: String?, algorithm: SignatureAlgorithm? = nil, _ material: Material) {
        self.id = id
        self.algorithm = algorithm
        self.material = material
    }

    package var kind: SignatureAlgorithm.KeyKind {
        switch material {
        case .publicKey(let key): key.kind
        case .secret: .symmetric
        }
    }

    /// The key decides which algorithms it is for; a token only chooses among them (RFC 8725 §3.1).
    package func serves(_ algorithm: SignatureAlgorithm) -> Bool {
        algorithm.keyKind == kind && (self.algorithm == nil || self.algorithm == algorithm)
    }

    func verifies(_ signature: Span<UInt8>, of message: Span<UInt8>, by algorithm: SignatureAlgorithm) -> Bool {
        guard serves(algorithm) else { return false }
        switch material {
        case .publicKey(let key): return key.verifies(signature, of: message, by: algorithm)
        case .secret(let secret):
            let expected = secret.withExposed { MAC.sha256(key: $0, message: message) }
            return ConstantTime.areEqual(expected.span, signature)
        }
    }
}
