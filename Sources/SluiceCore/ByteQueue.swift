/// Bytes on their way to a socket, in order.
///
/// Small writes are copied together; a large body is referenced and never copied. When the queue is drained it holds
/// no memory.
@safe package final class ByteQueue {
    private struct Segment {
        var buffer: ByteBuffer
        var offset: Int
        var end: Int
        /// True while the queue alone writes to the buffer.
        var isOwned: Bool
    }

    /// Below this a shared buffer is copied: cheaper than one more element in a gather write.
    private static let copiedAtMost = 4096
    /// A buffer of ours that has got this long is not written to any more: what was sent of it is given back sooner.
    private static let ownedAtMost = 65_536
    /// A drained queue keeps room for so many elements, and no bytes.
    private static let keptCapacity = 8
    private var segments: [Segment] = []
    private var head = 0
    package private(set) var count = 0
    package var isEmpty: Bool { count == 0 }

    private let pool: BufferPool?

    /// - Parameter pool: where the queue's own small buffers come from and go to.
    package init(pool: BufferPool? = nil) { self.pool = pool }

    /// The buffer to write small things into. Call `committed()` after writing.
    @inline(__always) private var tail: ByteBuffer {
        if head < segments.count, segments[segments.count - 1].isOwned {
            let buffer = segments[segments.count - 1].buffer
            if buffer.count < Self.ownedAtMost { return buffer }
        }
        return newTail()
    }

    @inline(never) private func newTail() -> ByteBuffer {
        let buffer = pool?.take() ?? ByteBuffer(capacity: 1024)
        segments.append(Segment(buffer: buffer, offset: 0, end: 0, isOwned: true))
        return buffer
    }

    /// Appends what `write` appends to the buffer it is given.
    package func write(_ write: (ByteBuffer) -> Void) {
        let buffer = tail
        write(buffer)
        let last = segments.count - 1
        count += buffer.count - segments[last].end
        segments[last].end = buffer.count
    }

    package func append(_ bytes: Span<UInt8>) {
        let buffer = tail
        buffer.append(bytes)
        segments[segments.count - 1].end = buffer.count
        count += bytes.count
    }

    @unsafe package func append(_ bytes: UnsafeRawBufferPointer) {
        let buffer = tail
        unsafe buffer.append(bytes)
        segments[segments.count - 1].end = buffer.count
        count += bytes.count
    }

    package func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a part of a buffer that nobody changes until it has been sent.
    package func append(sharing buffer: ByteBuffer, _ range: Range<Int>) {
        precondition(range.upperBound <= buffer.count, "shared \(range) of a buffer of \(buffer.count) bytes")
        if range.isEmpty { return }
        if range.count <= Self.copiedAtMost { return append(buffer.span.extracting(range)) }
        segments.append(Segment(buffer: buffer, offset: range.lowerBound, end: range.upperBound, isOwned: false))
        count += range.count
    }

    package func append(sharing buffer: ByteBuffer) { append(sharing: buffer, 0..<buffer.count) }

    /// How many runs of memory the queue has to send.
    package var runCount: Int { segments.count - head }

    /// Run number `index` from the front, for a gather write. Valid until the queue is next changed.
    @unsafe package func run(_ index: Int) -> UnsafeRawBufferPointer {
        let segment = segments[head + index]
        let all = unsafe segment.buffer.unsafeBytes
        return unsafe UnsafeRawBufferPointer(rebasing: all[segment.offset..<segment.end])
    }

    /// Drops bytes that have been sent.
    package func consume(_ byteCount: Int) {
        precondition(byteCount <= count, "consumed \(byteCount) of \(count) bytes")
        count -= byteCount
        if count == 0 { return clear() }
        var rest = byteCount
        while rest > 0 {
            let here = segments[head].end - segments[head].offset
            if rest < here {
                segments[head].offset += rest
                return
            }
            rest -= here
            head += 1
        }
        if head > 32 {
            segments.removeFirst(head)
            head = 0
        }
    }

    /// Moves bytes from the front to the end of another queue. Long runs are referenced there, not copied.
    package func move(_ byteCount: Int, to other: ByteQueue) {
        precondition(byteCount <= count, "moved \(byteCount) of \(count) bytes")
        var rest = byteCount
        var index = head
        while rest > 0 {
            let segment = segments[index]
            let taken = min(rest, segment.end - segment.offset)
            other.append(sharing: segment.buffer, segment.offset..<segment.offset + taken)
            rest -= taken
            index += 1
        }
        consume(byteCount)
    }

    /// Drops everything.
    package func removeAll() {
        count = 0
        clear()
    }

    private func clear() {
        if pool != nil { giveBack() }
        segments.removeAll(keepingCapacity: segments.capacity <= Self.keptCapacity)
        head = 0
    }

    /// Gives own buffers back that no other queue refers to.
    private func giveBack() {
        for index in head..<segments.count
        where segments[index].isOwned && isKnownUniquelyReferenced(&segments[index].buffer) {
            pool?.give(segments[index].buffer)
        }
    }
}
