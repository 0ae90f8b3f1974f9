/// Small buffers that one loop's queues use again and again instead of allocating.
package final class BufferPool {
    private var spare: [ByteBuffer] = []
    /// What is kept at most, in buffers of at most `capacityMax` bytes each.
    private static let countMax = 64
    private static let capacityMax = 4096
    private static let capacityAtFirst = 1024

    package init() {}

    /// An empty buffer.
    func take() -> ByteBuffer { spare.popLast() ?? ByteBuffer(capacity: Self.capacityAtFirst) }

    /// Gives back a buffer that nobody else refers to.
    func give(_ buffer: ByteBuffer) {
        if spare.count >= Self.countMax || buffer.capacity > Self.capacityMax { return }
        buffer.removeAll()
        spare.append(buffer)
    }
}
