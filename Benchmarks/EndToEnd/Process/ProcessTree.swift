internal import Glibc

/// A process with its children and theirs: what they use is counted together.
struct ProcessTree {
    let root: pid_t

    /// User and system time of all members together, in nanoseconds.
    func processorTime() -> Int {
        Self.members(of: root).reduce(0) { $0 + (Clock.processorTime(of: $1) ?? 0) }
    }

    /// Resident memory of all members together, in bytes, exact: a page that members share counts for each.
    func residentByteCount() -> Int {
        Self.members(of: root).reduce(0) { $0 + Self.kilobytes("Rss:", in: "/proc/\($1)/smaps_rollup") * 1_024 }
    }

    /// The most resident memory since `resetPeak`, in bytes: the sum of the members' own peaks, kept by the kernel.
    func peakResidentByteCount() -> Int {
        Self.members(of: root).reduce(0) { $0 + Self.kilobytes("VmHWM:", in: "/proc/\($1)/status") * 1_024 }
    }

    /// Forgets the peaks so far (proc(5), `clear_refs`, 5).
    func resetPeak() throws(Failure) {
        for member in Self.members(of: root) { try Files.write("5", to: "/proc/\(member)/clear_refs") }
    }

    /// A process and everything that descends from it and still runs.
    static func members(of root: pid_t) -> [pid_t] {
        var members = [root]
        var next = 0
        while next < members.count {
            let process = members[next]
            for thread in Files.names(in: "/proc/\(process)/task") {
                let children = Files.read("/proc/\(process)/task/\(thread)/children") ?? ""
                members += children.split(separator: " ").compactMap { pid_t($0) }
            }
            next += 1
        }
        return members
    }

    private static func kilobytes(_ field: String, in path: String) -> Int {
        for line in (Files.read(path) ?? "").split(separator: "\n") where line.hasPrefix(field) {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}
