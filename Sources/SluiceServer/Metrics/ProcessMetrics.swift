internal import Glibc
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePipeline

/// What the process says of itself: time, memory, descriptors (Prometheus' names for them), build, configuration and load.
enum ProcessMetrics {
    private static let cpu = MetricFamily(
        "process_cpu_seconds", .counter, unit: "seconds", scale: 1e-6, help: "CPU time of the process, user and system.")
    private static let resident = MetricFamily(
        "process_resident_memory_bytes", .gauge, unit: "bytes", help: "Memory that the process holds.")
    private static let descriptors = MetricFamily("process_open_fds", .gauge, help: "Open file descriptors.")
    private static let descriptorsMax = MetricFamily("process_max_fds", .gauge, help: "File descriptors there may be.")
    private static let start = MetricFamily(
        "process_start_time_seconds", .gauge, unit: "seconds", help: "When the process began, since the epoch.")
    private static let build = MetricFamily(
        "sluice_build_info", .gauge, labels: ["version"], help: "1, with the version of the program.")
    private static let ready = MetricFamily("sluice_ready", .gauge, help: "Whether requests are welcome.")
    private static let revision = MetricFamily(
        "sluice_config_revision", .gauge, help: "Counts up with every configuration that came into force.")
    private static let reloads = MetricFamily(
        "sluice_config_reloads", .counter, labels: ["result"],
        help: "Configurations that were to come into force after the first, by whether they did.")
    private static let reloadedAt = MetricFamily(
        "sluice_config_last_reload_timestamp_seconds", .gauge, unit: "seconds",
        help: "When the configuration in force came into force, since the epoch.")
    private static let virtual = MetricFamily(
        "process_virtual_memory_bytes", .gauge, unit: "bytes", help: "Addresses that the process has reserved.")
    private static let buffered = MetricFamily(
        "sluice_buffered_bytes", .gauge, unit: "bytes", help: "Bytes that wait for a peer to take them, of all connections.")
    private static let reload = MetricFamily(
        "sluice_config_last_reload_successful", .gauge, help: "Whether the last reload put its configuration in force.")
    private static let inFlight = MetricFamily("sluice_requests_in_flight", .gauge, help: "Requests under way.")
    private static let connections = MetricFamily(
        "sluice_downstream_connections", .gauge, help: "Connections of applications.")
    private static let pressure = MetricFamily(
        "sluice_memory_pressure", .gauge,
        help: "0: none, 1: idle connections are closed, 2: requests are refused, 3: connections are refused.")
    private static let logDrops = MetricFamily(
        "sluice_log_dropped_lines", .counter, help: "Lines that could not be logged fast enough.")

    static let startedAt = Double(EventLoop.readWallClock()) / 1e9

    static let families = [
        cpu, resident, virtual, descriptors, descriptorsMax, start, build, ready, revision, reload, reloads, reloadedAt,
        inFlight, connections, buffered, pressure, logDrops,
    ]

    static func register(_ shared: Shared) {
        _ = startedAt
        shared.lasting.metrics.registry.addSource(families) { [unowned shared] collection in
            addProcess(&collection)
            collection.add(build, [shared.status.version], 1)
            collection.add(ready, [], shared.status.isReady ? 1 : 0)
            collection.add(revision, [], shared.status.configRevision)
            collection.add(reload, [], shared.status.lastReloadError == nil ? 1 : 0)
            let reloadCounts = shared.status.reloadCounts
            collection.add(reloads, ["success"], reloadCounts.succeeded)
            collection.add(reloads, ["failure"], reloadCounts.failed)
            let since = shared.status.configSince
            collection.add(reloadedAt, [], .number(since == 0 ? startedAt : Double(since) / 1e9))
            collection.add(buffered, [], BufferedBytes.count)
            collection.add(inFlight, [], shared.gauge.inFlight)
            collection.add(connections, [], shared.connections.current)
            collection.add(pressure, [], Int(shared.gauge.pressure.rawValue))
            collection.add(logDrops, [], shared.log.droppedCount)
        }
    }

    private static func addProcess(_ collection: inout MetricCollection) {
        var usage = rusage()
        if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            func microseconds(_ time: timeval) -> Int { time.tv_sec * 1_000_000 + time.tv_usec }
            collection.add(cpu, [], microseconds(usage.ru_utime) + microseconds(usage.ru_stime))
        }
        collection.add(resident, [], ProcessLimits.residentByteCount)
        collection.add(virtual, [], ProcessLimits.virtualByteCount)
        collection.add(descriptors, [], ProcessLimits.openDescriptorCount)
        collection.add(descriptorsMax, [], ProcessLimits.descriptorLimit)
        collection.add(start, [], .number(startedAt))
    }
}
