import SluiceCore
import Testing

@testable import SluiceStorage

@Suite struct `The breaker of Redis` {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func `so many failures in a row open it, and so many probes close it`() {
        var breaker = RedisBreaker(at: at(0))
        for time in 1...4 { #expect(breaker.failed(1, at: at(Int64(time))) == nil) }
        #expect(breaker.failed(1, at: at(5)) == .opened)
        #expect(breaker.isOpen)
        #expect(breaker.probed(true, at: at(100)) == nil)
        #expect(breaker.isOpen)
        #expect(breaker.probed(true, at: at(200)) == .closed)
        #expect(!breaker.isOpen)
    }

    @Test func `a success in between starts the count anew`() {
        var breaker = RedisBreaker(at: at(0))
        for time in 1...40 {
            #expect(breaker.failed(1, at: at(Int64(time) * 1000)) == nil)
            breaker.succeeded(3, at: at(Int64(time) * 1000 + 1))
        }
    }

    @Test func `half of the calls failing open it too, once there are enough of them`() {
        var breaker = RedisBreaker(at: at(0))
        var changes: [RedisBreaker.Change] = []
        for time in 1...9 {
            breaker.succeeded(1, at: at(Int64(time)))
            if let change = breaker.failed(1, at: at(Int64(time))) { changes.append(change) }
        }
        #expect(changes.isEmpty)
        breaker.succeeded(1, at: at(10))
        #expect(breaker.failed(1, at: at(10)) == .opened)
    }

    @Test func `what failed two windows ago is forgotten`() {
        var breaker = RedisBreaker(at: at(0))
        for _ in 0..<9 {
            breaker.succeeded(1, at: at(1))
            #expect(breaker.failed(1, at: at(1)) == nil)
        }
        breaker.succeeded(1, at: at(3000))
        #expect(breaker.failed(1, at: at(3001)) == nil)
    }

    @Test func `a probe that fails starts the count of probes anew`() {
        var breaker = RedisBreaker(at: at(0))
        #expect(breaker.failed(5, at: at(1)) == .opened)
        #expect(breaker.probed(true, at: at(100)) == nil)
        #expect(breaker.probed(false, at: at(200)) == nil)
        #expect(breaker.probed(true, at: at(300)) == nil)
        #expect(breaker.probed(true, at: at(400)) == .closed)
    }

    @Test func `no connection opens it at once, unless something has worked since it was tried`() {
        var breaker = RedisBreaker(at: at(0))
        breaker.succeeded(1, at: at(50))
        #expect(breaker.unreachable(since: at(40), at: at(60)) == nil)
        #expect(breaker.unreachable(since: at(60), at: at(70)) == .opened)
        #expect(breaker.unreachable(since: at(80), at: at(90)) == nil)
    }

    @Test func `replies that come while it is open do not close it`() {
        var breaker = RedisBreaker(at: at(0))
        #expect(breaker.failed(5, at: at(1)) == .opened)
        breaker.succeeded(100, at: at(2))
        #expect(breaker.isOpen)
    }

    @Test func `the first failures after it has closed are counted from none`() {
        var breaker = RedisBreaker(at: at(0))
        #expect(breaker.failed(30, at: at(1)) == .opened)
        _ = breaker.probed(true, at: at(2))
        #expect(breaker.probed(true, at: at(3)) == .closed)
        for time in 4...7 { #expect(breaker.failed(1, at: at(Int64(time))) == nil) }
    }
}
