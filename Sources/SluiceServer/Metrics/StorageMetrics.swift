internal import SluiceCore
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

/// What the cache and Redis have done, read when somebody asks.
enum StorageMetrics {
    private static let bytes = MetricFamily(
        "sluice_cache_memory_bytes", .gauge, unit: "bytes", labels: ["kind"], help: "Of kept answers in memory.")
    private static let entries = MetricFamily(
        "sluice_cache_memory_entries", .gauge, labels: ["kind"], help: "Kept answers in memory.")
    private static let evictions = MetricFamily(
        "sluice_cache_evictions", .counter, labels: ["kind"], help: "Answers that had to make room.")
    private static let events = MetricFamily(
        "sluice_cache_events", .counter, labels: ["event"], help: "What became of answers that could be kept or reused.")
    private static let node = ["server"]
    private static let up = MetricFamily("sluice_redis_up", .gauge, labels: node, help: "Whether the server is used.")
    private static let calls = MetricFamily("sluice_redis_calls", .counter, labels: node, help: "Commands that were sent.")
    private static let failures = MetricFamily(
        "sluice_redis_failures", .counter, labels: node + ["reason"], help: "Commands that got no good reply.")
    private static let latency = MetricFamily(
        "sluice_redis_latency_seconds",
        .histogram(
            HistogramScale(RedisNode.latencyBounds.map { Double($0) / 1e6 }, scale: 1e-6)), unit: "seconds",
        scale: 1e-6, labels: node, help: "From sending a command to its reply.")
    private static let opened = MetricFamily(
        "sluice_redis_breaker_opened", .counter, labels: node, help: "How often the server was left alone.")

    private static let isDegraded = MetricFamily(
        "sluice_redis_degraded", .gauge, help: "Whether Redis is configured and not all of it is used.")
    static let families = [
        bytes, entries, evictions, events, up, isDegraded, calls, failures, latency, opened,
    ]

    static func register(_ shared: Shared) {
        shared.lasting.metrics.registry.addSource(families) { [unowned shared] collection in
            addCache(shared.lasting.cache, &collection)
            let redis = shared.lasting.redis.overall
            if redis != .off { collection.add(isDegraded, [], redis == .up ? 0 : 1) }
            for server in shared.lasting.redis.nodes { add(server, &collection) }
        }
    }

    private static func addCache(_ cache: ResponseCache, _ collection: inout MetricCollection) {
        for (kind, memory) in [("answer", cache.memory), ("idempotent", cache.replies)] {
            let usage = memory.usage
            collection.add(bytes, [kind], usage.byteCount)
            collection.add(entries, [kind], usage.entryCount)
            collection.add(evictions, [kind], usage.evictionCount)
        }
        let counts = cache.counters.snapshot
        for (event, count) in [
            ("memory_hit", counts.memoryHits), ("redis_hit", counts.redisHits), ("miss", counts.misses),
            ("stale", counts.stale), ("joined", counts.joined), ("bypass", counts.bypassed), ("stored", counts.stored),
            ("refused", counts.refused), ("unreadable", counts.unreadable),
        ] {
            collection.add(events, [event], count)
        }
    }

    private static func add(_ server: RedisNode.Snapshot, _ collection: inout MetricCollection) {
        let values = [server.address]
        collection.add(up, values, server.isAvailable ? 1 : 0)
        collection.add(calls, values, server.calls)
        for (reason, count) in [
            ("timeout", server.timeouts), ("connection", server.failures), ("not_sent", server.refused),
            ("error", server.errors), ("full", server.full),
        ] {
            collection.add(failures, values + [reason], count)
        }
        collection.add(opened, values, server.opened)
        collection.add(
            latency, values,
            .histogram(counts: server.latencyCounts, sum: Double(server.latencyMicroseconds) / 1e6))
    }
}
