internal import SluiceCore

/// Finds the body in the bytes of a connection, and where it ends. Nothing is copied.
///
///     var offset = 0
///     while let event = try decoder.next(in: bytes, at: &offset) {
///         switch event {
///         case .bytes(let range): …  // a part of the body
///         case .end(let trailers): …  // from `offset` on stands the next message
///         }
///     }
///
/// How the bytes were split into reads changes how many runs are reported, never what they say.
package struct BodyDecoder {
    package enum Event {
        /// A run of the body, never empty: where it stands in the bytes that were given.
        case bytes(Range<Int>)
        /// The body is complete. Trailers are `nil` if there were none that may be used.
        case end(trailers: HeaderFields?)
    }

    private enum State {
        case counting(remaining: Int)
        case chunked
        case untilClose
        case complete
    }
    private var state: State
    private var chunks: ChunkDecoder

    /// - Parameter limits: for trailers.
    package init(_ framing: BodyFraming, limits: HeadLimits = HeadLimits()) {
        chunks = ChunkDecoder(limits: limits)
        switch framing {
        case .none: state = .counting(remaining: 0)
        case .known(let byteCount): state = .counting(remaining: byteCount)
        case .chunked: state = .chunked
        case .untilClose: state = .untilClose
        }
    }

    /// Whether `.end` has been reported.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Reads on from `offset`, and moves it past what was read.
    ///
    /// - Returns: `nil` when more bytes are needed (then `offset` is at the end), and after `.end`.
    package mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(BodyError) -> Event? {
        switch state {
        case .counting(let remaining):
            if remaining == 0 { return complete(nil) }
            guard let run = Self.run(bytes, at: &offset, atMost: remaining) else { return nil }
            state = .counting(remaining: remaining - run.count)
            return .bytes(run)
        case .chunked:
            let event = try chunks.next(in: bytes, at: &offset)
            if case .end = event { state = .complete }
            return event
        case .untilClose:
            return Self.run(bytes, at: &offset, atMost: .max).map { .bytes($0) }
        case .complete:
            return nil
        }
    }

    /// The peer closed its side in an orderly way.
    ///
    /// - Returns: `.end` if that is how the body ends; `nil` if it had ended before.
    /// - Throws: `truncated`: what has been passed on must not look like a whole message.
    package mutating func inputEnded() throws(BodyError) -> Event? {
        switch state {
        case .complete: return nil
        case .untilClose, .counting(remaining: 0): return complete(nil)
        case .counting, .chunked: throw .truncated
        }
    }

    private mutating func complete(_ trailers: HeaderFields?) -> Event {
        state = .complete
        return .end(trailers: trailers)
    }

    static func run(_ bytes: Span<UInt8>, at offset: inout Int, atMost limit: Int) -> Range<Int>? {
        let byteCount = min(bytes.count - offset, limit)
        if byteCount <= 0 { return nil }
        let run = offset..<offset + byteCount
        offset = run.upperBound
        return run
    }
}
