internal import Synchronization

/// Log lines on their way to whoever writes them. Bounded: a worker never waits for a slow disk or pipe.
///
/// When the queue is full, lines are dropped and counted, and the count is logged as soon as there is room again.
package final class LogQueue: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        /// What the writer gave back: the two change places, so that busy logging allocates nothing.
        var spare: [UInt8] = []
        var dropped = 0
        var droppedInAll = 0
        /// The same lines once more, for somebody else; off: zero.
        var copyByteCountMax = 0
        var copy: [UInt8] = []
        var copyDropped = 0
        var copyNumber = 0
    }

    private static let byteCountMax = 1 << 20
    /// A buffer that has grown beyond this is given back to the system.
    private static let capacityKept = 512 << 10
    private let state = Mutex(State())
    /// Called, from any thread, when the queue stops being empty.
    private let wake: @Sendable () -> Void
    /// Lines below this level are not logged.
    package let level: LogLevel

    package init(level: LogLevel, wake: @escaping @Sendable () -> Void) {
        self.level = level
        self.wake = wake
    }

    package func append(_ lines: Span<UInt8>) {
        let mustWake = state.withLock { state in
            if state.copyByteCountMax > 0 { Self.copy(lines, &state) }
            if state.bytes.count + lines.count > Self.byteCountMax {
                state.dropped += 1
                state.droppedInAll += 1
                return false
            }
            let wasEmpty = state.bytes.isEmpty
            unsafe lines.withUnsafeBufferPointer { unsafe state.bytes.append(contentsOf: $0) }
            return wasEmpty
        }
        if mustWake { wake() }
    }

    // MARK: For somebody else

    /// Keeps every line once more from now on, for `takeCopy`.
    ///
    /// - Returns: what `endCopy` is given.
    package func keepCopy(byteCountMax: Int) -> Int {
        state.withLock { state in
            state.copyByteCountMax = byteCountMax
            state.copyNumber += 1
            return state.copyNumber
        }
    }

    /// Keeps no copies any more, unless somebody else wants them by now.
    package func endCopy(_ number: Int) {
        state.withLock { state in
            guard number == state.copyNumber else { return }
            state.copyByteCountMax = 0
            state.copy = []
        }
    }

    /// Takes what was kept, and how many lines found no room since the last time.
    package func takeCopy() -> (bytes: [UInt8], dropped: Int) {
        state.withLock { state in
            let taken = (state.copy, state.copyDropped)
            state.copy = []
            state.copyDropped = 0
            return taken
        }
    }

    private static func copy(_ lines: Span<UInt8>, _ state: inout State) {
        if state.copy.count + lines.count > state.copyByteCountMax { return state.copyDropped += 1 }
        unsafe lines.withUnsafeBufferPointer { unsafe state.copy.append(contentsOf: $0) }
    }

    // MARK: The writer

    /// Whether nothing waits.
    package var isEmpty: Bool { state.withLock { $0.bytes.isEmpty && $0.dropped == 0 } }

    /// Lines that were dropped since the process began.
    package var droppedCount: Int { state.withLock { $0.droppedInAll } }

    /// Takes everything that waits, and how many lines were dropped since the last time. Give the bytes back with `recycle`.
    package func take() -> (bytes: [UInt8], dropped: Int) {
        state.withLock { state in
            let taken = (state.bytes, state.dropped)
            state.bytes = state.spare
            state.spare = []
            state.dropped = 0
            return taken
        }
    }

    /// Gives back what `take` gave, once it is written.
    package func recycle(_ bytes: consuming [UInt8]) {
        if bytes.capacity > Self.capacityKept { return }
        bytes.removeAll(keepingCapacity: true)
        let empty = bytes
        state.withLock { $0.spare = empty }
    }
}
