import SluiceCore
import Testing

@testable import SluiceServer

@Suite struct `What waits for a receiver` {
    private func message(_ bytes: Int, items: Int = 1, replaces: Bool = false) -> TelemetryMessage {
        TelemetryMessage(body: [UInt8](repeating: 0, count: bytes), itemCount: items, replacesEarlier: replaces)
    }

    @Test func `is sent in its order`() {
        var queue = TelemetryQueue(byteCountMax: 100)
        for items in 1...3 { #expect(queue.add(message(10, items: items), isFirstUnderWay: false).dropped.isEmpty) }
        #expect(queue.first?.itemCount == 1 && queue.byteCount == 30)
        queue.removeFirst()
        #expect(queue.first?.itemCount == 2 && queue.byteCount == 20)
    }

    @Test func `makes room by dropping the oldest, but not the one that is under way`() {
        var queue = TelemetryQueue(byteCountMax: 100)
        for items in 1...4 { _ = queue.add(message(25, items: items), isFirstUnderWay: false) }
        #expect(queue.add(message(25, items: 5), isFirstUnderWay: true).dropped.map(\.itemCount) == [2])
        #expect(queue.add(message(25, items: 6), isFirstUnderWay: false).dropped.map(\.itemCount) == [1])
        #expect(queue.messages.map(\.itemCount) == [3, 4, 5, 6] && queue.byteCount == 100)
    }

    @Test func `is never more than was allowed, and what is too large by itself is dropped at once`() {
        var queue = TelemetryQueue(byteCountMax: 100)
        #expect(queue.add(message(101, items: 7), isFirstUnderWay: false).dropped.map(\.itemCount) == [7])
        #expect(queue.isEmpty && queue.byteCount == 0)
        var small = TelemetryQueue(byteCountMax: .max)
        for _ in 0..<TelemetryQueue.countMax { _ = small.add(message(0), isFirstUnderWay: false) }
        #expect(small.add(message(0), isFirstUnderWay: false).dropped.count == 1)
    }

    @Test func `goes for one that says all that it says`() {
        var queue = TelemetryQueue(byteCountMax: 100)
        _ = queue.add(message(10, items: 1, replaces: true), isFirstUnderWay: false)
        #expect(queue.add(message(10, items: 2, replaces: true), isFirstUnderWay: false).replaced == 1)
        #expect(queue.messages.map(\.itemCount) == [2])
        // The one under way cannot be called back.
        #expect(queue.add(message(10, items: 3, replaces: true), isFirstUnderWay: true).replaced == 0)
        #expect(queue.add(message(10, items: 4, replaces: true), isFirstUnderWay: true).replaced == 1)
        #expect(queue.messages.map(\.itemCount) == [2, 4] && queue.byteCount == 20)
    }
}

@Suite struct `A receiver that fails` {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// How long it is left alone after each of some failures in a row.
    private func waits(_ count: Int, longest: Duration = .seconds(60), seed: UInt64 = 1) -> [Duration] {
        var backoff = TelemetryBackoff(longest: longest, seed: seed)
        return (0..<count).map { _ in
            backoff.fail(at: start)
            return (backoff.until ?? start) - start
        }
    }

    @Test func `is left alone for twice as long each time, up to a bound`() {
        for (wait, whole) in zip(waits(40), [1, 2, 4, 8, 16, 32] + [Int](repeating: 60, count: 34)) {
            #expect(wait >= .milliseconds(whole * 500) && wait <= .seconds(whole))
        }
    }

    @Test func `is not asked by all at the same moment`() {
        #expect(Set((0..<20).map { waits(1, seed: $0)[0] }).count == 20)
    }

    @Test func `is left alone for as long as it says, but not for ever`() throws {
        var backoff = TelemetryBackoff(longest: .seconds(60), seed: 1)
        backoff.fail(at: start, asked: .seconds(30))
        #expect(backoff.until == start + .seconds(30))
        backoff.fail(at: start, asked: .seconds(86_400))
        #expect(backoff.until == start + TelemetryBackoff.askedMax)
        backoff.fail(at: start, asked: .zero)
        #expect(try #require(backoff.until) >= start + .seconds(2))
        backoff.succeed()
        #expect(backoff.until == nil && backoff.failures == 0)
    }
}
