import SluiceCore
import Synchronization
import Testing

@testable import SluicePipeline

@Suite struct `Spans on their way out` {
    private static func limits(spans: Int = 3, bytes: Int = 1000, queue: Int = 2000) -> SpanQueue.Limits {
        var limits = SpanQueue.Limits()
        limits.spanCountMax = spans
        limits.byteCountMax = bytes
        limits.queueByteCountMax = queue
        return limits
    }

    private static func append(_ byteCount: Int, count: Int = 1, to queue: SpanQueue) {
        let bytes = [UInt8](repeating: 7, count: byteCount)
        queue.append(bytes.span, count: count)
    }

    @Test func `what comes before anybody takes them waits, and what comes after the last has gone does not`() {
        let queue = SpanQueue()
        Self.append(10, to: queue)
        #expect(queue.take().count == 1)
        queue.close(queue.open(Self.limits()) {})
        Self.append(10, to: queue)
        #expect(queue.take().isEmpty)
        #expect(queue.counts == SpanQueue.Counts(queued: 1, dropped: 1))
    }

    @Test func `batches end at their count and their size, and what belongs together stays together`() {
        let queue = SpanQueue()
        _ = queue.open(Self.limits()) {}
        for _ in 0..<4 { Self.append(10, to: queue) }
        Self.append(990, count: 2, to: queue)
        Self.append(1500 - 990, count: 5, to: queue)
        let batches = queue.take()
        #expect(batches.map(\.spanCount) == [3, 3, 5])
        #expect(batches.map(\.bytes.count) == [30, 1000, 510])
        #expect(queue.take().isEmpty)
    }

    @Test func `what finds no room is dropped and counted, and there is room again afterwards`() {
        let queue = SpanQueue()
        _ = queue.open(Self.limits(spans: 100)) {}
        for _ in 0..<30 { Self.append(100, count: 2, to: queue) }
        #expect(queue.counts == SpanQueue.Counts(queued: 40, dropped: 20))
        #expect(queue.take().reduce(0) { $0 + $1.bytes.count } == 2000)
        Self.append(100, to: queue)
        #expect(queue.take().count == 1)
    }

    @Test func `whoever takes spans is woken once a batch`() {
        let queue = SpanQueue()
        let wakes = Mutex(0)
        _ = queue.open(Self.limits()) { wakes.withLock { $0 += 1 } }
        Self.append(10, to: queue)
        Self.append(10, to: queue)
        #expect(wakes.withLock { $0 } == 0)
        Self.append(10, to: queue)
        #expect(wakes.withLock { $0 } == 1)
        _ = queue.take()
        Self.append(10, to: queue)
        #expect(wakes.withLock { $0 } == 1)
    }

    @Test func `only the last who opened it closes it`() {
        let queue = SpanQueue()
        let first = queue.open(Self.limits()) {}
        let second = queue.open(Self.limits()) {}
        Self.append(10, to: queue)
        queue.close(first)
        Self.append(10, to: queue)
        #expect(queue.counts.queued == 2)
        queue.close(second)
        #expect(queue.take().isEmpty)
        #expect(queue.counts.dropped == 2)
    }
}
