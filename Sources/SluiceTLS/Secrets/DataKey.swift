internal import SluiceCore
internal import Synchronization

/// A random key that seals many texts, itself sealed ("wrapped") by a master key and put before every text.
///
/// Its nonces are counted: as nobody else has the key, no nonce comes twice.
final class DataKey: Sendable {
    /// How many texts one key seals, so that what one key could give away is little.
    static let usesMax = 1 << 20
    /// nonce, key, tag
    static let wrappedByteCount =
        AuthenticatedCipher.nonceByteCount + AuthenticatedCipher.keyByteCount + AuthenticatedCipher.tagByteCount

    let masterID: SecretKeyID
    private let wrapped: [UInt8]
    private let cipher: AuthenticatedCipher
    private let uses = Atomic(0)

    init(under master: MasterKeys.Key) {
        let key = Secret(SecureRandom.bytes(AuthenticatedCipher.keyByteCount).span)
        guard let cipher = AuthenticatedCipher(key: key), let wrapping = AuthenticatedCipher(key: master.wrapping) else {
            preconditionFailure("a data key of another length")
        }
        let nonce = SecureRandom.bytes(AuthenticatedCipher.nonceByteCount)
        let buffer = ByteBuffer(capacity: Self.wrappedByteCount)
        buffer.append(nonce.span)
        key.withExposed { wrapping.seal($0, nonce: nonce.span, context: Self.context(master.id).span, into: buffer) }
        masterID = master.id
        wrapped = (0..<buffer.count).map { buffer[$0] }
        self.cipher = cipher
    }

    /// The number of a use; `nil` if the key has been used as often as it may.
    func claim() -> Int? {
        let use = uses.wrappingAdd(1, ordering: .relaxed).oldValue
        return use < Self.usesMax ? use : nil
    }

    /// Appends the wrapped key, the nonce and the sealed text.
    ///
    /// - Parameter use: what `claim` returned, given once.
    func seal(_ text: Span<UInt8>, use: Int, context: Span<UInt8>, into buffer: ByteBuffer) {
        let nonce = ByteBuffer(capacity: AuthenticatedCipher.nonceByteCount)
        for shift in stride(from: 88, through: 0, by: -8) {
            nonce.append(shift < 64 ? UInt8(truncatingIfNeeded: use >> shift) : 0)
        }
        let wrapped = wrapped
        buffer.append(wrapped.span)
        buffer.append(nonce.span)
        cipher.seal(text, nonce: nonce.span, context: context, into: buffer)
    }

    /// - Returns: `nil` if the master key did not wrap this.
    static func unwrap(_ wrapped: Span<UInt8>, under master: MasterKeys.Key) -> AuthenticatedCipher? {
        guard let wrapping = AuthenticatedCipher(key: master.wrapping) else { return nil }
        let nonce = wrapped.extracting(first: AuthenticatedCipher.nonceByteCount)
        let rest = wrapped.extracting(AuthenticatedCipher.nonceByteCount..<wrapped.count)
        let buffer = ByteBuffer(capacity: AuthenticatedCipher.keyByteCount + 16)
        defer { buffer.wipe() }
        let bound = context(master.id)
        guard wrapping.open(rest, nonce: nonce, context: bound.span, into: buffer) else { return nil }
        return AuthenticatedCipher(key: Secret(buffer.span))
    }

    private static func context(_ id: SecretKeyID) -> ByteBuffer {
        let buffer = ByteBuffer("sluice data key v1:")
        id.append(to: buffer)
        return buffer
    }
}
