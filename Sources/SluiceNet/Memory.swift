internal import CLinux
internal import Glibc

/// How the allocator gives memory back: after a burst the process shrinks again.
package enum Memory {
    /// - Parameter arenas: pools of the allocator; one a worker is enough, more only hold more back.
    package static func configure(arenas: Int) {
        // Fixed thresholds: glibc raises them by itself after the first large block is freed, and then never gives back.
        _ = mallopt(M_MMAP_THRESHOLD, 131_072)
        _ = mallopt(M_TRIM_THRESHOLD, 8 << 20)
        _ = mallopt(M_ARENA_MAX, Int32(clamping: arenas))
    }

    /// Gives free memory back to the system. Takes milliseconds when there is much of it.
    package static func trim() { _ = malloc_trim(0) }

    /// Lets go of the pages of code that only the start needed: what is used again is mapped again, from the page cache.
    ///
    /// Only code: its pages are the file's own. Pages that the loader has relocated must stay.
    package static func releaseStartupCode() {
        for line in (ProcessLimits.read("/proc/self/maps", byteCountMax: 262_144) ?? "").split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count >= 6, parts[1] == "r-xp", parts[5].hasPrefix("/") else { continue }
            let bounds = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
            unsafe madvise(UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
