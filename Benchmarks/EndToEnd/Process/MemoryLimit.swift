internal import Glibc

/// A control group whose members together may use so much memory, with no swap: what a container's limit is made of.
///
/// It lies below the group that the benchmark itself is in, so whatever holds for that goes on holding.
final class MemoryLimit {
    private let directory: String
    private let names: Names

    /// What the two versions of control groups call things.
    private struct Names {
        let limit: String
        let swap: (name: String, text: String)
        let peak: String
        let events: String

        static func first(_ byteCount: Int) -> Names {
            Names(
                limit: "memory.limit_in_bytes", swap: ("memory.memsw.limit_in_bytes", "\(byteCount)"),
                peak: "memory.max_usage_in_bytes", events: "memory.oom_control")
        }

        static let second = Names(
            limit: "memory.max", swap: ("memory.swap.max", "0"), peak: "memory.peak", events: "memory.events")
    }

    /// - Returns: `nil` where control groups cannot be made: there is no such file system, or no right to write to it.
    init?(byteCount: Int) {
        guard let (parent, isFirst) = Self.parent() else { return nil }
        names = isFirst ? .first(byteCount) : .second
        directory = "\(parent)/sluice-bench-\(getpid())"
        guard unsafe mkdir(directory, 0o755) == 0 else { return nil }
        Cleanup.register(group: directory)
        guard (try? Files.write("\(byteCount)", to: "\(directory)/\(names.limit)")) != nil else {
            remove()
            return nil
        }
        // Where swap is not counted there is none to limit.
        try? Files.write(names.swap.text, to: "\(directory)/\(names.swap.name)")
    }

    /// Comes before a command that is to run in the group from its first page on.
    var commandPrefix: [String] { ["/bin/sh", "-c", "echo $$ > \(directory)/cgroup.procs && exec \"$@\"", "sh"] }

    /// The most that the group has used, page cache of its files included; 0 where the kernel does not keep it.
    var peakByteCount: Int {
        let text = Files.read("\(directory)/\(names.peak)") ?? ""
        return Int(text.prefix { $0.isNumber }) ?? 0
    }

    /// How many processes were killed for want of memory.
    var killCount: Int {
        let lines = (Files.read("\(directory)/\(names.events)") ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("oom_kill ") }.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
    }

    /// Once no process is in it any more.
    func remove() {
        unsafe _ = rmdir(directory)
        Cleanup.unregister(group: directory)
    }

    /// The directory of the benchmark's own group, as /proc/self/cgroup has it (cgroups(7)).
    private static func parent() -> (path: String, isFirst: Bool)? {
        let root = "/sys/fs/cgroup"
        for line in (Files.read("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].split(separator: ",").contains("memory") { return ("\(root)/memory\(parts[2])", true) }
            let own = "\(root)\(parts[2])"
            let passedOn = (Files.read("\(own)/cgroup.subtree_control") ?? "").split { $0 == " " || $0 == "\n" }
            if parts[0] == "0", passedOn.contains("memory") { return (own, false) }
        }
        return nil
    }
}
