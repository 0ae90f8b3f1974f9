internal import SluiceCore

/// The parts of `sealed:v1:KEY:TEXT`: the key's name, and in Base64 (RFC 4648 §5, without padding) what it sealed.
struct SealedText {
    /// The longest one read, in bytes: a secret in a configuration or a document, not a body.
    static let byteCountMax = 1 << 20

    let keyID: SecretKeyID
    let bytes: [UInt8]

    /// - Returns: `nil` if it is anything else. Only one text stands for given bytes.
    init?(_ text: Span<UInt8>) {
        let idStart = SecretVault.prefix.utf8.count
        let idEnd = idStart + SecretKeyID.digitCount
        guard text.count <= Self.byteCountMax, SecretVault.isSealed(text), text.count > idEnd + 1,
            text[idEnd] == UInt8(ascii: ":"), text[text.count - 1] != UInt8(ascii: "="),
            let id = SecretKeyID(text: text.extracting(idStart..<idEnd)),
            let bytes = Base64.decode(text.extracting(idEnd + 1..<text.count), .urlSafe)
        else { return nil }
        keyID = id
        self.bytes = bytes
    }

    static func write(_ id: SecretKeyID, _ bytes: Span<UInt8>) -> String {
        let buffer = ByteBuffer(capacity: bytes.count / 3 * 4 + 48)
        buffer.append(SecretVault.prefix)
        buffer.append("\(id):")
        Base64.encode(bytes, .urlSafe, into: buffer)
        return buffer.text
    }
}
