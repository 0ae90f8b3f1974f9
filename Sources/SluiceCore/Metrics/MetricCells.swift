internal import Synchronization

/// Where one worker counts one series, found once. Valid as long as the worker's shard; used by the worker alone.
@safe package struct CounterCell {
    private let cell: UnsafeMutablePointer<Atomic<Int>>

    init(_ cell: UnsafeMutablePointer<Atomic<Int>>) { unsafe self.cell = cell }

    @inline(__always)
    package func add(_ count: Int = 1) {
        unsafe cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }
}

/// Where one worker counts one histogram's series, found once. Belongs to the worker.
@safe package final class HistogramCell {
    /// The sum, and the buckets after it.
    private let cells: UnsafeMutablePointer<Atomic<Int>>
    private let scale: HistogramScale
    private let bounds: UnsafePointer<Int>
    private let boundCount: Int
    private let family: MetricFamily
    private let keeper: ExemplarKeeper?
    /// Until when each bucket's exemplar is new enough; empty until there is one.
    private var newUntil: [Instant] = []
    /// Memory that the cells are in.
    private let shard: MetricShard

    /// How long an exemplar stays.
    package static let exemplarTime = Duration.seconds(1)

    init(_ shard: MetricShard, slot: Int, _ family: MetricFamily, _ scale: HistogramScale, _ keeper: ExemplarKeeper?) {
        self.shard = shard
        unsafe cells = shard.cell(of: slot)
        self.scale = scale
        unsafe bounds = scale.bounds
        boundCount = scale.boundCount
        self.family = family
        self.keeper = keeper
    }

    /// - Parameter value: in what the family counts, before its scale: nanoseconds, tokens.
    /// - Returns: the bucket.
    @inline(__always) @discardableResult
    package func observe(_ value: Int) -> Int {
        var low = 0
        var high = boundCount
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe bounds[middle] < value { low = middle &+ 1 } else { high = middle }
        }
        let bucket = unsafe cells + 1 + low
        unsafe bucket.pointee.store(bucket.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        unsafe cells.pointee.store(cells.pointee.load(ordering: .relaxed) &+ value, ordering: .relaxed)
        return low
    }

    /// Whether the bucket's exemplar is old, or there is none.
    @inline(__always)
    package func wantsExemplar(in bucket: Int, at now: Instant) -> Bool {
        if keeper == nil { return false }
        return newUntil.isEmpty || now >= newUntil[bucket]
    }

    /// - Parameter value: as it was observed.
    package func keep(
        _ identity: MetricExemplar.Identity, of value: Int, in bucket: Int, at now: Instant, unixNanoseconds: Int64
    ) {
        guard let keeper, identity.isShortEnough else { return }
        if newUntil.isEmpty { newUntil = Array(repeating: Instant(nanoseconds: .min), count: boundCount + 1) }
        newUntil[bucket] = now + Self.exemplarTime
        keeper.keep(
            MetricExemplar(identity, value: family.value(of: value), unixNanoseconds: unixNanoseconds), in: bucket)
    }
}
