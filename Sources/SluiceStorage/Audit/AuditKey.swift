internal import Glibc
package import SluiceCore
package import SluiceNet
package import SluiceTLS

/// What the lines of an audit log are authenticated with: 32 random bytes that the vault seals and that stay the same
/// when master keys are rotated, so that old lines can still be checked.
package struct AuditKey: Sendable {
    private let secret: Secret

    package init(_ secret: Secret) { self.secret = secret }

    func mac(_ bytes: Span<UInt8>) -> Digest { secret.withExposed { MAC.sha256(key: $0, message: bytes) } }

    /// What it is sealed for.
    package static let purpose = "audit.key"
    private static let byteCount = 32
    private static let fileByteCountMax = 4096

    /// Why an audit log cannot be begun.
    package enum Unusable: Error, CustomStringConvertible {
        case system(path: String, SystemError)
        case sealed(path: String, SecretError)

        package var description: String {
            switch self {
            case .system(let path, let error): "\(path): \(error)"
            case .sealed(let path, let error): "\(path): \(error)"
            }
        }
    }

    /// The key of the log in a directory; made if there is none yet and the vault can seal one.
    ///
    /// - Returns: `nil` if there is none: the lines are chained, but not authenticated.
    package static func load(_ directory: String, _ vault: SecretVault) throws(Unusable) -> AuditKey? {
        let path = directory + "/audit.key"
        if let key = try existing(directory, vault) { return key }
        if !vault.hasKey { return nil }
        let secret = Secret(SecureRandom.bytes(byteCount).span)
        let line: String
        do throws(SecretError) {
            line = try vault.seal(secret, purpose: purpose) + "\n"
        } catch {
            throw .sealed(path: path, error)
        }
        do throws(SystemError) {
            try AuditFiles.replace(path, line.utf8Span.span)
        } catch {
            throw .system(path: path, error)
        }
        return AuditKey(secret)
    }

    /// The key of the log in a directory, if it has one.
    package static func existing(_ directory: String, _ vault: SecretVault) throws(Unusable) -> AuditKey? {
        let path = directory + "/audit.key"
        guard let text = try read(path) else { return nil }
        return try open(text, path, vault)
    }

    private static func open(_ text: String, _ path: String, _ vault: SecretVault) throws(Unusable) -> AuditKey {
        do throws(SecretError) {
            return AuditKey(try vault.open(text, purpose: purpose))
        } catch {
            throw .sealed(path: path, error)
        }
    }

    private static func read(_ path: String) throws(Unusable) -> String? {
        do throws(SystemError) {
            guard let bytes = try AuditFiles.content(path, byteCountMax: fileByteCountMax) else { return nil }
            var text = String(decoding: bytes.span)
            while text.last?.isNewline == true { text.removeLast() }
            return text.isEmpty ? nil : text
        } catch {
            throw .system(path: path, error)
        }
    }
}

extension AuditKey {
    /// The sealed key as a store of one value.
    package struct Store: Resealable {
        package let sealedStoreName = "audit.key"
        private let path: String

        package init(_ directory: String) { path = directory + "/audit.key" }

        package func reseal(after cursor: String?, count: Int, with vault: SecretVault) throws -> ResealedBatch {
            var batch = ResealedBatch()
            guard let text = try AuditKey.read(path) else { return batch }
            var failure: SystemError?
            batch.take(sealedBy: SecretVault.keyID(ofText: text), with: vault) { () throws(SecretError) in
                guard let fresh = try vault.resealed(text, purpose: AuditKey.purpose) else { return }
                do throws(SystemError) {
                    let line = fresh + "\n"
                    try AuditFiles.replace(path, line.utf8Span.span)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return batch
        }
    }
}
