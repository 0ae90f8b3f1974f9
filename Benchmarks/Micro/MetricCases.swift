internal import SluiceCore

/// What counting costs a request, and what a scrape costs whoever scrapes.
func measureMetrics(_ measure: Measure) {
    let registry = MetricRegistry()
    let shard = registry.makeShard()
    let durations = HistogramScale.seconds((0..<17).map { 0.01 * Double(1 << $0) })
    let time = registry.add(
        MetricFamily("time_seconds", .histogram(durations), unit: "seconds", scale: 1e-9, labels: ["n"], help: "Time."))
    let count = registry.add(MetricFamily("things", .counter, labels: ["n"], help: "Things."))
    let counter = registry.counterCell(count, ["0"], in: shard)
    let histograms = (0..<12).map { registry.histogramCell(time, ["\($0)"], in: shard, keepsExemplars: $0 < 2) }
    let counters = (0..<8).map { registry.counterCell(count, ["\($0)"], in: shard) }
    var random = SplitMix64(1)
    let times = (0..<1024).map { _ in Int.random(in: 0...2_000_000_000, using: &random) }
    var turn = 0

    measure("metrics/count") { counter.add() }
    measure("metrics/observe") {
        turn &+= 1
        histograms[0].observe(times[turn & 1023])
    }
    measure("metrics/counts of an exchange") {
        turn &+= 1
        for cell in counters { cell.add() }
        for cell in histograms { cell.observe(times[turn & 1023]) }
    }
    measureScrape(measure)
}

/// 5,000 lines as they are met: mostly buckets, with six labels, counted by two workers.
private func measureScrape(_ measure: Measure) {
    let registry = MetricRegistry()
    let shards = [registry.makeShard(), registry.makeShard()]
    let durations = HistogramScale.seconds((0..<17).map { 0.01 * Double(1 << $0) })
    let labels = [
        "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_original_model", "gen_ai_request_model",
        "gen_ai_response_model", "error_type",
    ]
    let time = registry.add(
        MetricFamily(
            "gen_ai_server_request_duration_seconds", .histogram(durations), unit: "seconds", scale: 1e-9, labels: labels,
            help: "Time."))
    let count = registry.add(MetricFamily("sluice_requests", .counter, labels: labels, help: "Requests."))
    // 20 lines a histogram.
    for index in 0..<240 {
        let values = ["chat", "provider-\(index % 7)", "model-\(index)", "upstream-\(index)", "upstream-\(index)", ""]
        for shard in shards {
            let cell = registry.histogramCell(time, values, in: shard, keepsExemplars: true)
            for step in 0..<17 { cell.observe(step * step * 10_000_000) }
            if index < 200 { registry.counterCell(count, values, in: shard).add(index) }
        }
    }
    let buffer = ByteBuffer(capacity: 1 << 20)
    measure("metrics/scrape of 5000 series") {
        buffer.removeAll()
        MetricText.write(registry.collect(), as: .openMetrics, into: buffer)
    }
    keep(buffer.count)
}
