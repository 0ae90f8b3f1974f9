internal import SluiceCore

/// Reads `application/vnd.amazon.eventstream`: frames of headers and a payload, with two CRCs, all integers big-endian.
///
///     var offset = 0
///     while let frame = try parser.next(in: bytes, at: &offset) {
///         act(parser.eventType(of: frame, in: bytes), parser.payload(of: frame, in: bytes))
///     }
///
/// A frame that stands whole in the bytes given is not copied; one that a read cuts is. After `next` has returned `nil`
/// with no frame begun the parser holds no memory. A parser that threw is done with.
package struct EventStreamParser: Sendable {
    /// Where a frame stands. Valid until the parser is asked for the next one.
    package struct Frame: Equatable, Sendable {
        /// Whether it began in an earlier read, and stands in the parser's own copy.
        let isCarried: Bool
        /// The whole of it, CRCs included.
        let range: Range<Int>
        let headers: Range<Int>
        let payload: Range<Int>
    }

    package let limits: EventStreamLimits
    /// A frame that began in an earlier read; after it was reported, until the next call.
    private var carried: [UInt8] = []
    private var hasReported = false
    /// How long the carried frame is, once its first bytes have said so.
    private var carriedFrameByteCount: Int?

    package init(limits: EventStreamLimits = EventStreamLimits()) { self.limits = limits }

    /// Whether the stream would be cut if it ended now.
    package var isInsideFrame: Bool { !carried.isEmpty && !hasReported }

    /// How many bytes of an unfinished frame the parser holds.
    package var carriedByteCount: Int { hasReported ? 0 : carried.count }

    /// Reads the frame that begins at `offset`, or that began in an earlier read, and moves `offset` past it.
    ///
    /// - Returns: `nil` when the bytes are used up; a frame they cut is kept. `bytes` may then be reused.
    package mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(EventStreamError) -> Frame? {
        if hasReported { forgetReported() }
        if !carried.isEmpty { return try resume(bytes, at: &offset) }
        let rest = bytes.extracting(offset..<bytes.count)
        if rest.isEmpty {
            if carried.capacity > 0 { carried = [] }
            return nil
        }
        if rest.count >= EventStreamPrelude.byteCount {
            let prelude = try EventStreamPrelude(rest, limits: limits)
            if rest.count >= prelude.frameByteCount {
                let frame = try Self.check(rest, prelude, at: offset, isCarried: false)
                offset += prelude.frameByteCount
                return frame
            }
            carriedFrameByteCount = prelude.frameByteCount
        }
        carried.append(copying: rest)
        offset = bytes.count
        return nil
    }

    // MARK: What a frame says

    /// The payload of the frame that was reported last.
    ///
    /// - Parameter bytes: the same that were given to `next`.
    @_lifetime(borrow self, copy bytes)
    package func payload(of frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        frame.isCarried ? carried.span.extracting(frame.payload) : bytes.extracting(frame.payload)
    }

    /// All of its bytes, as they were sent.
    @_lifetime(borrow self, copy bytes)
    package func raw(_ frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        frame.isCarried ? carried.span.extracting(frame.range) : bytes.extracting(frame.range)
    }

    @_lifetime(borrow self, copy bytes)
    package func headers(of frame: Frame, in bytes: Span<UInt8>) -> EventStreamHeaders {
        EventStreamHeaders(
            frame.isCarried ? carried.span.extracting(frame.headers) : bytes.extracting(frame.headers))
    }

    /// The first header of that name; `nil` if there is none.
    @_lifetime(borrow self, copy bytes)
    package func header(_ name: StaticString, of frame: Frame, in bytes: Span<UInt8>) -> EventStreamHeader? {
        var headers = headers(of: frame, in: bytes)
        while let header = try? headers.next() {
            if header.name.equals(name) { return header }
        }
        return nil
    }

    /// `:message-type`: `event`, `exception` or `error`; empty if it is missing or no string.
    @_lifetime(borrow self, copy bytes)
    package func messageType(of frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        text(":message-type", of: frame, in: bytes)
    }

    /// `:event-type`, such as `contentBlockDelta`; empty if it is missing or no string.
    @_lifetime(borrow self, copy bytes)
    package func eventType(of frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        text(":event-type", of: frame, in: bytes)
    }

    /// `:exception-type`, such as `throttlingException`; empty if it is missing or no string.
    @_lifetime(borrow self, copy bytes)
    package func exceptionType(of frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        text(":exception-type", of: frame, in: bytes)
    }

    @_lifetime(borrow self, copy bytes)
    private func text(_ name: StaticString, of frame: Frame, in bytes: Span<UInt8>) -> Span<UInt8> {
        if let found = header(name, of: frame, in: bytes), let text = found.string { return text }
        return bytes.extracting(0..<0)
    }

    // MARK: Frames

    /// - Parameter bytes: begin with the frame.
    private static func check(
        _ bytes: Span<UInt8>, _ prelude: EventStreamPrelude, at start: Int, isCarried: Bool
    ) throws(EventStreamError) -> Frame {
        let end = prelude.payload.upperBound
        let checksum = CRC32.checksum(
            bytes.extracting(EventStreamPrelude.byteCount..<end), after: prelude.checksum)
        if checksum != bytes.bigEndian32(at: end) { throw .messageChecksum }
        var headers = EventStreamHeaders(bytes.extracting(prelude.headers))
        while try headers.next() != nil {}
        func placed(_ range: Range<Int>) -> Range<Int> { range.lowerBound + start..<range.upperBound + start }
        return Frame(
            isCarried: isCarried, range: placed(0..<prelude.frameByteCount), headers: placed(prelude.headers),
            payload: placed(prelude.payload))
    }

    private mutating func resume(_ bytes: Span<UInt8>, at offset: inout Int) throws(EventStreamError) -> Frame? {
        if carriedFrameByteCount == nil {
            carry(bytes, at: &offset, upTo: EventStreamPrelude.byteCount)
            if carried.count < EventStreamPrelude.byteCount { return nil }
            carriedFrameByteCount = try EventStreamPrelude(carried.span, limits: limits).frameByteCount
        }
        guard let whole = carriedFrameByteCount else { return nil }
        carry(bytes, at: &offset, upTo: whole)
        if carried.count < whole { return nil }
        hasReported = true
        return try Self.check(
            carried.span, try EventStreamPrelude(carried.span, limits: limits), at: 0, isCarried: true)
    }

    private mutating func carry(_ bytes: Span<UInt8>, at offset: inout Int, upTo byteCount: Int) {
        let taken = min(byteCount - carried.count, bytes.count - offset)
        carried.append(copying: bytes.extracting(offset..<offset + taken))
        offset += taken
    }

    private mutating func forgetReported() {
        hasReported = false
        carriedFrameByteCount = nil
        carried.removeAll(keepingCapacity: true)
    }
}
