internal import SluiceCore
internal import SluiceHTTP

/// Request ids: the application's own if it may stand in a log, else one of ours in OpenAI's form, `req_` and 32 hex digits.
struct RequestIDs {
    private var random: SplitMix64
    private static let byteCountMax = 128

    init(seed: UInt64) { random = SplitMix64(seed) }

    mutating func id(for head: borrowing RequestHead) -> String {
        if let index = head.fields.index(of: .xRequestID) {
            let value = head.fields.value(at: index)
            if Self.isAcceptable(value) { return String(decoding: value) }
        }
        return next()
    }

    mutating func next() -> String {
        let (high, low) = (random.next(), random.next())
        return unsafe String(unsafeUninitializedCapacity: 36) { space in
            let bytes = UnsafeMutableRawBufferPointer(space)
            unsafe bytes.storeBytes(of: (0x5F71_6572 as UInt32).littleEndian, as: UInt32.self)  // "req_"
            for part in 0..<4 {
                let word = part < 2 ? high : low
                let half = UInt32(truncatingIfNeeded: part & 1 == 0 ? word >> 32 : word)
                unsafe bytes.storeBytes(of: ASCII.hexDigits(of: half).littleEndian, toByteOffset: 4 + 8 * part, as: UInt64.self)
            }
            return 36
        }
    }

    private static func isAcceptable(_ value: Span<UInt8>) -> Bool {
        if value.isEmpty || value.count > byteCountMax { return false }
        for index in value.indices {
            let byte = value[index]
            let isAllowed =
                byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
            if !isAllowed { return false }
        }
        return true
    }
}
