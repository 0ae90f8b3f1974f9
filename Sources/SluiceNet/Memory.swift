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
}
