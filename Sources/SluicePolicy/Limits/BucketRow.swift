internal import Synchronization

/// The numbers of some buckets: two for each, in one piece of memory.
///
/// `@unchecked Sendable`: the pointer never changes, and what it leads to are atomics.
@safe final class BucketRow: @unchecked Sendable {
    let count: Int
    private let words: UnsafeMutablePointer<Atomic<Int64>>

    init(count: Int) {
        self.count = count
        unsafe words = .allocate(capacity: 2 * count)
        for index in 0..<2 * count { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit { unsafe words.deallocate() }

    @inline(__always) fileprivate func word(_ index: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        precondition(index >= 0 && index < 2 * count, "bucket \(index / 2) of \(count)")
        return unsafe words + index
    }
}

/// One bucket: what has been taken from it, and what is held for requests that are under way. What the numbers mean is known to
/// its `LimitMeter`.
struct Bucket: Sendable {
    private let row: BucketRow
    private let index: Int

    init(_ row: BucketRow, _ index: Int) {
        self.row = row
        self.index = 2 * index
    }

    var level: Int64 { unsafe row.word(index).pointee.load(ordering: .acquiring) }
    var held: Int64 { unsafe row.word(index + 1).pointee.load(ordering: .acquiring) }

    /// Replaces the level by what `change` makes of it; nothing happens if that is `nil`.
    ///
    /// - Returns: whether it was changed.
    @discardableResult
    func changeLevel(_ change: (Int64) -> Int64?) -> Bool {
        var old = level
        while let new = change(old) {
            let outcome = unsafe row.word(index).pointee.weakCompareExchange(
                expected: old, desired: new, ordering: .acquiringAndReleasing)
            if outcome.exchanged { return true }
            old = outcome.original
        }
        return false
    }

    /// - Returns: what is held now.
    func hold(_ amount: Int64) -> Int64 {
        unsafe row.word(index + 1).pointee.add(amount, ordering: .acquiringAndReleasing).newValue
    }

    func unhold(_ amount: Int64) {
        unsafe row.word(index + 1).pointee.subtract(amount, ordering: .acquiringAndReleasing)
    }
}
