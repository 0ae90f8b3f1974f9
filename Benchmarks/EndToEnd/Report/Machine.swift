internal import Glibc

/// Where and when the numbers were taken.
struct Machine {
    let date: String
    let processor: String
    let kernel: String
    let loadAverage: String
    let memoryByteCount: Int

    init() {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe _ = gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        date = String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let model = (Files.read("/proc/cpuinfo") ?? "").split(separator: "\n").first { $0.hasPrefix("model name") }
        processor = model?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown"
        let release = Files.read("/proc/sys/kernel/osrelease") ?? "unknown"
        kernel = String(release.prefix { $0 != "\n" })
        let memory = (Files.read("/proc/meminfo") ?? "").split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        memoryByteCount = 1_024 * (memory?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
        loadAverage = (Files.read("/proc/loadavg") ?? "").split(separator: " ").prefix(3).joined(separator: " ")
    }

    /// What the machine was doing before the benchmark began, in processes that wanted a core over the last minute.
    var isQuiet: Bool { (loadAverage.split(separator: " ").first.flatMap { Double($0) } ?? 0) < 0.7 }
}
