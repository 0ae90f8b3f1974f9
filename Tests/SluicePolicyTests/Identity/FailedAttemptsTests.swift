import SluiceCore
import SluicePolicy
import Testing

@Suite struct `Failed attempts` {
    private let start = Instant(nanoseconds: 5_000_000_000)

    @Test func `beyond a number are told to wait until their minute is over`() {
        let attempts = FailedAttempts()
        for _ in 0..<3 { #expect(attempts.note("10.0.0.1", at: start, limit: 3) == nil) }
        #expect(attempts.note("10.0.0.1", at: start + .seconds(20), limit: 3) == .seconds(40))
        #expect(attempts.wait("10.0.0.1", at: start + .seconds(59), limit: 3) == .seconds(1))
        #expect(attempts.wait("10.0.0.1", at: start + .seconds(60), limit: 3) == nil)
        #expect(attempts.note("10.0.0.1", at: start + .seconds(60), limit: 3) == nil)
    }

    @Test func `of one address are nothing to another, and a customer's IPv6 network is one`() {
        let attempts = FailedAttempts()
        for _ in 0..<9 { _ = attempts.note("2001:db8::1", at: start, limit: 3) }
        #expect(attempts.wait("2001:db8::2", at: start, limit: 3) != nil)
        #expect(attempts.wait("2001:db8:0:1::2", at: start, limit: 3) == nil)
        #expect(attempts.wait("10.0.0.2", at: start, limit: 3) == nil)
    }

    @Test func `of any number of addresses take a fixed place, and the worst ones stay known`() {
        let attempts = FailedAttempts()
        for _ in 0..<50 { _ = attempts.note("10.9.9.9", at: start, limit: 10) }
        for number in 0..<20_000 {
            _ = attempts.note("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)", at: start, limit: 10)
        }
        #expect(attempts.wait("10.9.9.9", at: start, limit: 10) != nil)
    }
}
