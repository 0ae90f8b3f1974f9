internal import Synchronization

/// The process's metrics: which families there are, which series each has, and where they are counted.
///
/// A series is looked up once, under the lock, and counted from then on in the worker's own shard, without one. Shards are summed
/// when somebody asks (theme 3.21: label values come from closed sets, and a family that has too many series puts the rest in one).
package final class MetricRegistry: Sendable {
    /// A family of this registry.
    package struct ID: Sendable { package let index: Int }

    /// Where a series is counted.
    package struct Counter: Sendable { package let slot: Int }

    package struct Histogram: Sendable {
        package let slot: Int
        package let scale: HistogramScale
    }

    private struct Series {
        let values: [String]
        let slot: Int
    }

    private struct Entry {
        let family: MetricFamily
        var series: [Series] = []
        var places: [[String]: Int] = [:]
        var overflowCount = 0
    }

    private struct State {
        var entries: [Entry] = []
        var shards: [MetricShard] = []
        var sources: [@Sendable (inout MetricCollection) -> Void] = []
        var slotCount = 0
    }

    private let state = Mutex(State())
    package static let overflowFamily = MetricFamily(
        "sluice_metric_overflow", .counter, labels: ["family"],
        help: "Label sets that came when the family had all the series it may have; they are counted as other.")

    package init() {}

    package func add(_ family: MetricFamily) -> ID {
        state.withLock { state in
            state.entries.append(Entry(family: family))
            return ID(index: state.entries.count - 1)
        }
    }

    /// What is read when somebody asks, of what others count anyway. Not called on a worker.
    package func addSource(_ source: @escaping @Sendable (inout MetricCollection) -> Void) {
        state.withLock { $0.sources.append(source) }
    }

    /// For one worker.
    package func makeShard() -> MetricShard {
        let shard = MetricShard()
        state.withLock { $0.shards.append(shard) }
        return shard
    }

    package func counter(_ id: ID, _ values: [String] = []) -> Counter { Counter(slot: slot(id, values)) }

    package func histogram(_ id: ID, _ values: [String] = []) -> Histogram {
        let family = state.withLock { $0.entries[id.index].family }
        guard case .histogram(let scale) = family.kind else { preconditionFailure("\(family.name) is no histogram") }
        return Histogram(slot: slot(id, values), scale: scale)
    }

    private func slot(_ id: ID, _ values: [String]) -> Int {
        state.withLock { state in
            let family = state.entries[id.index].family
            precondition(values.count == family.labels.count, "\(family.name) has labels \(family.labels)")
            if let place = state.entries[id.index].places[values] { return state.entries[id.index].series[place].slot }
            var values = values
            let isFull =
                state.entries[id.index].series.count >= family.seriesMax
                || state.slotCount + 2 * family.slotCount > MetricShard.slotCountMax
            if isFull {
                state.entries[id.index].overflowCount += 1
                values = values.map { _ in Self.other }
                if let place = state.entries[id.index].places[values] {
                    return state.entries[id.index].series[place].slot
                }
            }
            let slot = state.slotCount
            state.slotCount += family.slotCount
            state.entries[id.index].places[values] = state.entries[id.index].series.count
            state.entries[id.index].series.append(Series(values: values, slot: slot))
            return slot
        }
    }

    package static let other = "other"

    /// Everything as it is now. Not to be called on a worker: it takes as long as there are series.
    package func collect() -> MetricCollection {
        var collection = MetricCollection()
        let (entries, shards, sources) = state.withLock { ($0.entries, $0.shards, $0.sources) }
        for entry in entries {
            collection.declare(entry.family)
            for series in entry.series {
                collection.add(entry.family, series.values, Self.sum(series, entry.family, shards))
            }
        }
        for entry in entries where entry.overflowCount > 0 {
            collection.add(Self.overflowFamily, [entry.family.name], .number(Double(entry.overflowCount)))
        }
        for source in sources { source(&collection) }
        return collection
    }

    private static func sum(_ series: Series, _ family: MetricFamily, _ shards: [MetricShard]) -> MetricCollection.Value {
        func total(_ slot: Int) -> Int { shards.reduce(0) { $0 &+ $1.count(in: slot) } }
        switch family.kind {
        case .counter, .gauge: return .number(Double(total(series.slot)) * family.scale)
        case .histogram(let scale):
            // The sum is read first: a request that is counted meanwhile is in a bucket at worst, never in the sum alone.
            let sum = Double(total(series.slot)) * family.scale
            return .histogram(counts: (0...scale.bounds.count).map { total(series.slot + 1 + $0) }, sum: sum)
        }
    }
}

extension MetricShard {
    @inline(__always)
    package func add(_ count: Int = 1, to counter: MetricRegistry.Counter) { add(count, to: counter.slot) }

    /// - Parameter value: in what the family counts, before its scale: nanoseconds, tokens.
    @inline(__always)
    package func observe(_ value: Int, in histogram: MetricRegistry.Histogram) {
        add(1, to: histogram.slot + 1 + histogram.scale.bucket(of: value))
        add(value, to: histogram.slot)
    }
}
