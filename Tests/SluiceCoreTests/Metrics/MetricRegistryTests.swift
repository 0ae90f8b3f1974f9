import SluiceCore
import Synchronization
internal import TestSupport
import Testing

@Suite struct `A registry of metrics` {
    private static let requests = MetricFamily("requests", .counter, labels: ["route"], help: "Requests.")

    private static func value(
        _ registry: MetricRegistry, _ name: String, _ values: [String] = []
    ) -> MetricCollection.Value? {
        let group = registry.collect().groups.first { $0.family.name == name }
        return group?.samples.first { $0.values == values }?.value
    }

    @Test func `sums what all workers have counted, exactly`() async {
        let registry = MetricRegistry()
        let id = registry.add(Self.requests)
        let seconds = registry.add(MetricFamily("time", .histogram(HistogramScale([1, 2, 4])), help: "Time."))
        let (workers, rounds) = (8, 20_000)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    let shard = registry.makeShard()
                    let kept = registry.counterCell(id, ["/a"], in: shard)
                    let found = registry.counter(id, ["/b"])
                    let time = registry.histogramCell(seconds, in: shard)
                    for round in 0..<rounds {
                        kept.add()
                        shard.add(2, to: found)
                        time.observe(round % 5 + worker % 2)
                    }
                }
            }
        }
        #expect(Self.value(registry, "requests", ["/a"]) == .number(Double(workers * rounds)))
        #expect(Self.value(registry, "requests", ["/b"]) == .number(Double(2 * workers * rounds)))
        // 0…4 from half of the workers and 1…5 from the others, each as often.
        let each = workers * rounds / 10
        #expect(
            Self.value(registry, "time")
                == .histogram(counts: [3 * each, 2 * each, 4 * each, each], sum: Double(25 * each)))
    }

    private final class Flag: Sendable { let value = Atomic<Bool>(false) }

    @Test func `is read while workers count, and never tells more than there was`() async {
        let registry = MetricRegistry()
        let id = registry.add(MetricFamily("time", .histogram(HistogramScale([1])), help: "Time."))
        let rounds = 200_000
        let isDone = Flag()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let shard = registry.makeShard()
                let cell = registry.histogramCell(id, in: shard)
                for _ in 0..<rounds { cell.observe(1) }
                isDone.value.store(true, ordering: .releasing)
            }
            group.addTask {
                var before = 0
                while !isDone.value.load(ordering: .acquiring) {
                    guard case .histogram(let counts, let sum) = Self.value(registry, "time") else { continue }
                    #expect(counts[0] >= before && counts[0] <= rounds)
                    #expect(Int(sum) <= counts[0])
                    before = counts[0]
                }
            }
        }
        #expect(Self.value(registry, "time") == .histogram(counts: [rounds, 0], sum: Double(rounds)))
    }

    @Test(arguments: [(-5, 0), (0, 0), (10, 0), (11, 1), (20, 1), (21, 2), (40, 2), (41, 3), (Int.max, 3)])
    func `puts a value into the first bucket that it is not above`(value: Int, bucket: Int) {
        let scale = HistogramScale([10, 20, 40])
        #expect(scale.bucket(of: value) == bucket)
        let registry = MetricRegistry()
        let id = registry.add(MetricFamily("size", .histogram(scale), help: "Size."))
        let shard = registry.makeShard()
        #expect(registry.histogramCell(id, in: shard).observe(value) == bucket)
        shard.observe(value, in: registry.histogram(id))
        var counts = [0, 0, 0, 0]
        counts[bucket] = 2
        guard case .histogram(let told, _) = Self.value(registry, "size") else { return #expect(Bool(false)) }
        #expect(told == counts)
    }

    @Test func `finds buckets as a plain search does, whatever the scale`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let bounds = Set((0..<Int.random(in: 0...20, using: &random)).map { _ in Int.random(in: 0...1000, using: &random) })
            let registry = MetricRegistry()
            let scale = HistogramScale(bounds.sorted().map(Double.init))
            let cell = registry.histogramCell(
                registry.add(MetricFamily("size", .histogram(scale), help: "Size.")), in: registry.makeShard())
            for _ in 0..<50 {
                let value = Int.random(in: -10...1010, using: &random)
                #expect(cell.observe(value) == scale.bucket(of: value), "seed \(seed), value \(value)")
            }
        }
    }

    @Test func `counts seconds in nanoseconds, at the very bounds too`() {
        let registry = MetricRegistry()
        let family = MetricFamily(
            "time_seconds", .histogram(.seconds([0.00005, 0.1])), unit: "seconds", scale: 1e-9, help: "Time.")
        let id = registry.add(family)
        let cell = registry.histogramCell(id, in: registry.makeShard())
        for nanoseconds in [50_000, 50_001, 100_000_000, 100_000_001] { cell.observe(nanoseconds) }
        guard case .histogram(let counts, let sum) = Self.value(registry, "time_seconds") else { return #expect(Bool(false)) }
        #expect(counts == [1, 2, 1])
        #expect(abs(sum - 0.200_100_002) < 1e-12)
    }

    @Test func `puts what is one series too many into one that is called other, and counts it`() {
        let registry = MetricRegistry()
        let id = registry.add(
            MetricFamily("requests", .counter, labels: ["route", "code"], seriesMax: 3, help: "Requests."))
        let shard = registry.makeShard()
        for index in 0..<10 { registry.counterCell(id, ["/\(index)", "200"], in: shard).add() }
        // Those that have a series keep it.
        registry.counterCell(id, ["/0", "200"], in: shard).add()
        let group = registry.collect().groups.first { $0.family.name == "requests" }
        #expect(group?.samples.map(\.values) == [["/0", "200"], ["/1", "200"], ["/2", "200"], ["other", "other"]])
        #expect(Self.value(registry, "requests", ["/0", "200"]) == .number(2))
        #expect(Self.value(registry, "requests", ["other", "other"]) == .number(7))
        #expect(Self.value(registry, "sluice_metric_overflow", ["requests"]) == .number(7))
    }

    @Test func `keeps every series apart when there are more than a page of memory holds`() {
        let registry = MetricRegistry()
        let scale = HistogramScale((1...20).map(Double.init))
        let id = registry.add(MetricFamily("time", .histogram(scale), labels: ["route"], help: "Time."))
        let shard = registry.makeShard()
        let cells = (0..<300).map { registry.histogramCell(id, ["\($0)"], in: shard) }
        for (index, cell) in cells.enumerated() { for _ in 0...index { cell.observe(index % 22) } }
        for index in 0..<300 {
            var counts = Array(repeating: 0, count: 21)
            counts[scale.bucket(of: index % 22)] = index + 1
            #expect(
                Self.value(registry, "time", ["\(index)"])
                    == .histogram(counts: counts, sum: Double((index + 1) * (index % 22))))
        }
    }

    @Test func `tells of families before they have a series, those of sources too`() {
        let registry = MetricRegistry()
        _ = registry.add(Self.requests)
        let gauge = MetricFamily("open", .gauge, help: "Open.")
        registry.addSource([gauge]) { collection in collection.add(gauge, [], 3) }
        let groups = registry.collect().groups
        #expect(groups.map(\.family.name) == ["requests", "sluice_metric_overflow", "open"])
        #expect(registry.families.map(\.name) == groups.map(\.family.name))
        #expect(groups[0].samples.isEmpty)
        #expect(groups[2].samples.map(\.value) == [.number(3)])
    }

    @Test func `counts up and down where several workers share a gauge`() {
        let registry = MetricRegistry()
        let id = registry.add(MetricFamily("open", .gauge, help: "Open."))
        let cells = (0..<3).map { _ in registry.counterCell(id, in: registry.makeShard()) }
        cells[0].add(5)
        cells[1].add(-2)
        #expect(Self.value(registry, "open") == .number(3))
    }
}

@Suite struct `Exemplars` {
    private static func registry() -> (MetricRegistry, MetricRegistry.ID) {
        let registry = MetricRegistry()
        let family = MetricFamily("time_seconds", .histogram(.seconds([1])), unit: "seconds", scale: 1e-9, help: "Time.")
        return (registry, registry.add(family))
    }

    private static func exemplars(_ registry: MetricRegistry) -> [MetricExemplar?] {
        registry.collect().groups.first?.samples.first?.exemplars ?? []
    }

    @Test func `are kept for a second each`() {
        let (registry, id) = Self.registry()
        let cell = registry.histogramCell(id, in: registry.makeShard(), keepsExemplars: true)
        let now = Instant(nanoseconds: 1_000)
        #expect(cell.wantsExemplar(in: 0, at: now))
        cell.keep(.trace("0af7"), of: 500_000_000, in: 0, at: now, unixNanoseconds: 42)
        #expect(!cell.wantsExemplar(in: 0, at: now + .milliseconds(999)))
        #expect(cell.wantsExemplar(in: 1, at: now))
        #expect(cell.wantsExemplar(in: 0, at: now + .seconds(1)))
        #expect(Self.exemplars(registry) == [MetricExemplar(.trace("0af7"), value: 0.5, unixNanoseconds: 42), nil])
    }

    @Test func `of several workers are the latest one`() {
        let (registry, id) = Self.registry()
        let now = Instant(nanoseconds: 1_000)
        for (name, time) in [("a", Int64(10)), ("b", 30), ("c", 20)] {
            let cell = registry.histogramCell(id, in: registry.makeShard(), keepsExemplars: true)
            cell.keep(.request(name), of: 1, in: 0, at: now, unixNanoseconds: time)
        }
        #expect(Self.exemplars(registry)[0]?.identity == .request("b"))
    }

    @Test func `are not kept where nobody asked for them, or where they are too long`() {
        let (registry, id) = Self.registry()
        let now = Instant(nanoseconds: 1_000)
        let plain = registry.histogramCell(id, in: registry.makeShard())
        #expect(!plain.wantsExemplar(in: 0, at: now))
        let cell = registry.histogramCell(id, in: registry.makeShard(), keepsExemplars: true)
        let longest = String(repeating: "x", count: 128 - "request_id".count)
        cell.keep(.request(longest + "x"), of: 1, in: 0, at: now, unixNanoseconds: 1)
        #expect(Self.exemplars(registry) == [nil, nil])
        cell.keep(.request(longest), of: 1, in: 0, at: now, unixNanoseconds: 1)
        #expect(Self.exemplars(registry)[0]?.identity == .request(longest))
    }

    @Test func `are kept for so many series only`() {
        let registry = MetricRegistry()
        let id = registry.add(
            MetricFamily("time", .histogram(HistogramScale([1])), labels: ["n"], help: "Time."))
        let shard = registry.makeShard()
        let now = Instant(nanoseconds: 0)
        let kept = (0..<600).count {
            registry.histogramCell(id, ["\($0)"], in: shard, keepsExemplars: true).wantsExemplar(in: 0, at: now)
        }
        #expect(kept == 512)
        // Looked up again, those that had a place have it still.
        let again = registry.histogramCell(id, ["5"], in: shard, keepsExemplars: true)
        #expect(again.wantsExemplar(in: 0, at: now))
    }
}
