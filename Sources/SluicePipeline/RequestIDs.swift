internal import SluiceCore
internal import SluiceHTTP

/// Request ids: the application's own if it may stand in a log, else one of ours in OpenAI's form, `req_` and 32 hex digits.
struct RequestIDs {
    private var random: SplitMix64
    private static let byteCountMax = 128
    private static let digits = Array("0123456789abcdef".utf8)

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
            let prefix: StaticString = "req_"
            for index in 0..<4 { unsafe space[index] = unsafe prefix.utf8Start[index] }
            for index in 0..<32 {
                let word = index < 16 ? high : low
                unsafe space[4 + index] =
                    Self.digits[Int(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 15]
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
