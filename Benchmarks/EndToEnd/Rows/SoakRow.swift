/// Work of all kinds, for as long as one likes, with everything on and the metrics read all the time: whether memory grows.
///
/// The first third is the warm-up. Of what follows, the slope is estimated with its interval (`Trend`), which is widened
/// by what a step of the allocator makes of so short a time: a short soak proves nothing about days, and says so.
struct SoakRow: Row {
    private static let warmUpShare = 1.0 / 3
    /// Beforehand everything is filled, as fast as it goes, until memory has grown by less than so much in so many seconds.
    private static let fillTimeMax = 40
    private static let restTime = 3
    private static let restGrowthMax = 131_072
    private static let fillConnectionCount = 64
    private static let sampleCountMax = 1_200
    private static let sampleIntervalMin = 50 * Clock.millisecond
    private static let scrapeInterval = Clock.second
    /// How long each kind of work is looked after before it is the next one's turn.
    private static let turn = 2 * Clock.millisecond
    private static let connectionCount = 8
    /// Memory is taken in steps: less than one cannot be told from none.
    private static let step = 64.0 / 1_024
    /// Times the process is told of, in a soak that takes hours.
    private static let noteCount = 48

    let id = "soak"
    let field = Field.judged
    let policies = Policies.production
    let runsMax = 1
    let metrics = [
        Metric("soak, requests answered", "%", .atLeast(100)),
        Metric("  memory at its end", "MB RSS"),
        Metric("  growth after the warm-up", "MB", .atMost(1)),
        Metric("  slope of memory", "MB/h"),
        Metric("  slope, lower end (95 %)", "MB/h"),
        // 72 hours of it, beside what Sluice has from the start, fit into 64 MB.
        Metric("  slope, upper end (95 %)", "MB/h", .certainlyAtMost(0.5)),
    ]

    func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] {
        guard let tree = session.tree else { throw Failure("there is no process to look at") }
        try fill(session, tree)
        let loads = try makeLoads(session, settings)
        let start = Clock.now()
        let end = start + settings.soak
        let sampleInterval = max(Self.sampleIntervalMin, settings.soak / Self.sampleCountMax)
        var (nextSample, nextScrape, nextNote) = (start, start, start + settings.soak / Self.noteCount)
        var samples: [(x: Double, y: Double)] = []
        while Clock.now() < end {
            for load in loads { try load.run(until: Clock.now() + Self.turn) }
            let now = Clock.now()
            if now >= nextSample {
                samples.append((Double(now - start) / 3.6e12, Double(tree.residentByteCount()) / 1_048_576))
                nextSample = max(nextSample + sampleInterval, now)
            }
            if now >= nextScrape {
                try session.scrape()
                nextScrape = now + Self.scrapeInterval
            }
            if now >= nextNote, settings.soak >= 1_800 * Clock.second {
                let hours = Text.fixed(Double(now - start) / 3.6e12, digits: 2)
                Terminal.note("soak: \(hours) h, \(Text.short(samples.last?.y ?? 0)) MB")
                nextNote += settings.soak / Self.noteCount
            }
        }
        for sample in samples { session.addPoint(sample.x * 3_600, sample.y) }
        return try numbers(samples, loads.map(\.totals), session)
    }

    private func fill(_ session: Session, _ tree: ProcessTree) throws(Failure) {
        let load = try ClosedLoop(
            port: session.plainPort, connections: Self.fillConnectionCount,
            request: session.request(.plain, variation: .each))
        var sizes = [tree.residentByteCount()]
        while sizes.count <= Self.fillTimeMax {
            try load.run(until: Clock.now() + Clock.second)
            sizes.append(tree.residentByteCount())
            guard sizes.count > Self.restTime else { continue }
            let growth = sizes[sizes.count - 1] - sizes[sizes.count - 1 - Self.restTime]
            if growth < Self.restGrowthMax { break }
        }
        if let failure = load.totals.firstFailure { throw Failure("\(load.totals.failed) failed: \(failure)") }
    }

    private func numbers(
        _ samples: [(x: Double, y: Double)], _ totals: [Totals], _ session: Session
    ) throws(Failure) -> [Double] {
        let completed = totals.reduce(0) { $0 + $1.completed }
        let failed = totals.reduce(0) { $0 + $1.failed }
        guard completed > 0 else { throw Failure("no request was answered") }
        let reasons = totals.compactMap(\.firstFailure)
        if let reason = reasons.first { session.note("\(failed) of \(completed + failed) requests: \(reason)") }
        let warm = Array(samples.dropFirst(Int(Double(samples.count) * Self.warmUpShare)))
        guard let trend = Trend(warm), let first = warm.first, let last = warm.last else {
            throw Failure("it was too short")
        }
        let hours = last.x - first.x
        return [
            Double(completed) / Double(completed + failed) * 100, last.y, trend.slope * hours, trend.slope,
            trend.lower - Self.step / hours, trend.upper + Self.step / hours,
        ]
    }

    /// Two thirds of the rate: short requests, half of which were asked before, a provider that takes its time, long
    /// prompts, streams at once and streams word by word.
    private func makeLoads(_ session: Session, _ settings: Settings) throws(Failure) -> [OpenLoop] {
        let kinds: [(share: Double, request: ChatRequest)] = [
            (0.5, try session.request(.plain, variation: .repeats(0.5))),
            (0.1, try session.request(.delayed(milliseconds: 50), variation: .each)),
            (0.03, try session.request(.plain, bodyByteCount: 32_768, variation: .each)),
            (0.03, Self.stream(.burst(eventCount: 50))),
            (0.02, Self.stream(.paced(eventCount: 20, milliseconds: 20))),
        ]
        var loads: [OpenLoop] = []
        for (share, request) in kinds {
            loads.append(
                try OpenLoop(
                    port: session.plainPort, ratePerSecond: max(1, Int(Double(settings.rate) * share)),
                    connections: Self.connectionCount, request: request))
        }
        return loads
    }

    /// No two are the same: what comes from the cache has other events than what a provider says.
    private static func stream(_ behaviour: Behaviour) -> ChatRequest { ChatRequest(behaviour, variation: .each) }
}
