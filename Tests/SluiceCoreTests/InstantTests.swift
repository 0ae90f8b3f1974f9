import SluiceCore
import Testing

@Suite struct `Times` {
    @Test func `nanoseconds of a duration are what the library says`() {
        let counts: [Int64] = [
            0, 1, -1, 999, 1_000_000_000, -1_000_000_000, 18_446_744_073, 18_446_744_074, -18_446_744_074,
            86_400_000_000_000, .max / 2, .max, .min + 1,
        ]
        for count in counts {
            #expect(Duration.nanoseconds(count).nanoseconds == count)
            #expect(Duration(wholeNanoseconds: count) == .nanoseconds(count))
            #expect(Instant(nanoseconds: count / 2) + .nanoseconds(count / 2) == Instant(nanoseconds: count / 2 * 2))
        }
        var random = SplitMix64(1)
        for _ in 0..<10_000 {
            let count = Int64(bitPattern: random.next()) >> Int64(random.next() % 63)
            #expect(Duration(wholeNanoseconds: count) == .nanoseconds(count), "\(count)")
            #expect(Duration.nanoseconds(count).nanoseconds == count, "\(count)")
        }
    }

    @Test func `parts of nanoseconds are left out`() {
        #expect(Duration(secondsComponent: 1, attosecondsComponent: 999_999_999).nanoseconds == 1_000_000_000)
        #expect(Duration(secondsComponent: 20, attosecondsComponent: 1_999_999_999).nanoseconds == 20_000_000_001)
    }

    @Test func `what is longer than can be said is the furthest there is`() {
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(Int64.min).nanoseconds == .min)
        #expect(Instant(nanoseconds: 1) + .seconds(Int64.max) == .distantFuture)
    }
}
