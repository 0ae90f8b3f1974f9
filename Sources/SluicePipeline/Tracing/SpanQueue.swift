internal import SluiceCore
internal import Synchronization

/// Spans on their way to whoever exports them, each written as a field of a `ScopeSpans` message already, so that a batch is their
/// bytes one after the other. Bounded: a worker never waits, and what finds no room is dropped and counted.
package final class SpanQueue: Sendable {
    package struct Batch: Sendable {
        package fileprivate(set) var bytes: [UInt8] = []
        package fileprivate(set) var spanCount = 0
    }

    package struct Limits: Sendable, Equatable {
        /// Of one batch.
        package var spanCountMax = 512
        package var byteCountMax = 1 << 20
        /// Of all that waits.
        package var queueByteCountMax = 4 << 20

        package init() {}
    }

    package struct Counts: Sendable, Equatable {
        package var queued = 0
        package var dropped = 0
    }

    private struct State {
        var limits = Limits()
        /// From the start: whoever exports begins a moment later than whoever serves.
        var isOpen = true
        var batches: [Batch] = []
        var byteCount = 0
        var counts = Counts()
        var wake: (@Sendable () -> Void)?
        var openings = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Somebody takes spans from now on.
    ///
    /// - Parameter wake: called, from any thread, when a batch is full.
    /// - Returns: what `close` is given.
    package func open(_ limits: Limits, wake: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.limits = limits
            state.wake = wake
            state.isOpen = true
            state.openings += 1
            return state.openings
        }
    }

    /// Nobody takes spans any more, unless somebody else does by now; what waits is dropped.
    package func close(_ opening: Int) {
        state.withLock { state in
            guard opening == state.openings else { return }
            state.counts.dropped += state.batches.reduce(0) { $0 + $1.spanCount }
            state.batches = []
            state.byteCount = 0
            state.wake = nil
            state.isOpen = false
        }
    }

    /// Adds the spans of one exchange.
    package func append(_ spans: Span<UInt8>, count: Int) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.isOpen, state.byteCount + spans.count <= state.limits.queueByteCountMax else {
                state.counts.dropped += count
                return nil
            }
            if state.batches.last.map({ state.limits.isFull($0, adding: spans.count) }) != false { state.batches.append(Batch()) }
            let last = state.batches.count - 1
            unsafe spans.withUnsafeBufferPointer { unsafe state.batches[last].bytes.append(contentsOf: $0) }
            state.batches[last].spanCount += count
            state.byteCount += spans.count
            state.counts.queued += count
            // Once a batch: whoever is woken takes all there is.
            let isFull = state.limits.isFull(state.batches[last], adding: 0)
            return isFull || state.batches.count > 1 && state.batches[last].spanCount == count ? state.wake : nil
        }
        wake?()
    }

    /// Everything that waits, in order.
    package func take() -> [Batch] {
        state.withLock { state in
            let batches = state.batches
            state.batches = []
            state.byteCount = 0
            return batches
        }
    }

    package var counts: Counts { state.withLock { $0.counts } }
}

extension SpanQueue.Limits {
    fileprivate func isFull(_ batch: SpanQueue.Batch, adding byteCount: Int) -> Bool {
        batch.spanCount >= spanCountMax || batch.bytes.count + byteCount > byteCountMax && batch.spanCount > 0
    }
}
