internal import CBench
internal import Glibc

/// The machine's cores: what is measured has core 0 to itself, everything else is on core 1.
enum Processor {
    static let measuredCore = 0
    static let loadCore = 1

    static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Whether there are two cores to keep apart. With one, nothing is pinned, and the numbers say little.
    static var canPin: Bool { coreCount >= 2 }

    /// Pins the calling thread and what it starts from now on.
    static func pin(to core: Int) {
        guard canPin else { return }
        _ = bench_set_affinity(1 << UInt(core))
    }

    /// Puts the calling thread back on the load's core.
    static func unpin() { pin(to: loadCore) }
}
