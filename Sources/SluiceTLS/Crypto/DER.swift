/// The few shapes of DER (ITU-T X.690) that keys and signatures are made of.
enum DER {
    static let rsaEncryption: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    static let ecPublicKey: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    static let ed25519: [UInt8] = [0x2B, 0x65, 0x70]

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }
    static func objectIdentifier(_ content: [UInt8]) -> [UInt8] { element(0x06, content) }
    static let null: [UInt8] = [0x05, 0x00]
    /// With no unused bits.
    static func bitString(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }

    /// A number that is not negative, from its bytes, the most significant first.
    static func integer(_ magnitude: Span<UInt8>) -> [UInt8] {
        var start = 0
        while start < magnitude.count, magnitude[start] == 0 { start += 1 }
        var content: [UInt8] = []
        content.reserveCapacity(magnitude.count - start + 1)
        // A number whose first bit is set would be a negative one; zero has a byte of its own.
        if start == magnitude.count || magnitude[start] >= 0x80 { content.append(0) }
        for index in start..<magnitude.count { content.append(magnitude[index]) }
        return element(0x02, content)
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + length(content.count) + content
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        if count < 0x100 { return [0x81, UInt8(count)] }
        precondition(count < 0x1_0000, "an element of \(count) bytes")
        return [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
