internal import CLinux
internal import Glibc
internal import SluiceCore

/// What the system grants this process: processors, memory, descriptors.
package enum ProcessLimits {
    /// Processors that may really be used: the affinity mask, and the control group's quota, rounded up.
    package static var processorCount: Int {
        var count = 1
        unsafe withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { mask in
            unsafe mask.initializeMemory(as: UInt8.self, repeating: 0)
            let size = unsafe sluice_affinity(mask.baseAddress, mask.count)
            if size > 0 { count = unsafe mask.reduce(0) { $0 + $1.nonzeroBitCount } }
        }
        if let quota = quota() { count = min(count, max(1, Int((quota + 0.999).rounded(.down)))) }
        return max(1, count)
    }

    /// Processors' worth of time a period: version 2's `cpu.max`, or version 1's two files.
    private static func quota() -> Double? {
        for directory in groupDirectories(controller: "cpu") {
            if let text = read("/sys/fs/cgroup\(directory)/cpu.max") {
                let parts = text.split(whereSeparator: \.isWhitespace)
                if parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), period > 0 {
                    return quota / period
                }
            }
            if let text = read("/sys/fs/cgroup/cpu\(directory)/cpu.cfs_quota_us"), let quota = number(text), quota > 0,
                let period = read("/sys/fs/cgroup/cpu\(directory)/cpu.cfs_period_us").flatMap(number), period > 0
            {
                return Double(quota) / Double(period)
            }
        }
        return nil
    }

    /// Bytes of memory that the control group, or else the machine, allows.
    package static var memoryByteCount: Int {
        var limit = Int.max
        for directory in groupDirectories(controller: "memory") {
            if let bytes = read("/sys/fs/cgroup\(directory)/memory.max").flatMap(number) { limit = min(limit, bytes) }
            if let bytes = read("/sys/fs/cgroup/memory\(directory)/memory.limit_in_bytes").flatMap(number) {
                limit = min(limit, bytes)
            }
        }
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        return min(limit, machine)
    }

    /// Bytes of memory that are resident now.
    package static var residentByteCount: Int { memoryByteCount(1) }

    /// Bytes of addresses that are reserved now.
    package static var virtualByteCount: Int { memoryByteCount(0) }

    /// - Parameter column: of `/proc/self/statm` (proc_pid_statm(5)).
    private static func memoryByteCount(_ column: Int) -> Int {
        guard let text = read("/proc/self/statm") else { return 0 }
        let parts = text.split(separator: " ")
        guard parts.count > column, let pages = Int(parts[column]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Descriptors that are open now.
    package static var openDescriptorCount: Int {
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        // Not those for the directory itself and the one above it, and not the one that reads them.
        var count = -3
        while unsafe readdir(directory) != nil { count += 1 }
        return max(0, count)
    }

    /// How many may be open.
    package static var descriptorLimit: Int {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit on open descriptors as far as the system lets us, and returns it.
    @discardableResult package static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Keeps what is in memory out of core dumps, whatever the system does with those, and out of other processes' reach.
    package static func forbidCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = sluice_forbid_dumps()
    }

    /// The control group and the root of its name space: inside a container the files stand at the root.
    private static func groupDirectories(controller: String) -> [String] {
        var directories = [""]
        for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains(controller[...]) else {
                continue
            }
            if parts[2] != "/" { directories.insert(String(parts[2]), at: 0) }
        }
        return directories
    }

    private static func number(_ text: String) -> Int? { Int(text.prefix(while: { !$0.isWhitespace })) }

    static func read(_ path: String, byteCountMax: Int = 4096) -> String? {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if fd < 0 { return nil }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: byteCountMax)
        var filled = 0
        while filled < byteCountMax {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(fd, $0.baseAddress! + filled, $0.count - filled)
            }
            if count < 0 { return nil }
            if count == 0 { break }
            filled += count
        }
        return String(decoding: bytes[..<filled], as: UTF8.self)
    }
}
