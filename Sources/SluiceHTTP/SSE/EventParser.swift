internal import SluiceCore

/// Reads `text/event-stream` (WHATWG HTML §9.2) for relaying: finds where each event stands in the bytes that were read,
/// and what it says, and copies nothing unless the end of a read cuts an event.
///
///     var offset = 0
///     var run = 0..<0  // untouched events that stand side by side in `bytes`
///     while let event = try parser.next(in: bytes, at: &offset) {
///         if event.isCarried {
///             queue.append(parser.raw(event, in: bytes))  // only the first event of a read can be carried
///         } else {
///             run = run.isEmpty ? event.range : run.lowerBound..<event.range.upperBound
///         }
///     }
///     queue.append(bytes.extracting(run))
///
/// What is reported, put together, is the stream as it was sent, but for a byte order mark at its start. After `next`
/// has returned `nil` with no event open, the parser holds no memory. A parser that threw is done with.
package struct EventParser: Sendable {
    /// An event is longer than the limit, or does not end.
    package struct EventTooLong: Error, Equatable, Sendable {
        package let bytesMax: Int
    }

    /// The longest event accepted, in bytes, its line ends included.
    package let eventBytesMax: Int
    /// An event that began in an earlier read; after it was reported, until the next call.
    private var carried: [UInt8] = []
    /// The data of the event that was reported last, if it stood on several lines.
    private var joined: [UInt8] = []
    /// Whether `carried` or `joined` belong to an event that was reported.
    private var hasReported = false
    private var start = StreamStart()
    /// Whether the last event ended with a CR at the end of a read: an LF that follows belongs to it.
    private var endedWithReturn = false

    package init(eventBytesMax: Int = 1_048_576) { self.eventBytesMax = eventBytesMax }

    /// Whether the stream would be cut if it ended now (WHATWG: such an event is dropped).
    package var isInsideEvent: Bool { !carried.isEmpty && !hasReported || start.isInsideMark }

    /// How many bytes of an unfinished event the parser holds.
    package var carriedByteCount: Int { hasReported ? 0 : carried.count }

    /// Reads the event that begins at `offset`, or that began in an earlier read, and moves `offset` past it.
    ///
    /// - Returns: `nil` when the bytes are used up; an event they cut is kept. `bytes` may then be reused.
    package mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(EventTooLong) -> Event? {
        if hasReported { forgetReported() }
        if offset >= bytes.count { return nothing() }
        if !start.isOver { carried += start.skip(bytes, at: &offset) }
        if endedWithReturn, offset < bytes.count {
            endedWithReturn = false
            if bytes[offset] == ASCII.lineFeed {
                offset += 1
                return Event(blank: offset - 1..<offset)
            }
        }
        if !carried.isEmpty { return try resume(bytes, at: &offset) }
        if let event = EventScan.event(in: bytes, from: offset, joined: &joined, cutReturn: &endedWithReturn) {
            if event.range.count > eventBytesMax { throw EventTooLong(bytesMax: eventBytesMax) }
            offset = event.range.upperBound
            hasReported = event.dataPlace == .joined
            return event
        }
        try carry(bytes, at: &offset, to: bytes.count)
        return nothing()
    }

    /// What the event would be that the stream's end has cut, had a blank line followed. It is a carried one.
    ///
    /// - Returns: `nil` if nothing was cut. Whether to believe the event is for the caller to say: the standard drops it.
    package mutating func unfinished() -> Event? {
        if hasReported || carried.isEmpty { return nil }
        let ended = carried + [ASCII.lineFeed, ASCII.lineFeed]
        return reported(ended.span)
    }

    // MARK: What an event says

    /// All bytes of the event that was reported last, as they were sent.
    ///
    /// - Parameter bytes: the same that were given to `next`.
    @_lifetime(borrow self, copy bytes)
    package func raw(_ event: Event, in bytes: Span<UInt8>) -> Span<UInt8> {
        event.isCarried ? carried.span.extracting(event.range) : bytes.extracting(event.range)
    }

    /// The data of the event that was reported last: its `data` lines, with line feeds between them.
    @_lifetime(borrow self, copy bytes)
    package func data(of event: Event, in bytes: Span<UInt8>) -> Span<UInt8> {
        switch event.dataPlace {
        case .given: bytes.extracting(event.data)
        case .carried: carried.span.extracting(event.data)
        case .joined: joined.span
        }
    }

    /// What its last `event` line says; empty if it has none, which means `message`.
    @_lifetime(borrow self, copy bytes)
    package func name(of event: Event, in bytes: Span<UInt8>) -> Span<UInt8> {
        event.isCarried ? carried.span.extracting(event.name) : bytes.extracting(event.name)
    }

    /// What its last `id` line says; empty also if it has none (`Event.hasID`).
    @_lifetime(borrow self, copy bytes)
    package func id(of event: Event, in bytes: Span<UInt8>) -> Span<UInt8> {
        event.isCarried ? carried.span.extracting(event.id) : bytes.extracting(event.id)
    }

    // MARK: Events that reads cut

    private mutating func resume(_ bytes: Span<UInt8>, at offset: inout Int) throws(EventTooLong) -> Event? {
        var end = offset
        let isWhole = EventScan.findEnd(
            after: carried[carried.count - 1], in: bytes, at: &end, cutReturn: &endedWithReturn)
        try carry(bytes, at: &offset, to: end)
        if !isWhole { return nil }
        let whole = carried  // shared for the time of the call: the event's parts go to `joined`
        return reported(whole.span)
    }

    private mutating func reported(_ event: Span<UInt8>) -> Event? {
        var isCut = false
        hasReported = true
        return EventScan.event(in: event, from: 0, joined: &joined, cutReturn: &isCut)?.carried(
            byteCount: carried.count)
    }

    private mutating func carry(_ bytes: Span<UInt8>, at offset: inout Int, to end: Int) throws(EventTooLong) {
        if carried.count + (end - offset) > eventBytesMax { throw EventTooLong(bytesMax: eventBytesMax) }
        carried.append(copying: bytes.extracting(offset..<end))
        offset = end
    }

    private mutating func forgetReported() {
        hasReported = false
        carried.removeAll(keepingCapacity: true)
        joined.removeAll(keepingCapacity: true)
    }

    /// The bytes are used up: gives the memory back that nothing needs.
    private mutating func nothing() -> Event? {
        if carried.isEmpty, carried.capacity > 0 { carried = [] }
        if joined.capacity > 0 { joined = [] }
        return nil
    }
}
