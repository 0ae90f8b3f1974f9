internal import SluiceCore
internal import SluiceNet
internal import Synchronization

/// Records on their way from the workers to the writer. Bounded in number and bytes: a worker never waits for a disk.
final class RecordQueue: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var count = 0
        /// What the writer gave back: the two change places, so that busy times allocate nothing.
        var spare: [UInt8] = []
        /// When the oldest of them came; the monotonic clock.
        var oldest = Instant.distantFuture
    }

    /// What the writer takes at one time.
    struct Batch {
        var bytes: [UInt8] = []
        var count = 0
        var oldest = Instant.distantFuture
    }

    /// Whatever the number of records: bodies are long.
    static let byteCountMax = 64 << 20
    private static let capacityKept = 4 << 20
    private let state = Mutex(State())
    private let countMax = Atomic<Int>(10_000)

    func limit(to count: Int) { countMax.store(count, ordering: .relaxed) }

    /// - Returns: whether there was room, and whether the queue was empty until now.
    func append(_ record: Span<UInt8>, at now: Instant) -> (isTaken: Bool, wasEmpty: Bool) {
        let most = countMax.load(ordering: .relaxed)
        return state.withLock { state in
            if state.count >= most || state.bytes.count + record.count > Self.byteCountMax { return (false, false) }
            let wasEmpty = state.count == 0
            if wasEmpty { state.oldest = now }
            unsafe record.withUnsafeBufferPointer { unsafe state.bytes.append(contentsOf: $0) }
            state.count += 1
            return (true, wasEmpty)
        }
    }

    /// Whether it fills up: more than half of it is taken.
    var isFillingUp: Bool {
        let most = countMax.load(ordering: .relaxed)
        return state.withLock { $0.count * 2 > most || $0.bytes.count * 2 > Self.byteCountMax }
    }

    var count: Int { state.withLock { $0.count } }

    func take() -> Batch {
        state.withLock { state in
            let batch = Batch(bytes: state.bytes, count: state.count, oldest: state.oldest)
            state.bytes = state.spare
            state.spare = []
            state.count = 0
            state.oldest = .distantFuture
            return batch
        }
    }

    /// Gives back what `take` gave, once it is written.
    func recycle(_ bytes: consuming [UInt8]) {
        if bytes.capacity > Self.capacityKept { return }
        bytes.removeAll(keepingCapacity: true)
        let empty = bytes
        state.withLock { $0.spare = empty }
    }
}
