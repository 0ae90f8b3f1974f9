internal import SluiceCore

/// What a reply of ours is called, where the provider does not say.
package struct ReplyIdentity {
    /// The exchange's request id.
    package let requestID: String
    /// Seconds since 1970.
    package let created: Int
    package let model: String
    private var random: SplitMix64
    private static let characters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)

    package init(requestID: String, created: Int, model: String, seed: UInt64) {
        self.requestID = requestID
        self.created = created
        self.model = model
        random = SplitMix64(seed)
    }

    /// A name for a tool call, such as `call_` and 24 letters and digits.
    package mutating func callID(_ prefix: StaticString = "call_") -> String {
        let buffer = ByteBuffer(capacity: 32)
        buffer.append(prefix)
        for _ in 0..<24 { buffer.append(Self.characters[Int(random.next() % 62)]) }
        return buffer.text
    }
}
