/// One combination of values that limits are divided by, with a bucket for each of the limits that are divided so.
///
/// `@unchecked Sendable`: what changes is used under the lock of the shard that has it.
final class LimitAccount: @unchecked Sendable {
    let hash: Int
    /// In the order of `LimitKey.all`.
    let values: [String]
    /// Buckets that another account had before the limits were changed; `nil` where all are in `row`.
    private let carried: [Bucket]?
    private let row: BucketRow
    /// What is shared with other processes, one for each limit; empty where nothing is.
    let shared: [SharedBucket]

    /// In the list of its shard.
    var position = 0
    /// Another one with the same hash.
    var next: LimitAccount?
    var touchedAt: Int64

    init(
        hash: Int, values: [String], rules: [LimitRule], carrying carried: [Bucket?]? = nil,
        shared: [SharedBucket?] = [],
        at now: Int64
    ) {
        self.hash = hash
        self.values = values
        touchedAt = now
        let row = BucketRow(count: rules.count)
        self.row = row
        self.carried = carried.map { carried in
            carried.enumerated().map { index, bucket in bucket ?? Bucket(row, index) }
        }
        self.shared =
            rules.first?.fleet == nil
            ? []
            : rules.indices.map { index in
                (shared.isEmpty ? nil : shared[index]) ?? SharedBucket(of: rules[index], values: values)
            }
    }

    @inline(__always) func bucket(_ index: Int) -> Bucket {
        if let carried { return carried[index] }
        return Bucket(row, index)
    }

    func isIdle(_ rules: [LimitRule], at time: LimitTime) -> Bool {
        for index in rules.indices where !rules[index].meter.isFull(bucket(index), at: time) { return false }
        for bucket in shared where bucket.isBusy { return false }
        return true
    }

    /// How much would be forgotten with it: 0 nothing, 1 a whole limit; more than 1 where requests are under way.
    func weight(_ rules: [LimitRule], at time: LimitTime) -> Double {
        var weight = 0.0
        for index in rules.indices {
            let bucket = bucket(index)
            if bucket.held > 0 { return 2 }
            let meter = rules[index].meter
            weight = max(weight, min(1, Double(meter.read(bucket, at: time).used) / Double(meter.limit)))
        }
        return weight
    }
}
