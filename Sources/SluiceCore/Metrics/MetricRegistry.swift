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
        /// Those of workers that keep exemplars of it.
        var keepers: [(shard: MetricShard, keeper: ExemplarKeeper)] = []
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
        /// Of sources.
        var families: [MetricFamily] = []
        var slotCount = 0
        var keeperCount = 0

        /// So many in a row, on one page.
        mutating func makeSlots(_ count: Int) -> Int {
            let isAcross = slotCount % MetricShard.pageSlots + count > MetricShard.pageSlots
            if isAcross { slotCount += MetricShard.pageSlots - slotCount % MetricShard.pageSlots }
            defer { slotCount += count }
            return slotCount
        }

        mutating func keeper(of id: ID, slot: Int, _ shard: MetricShard) -> ExemplarKeeper? {
            guard let place = entries[id.index].series.firstIndex(where: { $0.slot == slot }) else { return nil }
            let known = entries[id.index].series[place].keepers.first { $0.shard === shard }
            if known != nil || keeperCount >= MetricRegistry.keeperCountMax { return known?.keeper }
            let keeper = ExemplarKeeper()
            keeperCount += 1
            entries[id.index].series[place].keepers.append((shard, keeper))
            return keeper
        }
    }

    /// Series beyond so many, times workers, have no exemplars: each takes a kilobyte or two.
    private static let keeperCountMax = 512

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
    ///
    /// - Parameter families: those that it adds to, so that they are there before they have a series.
    package func addSource(
        _ families: [MetricFamily], _ source: @escaping @Sendable (inout MetricCollection) -> Void
    ) {
        state.withLock { state in
            state.families += families
            state.sources.append(source)
        }
    }

    /// All of them, those of sources too.
    package var families: [MetricFamily] {
        state.withLock { $0.entries.map(\.family) + [Self.overflowFamily] + $0.families }
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

    /// The series for a worker, to be kept.
    package func counterCell(_ id: ID, _ values: [String] = [], in shard: MetricShard) -> CounterCell {
        unsafe CounterCell(shard.cell(of: slot(id, values)))
    }

    /// - Parameter keepsExemplars: as long as not too many series do.
    package func histogramCell(
        _ id: ID, _ values: [String] = [], in shard: MetricShard, keepsExemplars: Bool = false
    ) -> HistogramCell {
        let histogram = histogram(id, values)
        let (family, keeper) = state.withLock { state in
            (state.entries[id.index].family, keepsExemplars ? state.keeper(of: id, slot: histogram.slot, shard) : nil)
        }
        return HistogramCell(shard, slot: histogram.slot, family, histogram.scale, keeper)
    }

    private func slot(_ id: ID, _ values: [String]) -> Int {
        state.withLock { state in
            let family = state.entries[id.index].family
            precondition(values.count == family.labels.count, "\(family.name) has labels \(family.labels)")
            if let place = state.entries[id.index].places[values] { return state.entries[id.index].series[place].slot }
            var values = values
            let isFull =
                state.entries[id.index].series.count >= family.seriesMax
                || state.slotCount + 2 * MetricShard.pageSlots > MetricShard.slotCountMax
            if isFull {
                state.entries[id.index].overflowCount += 1
                values = values.map { _ in Self.other }
                if let place = state.entries[id.index].places[values] {
                    return state.entries[id.index].series[place].slot
                }
            }
            let slot = state.makeSlots(family.slotCount)
            state.entries[id.index].places[values] = state.entries[id.index].series.count
            state.entries[id.index].series.append(Series(values: values, slot: slot))
            return slot
        }
    }

    package static let other = "other"

    /// Everything as it is now. Not to be called on a worker: it takes as long as there are series.
    package func collect() -> MetricCollection {
        var collection = MetricCollection()
        let (entries, shards, sources, families) = state.withLock {
            ($0.entries, $0.shards, $0.sources, $0.families)
        }
        for entry in entries {
            collection.declare(entry.family)
            for series in entry.series {
                let value = Self.sum(series, entry.family, shards)
                collection.add(entry.family, series.values, value, exemplars: Self.exemplars(series, entry.family))
            }
        }
        collection.declare(Self.overflowFamily)
        for entry in entries where entry.overflowCount > 0 {
            collection.add(Self.overflowFamily, [entry.family.name], entry.overflowCount)
        }
        for family in families { collection.declare(family) }
        let declaredCount = collection.groups.count
        for source in sources { source(&collection) }
        assert(collection.groups.count == declaredCount, "a source has families that it has not declared")
        return collection
    }

    private static func sum(
        _ series: Series, _ family: MetricFamily, _ shards: [MetricShard]
    ) -> MetricCollection.Value {
        func total(_ slot: Int) -> Int {
            var total = 0
            for shard in shards { total &+= shard.count(in: slot) }
            return total
        }
        switch family.kind {
        case .counter, .gauge: return .number(family.value(of: total(series.slot)))
        case .histogram(let scale):
            // The sum is read first: a request that is counted meanwhile is in a bucket at worst, never in the sum alone.
            let sum = family.value(of: total(series.slot))
            return .histogram(counts: (0...scale.boundCount).map { total(series.slot + 1 + $0) }, sum: sum)
        }
    }

    private static func exemplars(_ series: Series, _ family: MetricFamily) -> [MetricExemplar?] {
        guard !series.keepers.isEmpty, case .histogram(let scale) = family.kind else { return [] }
        var exemplars = [MetricExemplar?](repeating: nil, count: scale.boundCount + 1)
        for (_, keeper) in series.keepers { keeper.merge(into: &exemplars) }
        return exemplars
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
