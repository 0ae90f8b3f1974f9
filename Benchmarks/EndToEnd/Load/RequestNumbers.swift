/// The digits in a request that make it another one than the last.
struct RequestNumbers {
    /// Of those that were asked before, one of the last so many is asked again.
    private static let recentMax = 500
    private static let radix: UInt64 = 10

    private let variation: ChatRequest.Variation
    private let digits: Range<Int>
    private(set) var distinctCount = 0
    private var turn = 0
    /// A linear congruential generator (Knuth's MMIX): loads are the same in every run.
    private var state: UInt64 = 1

    /// - Returns: `nil` where all requests are the same.
    init?(_ request: ChatRequest, in bytes: [UInt8]) {
        guard let offset = request.numberOffset else { return nil }
        variation = request.variation
        let start = bytes.count - request.body.count + offset
        digits = start..<start + ChatRequest.numberDigits
    }

    /// Writes the number of the next request.
    mutating func next(in bytes: inout [UInt8]) {
        var number = UInt64(choose())
        for index in digits.reversed() {
            bytes[index] = UInt8(ascii: "0") + UInt8(number % Self.radix)
            number /= Self.radix
        }
    }

    private mutating func choose() -> Int {
        switch variation {
        case .among(let count) where distinctCount == count:
            turn = (turn + 1) % count
            return turn
        case .repeats(let share) where distinctCount > 0 && draw() < share:
            return distinctCount - 1 - Int(draw() * Double(min(distinctCount, Self.recentMax)))
        default:
            distinctCount += 1
            return distinctCount - 1
        }
    }

    /// 0 to 1.
    private mutating func draw() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / Double(1 << 53)
    }
}
