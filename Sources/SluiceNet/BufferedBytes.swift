internal import Synchronization

/// Bytes that wait in the process because a peer does not take them, of all connections.
package enum BufferedBytes {
    private static let total = Atomic<Int>(0)

    /// As of when each connection last got stuck, or went on.
    package static var count: Int { max(0, total.load(ordering: .relaxed)) }

    static func add(_ count: Int) { total.wrappingAdd(count, ordering: .relaxed) }
}

extension Transport {
    /// To be called when what waits may have changed. Costs a comparison where all is sent at once.
    @inline(__always)
    func countBuffered() {
        let waiting = isOpen ? pendingByteCount : 0
        if waiting == countedByteCount { return }
        BufferedBytes.add(waiting - countedByteCount)
        countedByteCount = waiting
    }
}
