internal import SluiceCore

/// What tells one answer from another: identifiers, time and model.
struct ReplyIdentity {
    /// 32 hexadecimal digits: drawn from the seed and the request's number, so that a run can be repeated.
    let hex: String
    /// Seconds since 1970.
    let created: Int
    /// The model as the request named it.
    let model: String

    init(hex: String, created: Int, model: String) {
        self.hex = hex
        self.created = created
        self.model = model
    }

    init(number: Int, seed: UInt64, created: Int, model: String) {
        self.init(hex: Self.hex(number: number, seed: seed), created: created, model: model)
    }

    private static func hex(number: Int, seed: UInt64) -> String {
        var random = SplitMix64(seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: number))
        let (high, low) = (random.next(), random.next())
        return unsafe String(unsafeUninitializedCapacity: 32) { space in
            for index in 0..<32 {
                let word = index < 16 ? high : low
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 15
                unsafe space[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 32
        }
    }

    /// The identifier of tool call number `index`.
    func callID(_ index: Int) -> String { "call_\(hex.prefix(22))\(index)" }
}
