internal import SluiceCore

/// Reads what a server sends over a WebSocket (RFC 6455 §5): messages put together from their frames, and control
/// frames.
///
///     var offset = 0
///     while let event = try parser.next(in: bytes, at: &offset) { act(on: event, parser.payload(of: event, in: bytes))
//} /
/// A message of one frame that stands whole in the bytes given is not copied. How the bytes were split does not change
/// what is reported. After a Close nothing is reported any more (§5.5.1). A parser that threw is done with.
package struct WebSocketFrameParser: Sendable {
    /// What was read. Its payload is valid until the parser is asked for the next one.
    package struct Event: Equatable, Sendable {
        package enum Kind: Equatable, Sendable {
            case text, binary, ping, pong
            /// The code, if one was sent; the payload is the reason, in UTF-8.
            case close(WebSocketCloseCode?)
        }

        enum Place: Sendable { case given, message, control }

        package let kind: Kind
        let place: Place
        let payload: Range<Int>
    }

    private enum Phase { case head, payload, closed }

    /// The longest message accepted, in bytes, over all of its frames.
    package let messageBytesMax: Int
    private var phase = Phase.head
    private var head = WebSocketFrameHead()
    // The frame whose payload is read.
    private var opcode = WebSocketFrameHead.Opcode.continuation
    private var isLast = false
    private var rest = 0
    /// What kind of message is open: its last frame has not begun.
    private var openMessage: Event.Kind?
    /// The open message as far as it came; after one was reported, until the next call.
    private var message: [UInt8] = []
    private var control: [UInt8] = []
    private var hasReported = false

    package init(messageBytesMax: Int = 1_048_576) { self.messageBytesMax = messageBytesMax }

    /// Whether the server's Close was read.
    package var isClosed: Bool { phase == .closed }

    /// Whether the connection would be cut in the middle of something if it ended now.
    package var isInsideMessage: Bool { phase == .payload || openMessage != nil || head.isOpen }

    /// Reads on from `offset`, and moves it past what was read.
    ///
    /// - Returns: `nil` when the bytes are used up; what they cut is kept. `bytes` may then be reused.
    package mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(WebSocketError) -> Event? {
        if hasReported { forgetReported() }
        while true {
            switch phase {
            case .closed:
                offset = bytes.count
                return nil
            case .head:
                guard let head = try head.read(bytes, at: &offset) else { return nothing() }
                try begin(head.opcode, isLast: head.isLast, byteCount: head.byteCount)
            case .payload:
                if let event = try readPayload(bytes, at: &offset) { return event }
                if phase == .payload { return nothing() }
            }
        }
    }

    /// What the event that was reported last carries: a message, what a Pong must repeat, or the reason of a Close.
    ///
    /// - Parameter bytes: the same that were given to `next`.
    @_lifetime(borrow self, copy bytes)
    package func payload(of event: Event, in bytes: Span<UInt8>) -> Span<UInt8> {
        switch event.place {
        case .given: bytes.extracting(event.payload)
        case .message: message.span.extracting(event.payload)
        case .control: control.span.extracting(event.payload)
        }
    }

    // MARK: Frames

    private mutating func begin(
        _ opcode: WebSocketFrameHead.Opcode, isLast: Bool, byteCount: UInt64
    ) throws(WebSocketError) {
        switch opcode {
        case .continuation: if openMessage == nil { throw .continuationOfNothing }
        case .text, .binary:
            if openMessage != nil { throw .messageInsideMessage }
            openMessage = opcode == .text ? .text : .binary
        case .close, .ping, .pong: break
        }
        if !opcode.isControl, byteCount > UInt64(max(0, messageBytesMax - message.count)) {
            throw .messageTooLong(bytesMax: messageBytesMax)
        }
        self.opcode = opcode
        self.isLast = isLast
        rest = Int(truncatingIfNeeded: byteCount)  // at most `messageBytesMax`
        phase = .payload
    }

    /// Takes what has arrived of the frame's payload.
    private mutating func readPayload(
        _ bytes: Span<UInt8>, at offset: inout Int
    ) throws(WebSocketError) -> Event? {
        let taken = offset..<offset + min(rest, bytes.count - offset)
        offset = taken.upperBound
        if opcode.isControl {
            if taken.count == rest, control.isEmpty { return try finishControl(bytes, .given, taken) }
            control.append(copying: bytes.extracting(taken))
        } else {
            if taken.count == rest, isLast, message.isEmpty { return try finishMessage(bytes, .given, taken) }
            message.append(copying: bytes.extracting(taken))
        }
        rest -= taken.count
        if rest > 0 { return nil }
        if opcode.isControl { return try finishControl(bytes, .control, 0..<control.count) }
        if isLast { return try finishMessage(bytes, .message, 0..<message.count) }
        phase = .head
        return nil
    }

    private mutating func finishMessage(
        _ bytes: Span<UInt8>, _ place: Event.Place, _ payload: Range<Int>
    ) throws(WebSocketError) -> Event? {
        guard let kind = openMessage else { throw .continuationOfNothing }
        let event = Event(kind: kind, place: place, payload: payload)
        if kind == .text, !isUTF8(event, in: bytes) { throw .notUTF8 }
        openMessage = nil
        phase = .head
        hasReported = true
        return event
    }

    private mutating func finishControl(
        _ bytes: Span<UInt8>, _ place: Event.Place, _ payload: Range<Int>
    ) throws(WebSocketError) -> Event? {
        phase = opcode == .close ? .closed : .head
        hasReported = true
        if opcode != .close { return Event(kind: opcode == .ping ? .ping : .pong, place: place, payload: payload) }
        if payload.isEmpty { return Event(kind: .close(nil), place: place, payload: payload) }
        let code = try closeCode(Event(kind: .close(nil), place: place, payload: payload), in: bytes)
        let event = Event(kind: .close(code), place: place, payload: payload.lowerBound + 2..<payload.upperBound)
        if !isUTF8(event, in: bytes) { throw .notUTF8 }
        return event
    }

    /// The first two bytes of a Close.
    private func closeCode(
        _ close: Event, in bytes: Span<UInt8>
    ) throws(WebSocketError) -> WebSocketCloseCode {
        let payload = payload(of: close, in: bytes)
        if payload.count < 2 { throw .malformedClose }
        let code = WebSocketCloseCode(UInt16(payload[0]) << 8 | UInt16(payload[1]))
        if !code.isSendable { throw .malformedClose }
        return code
    }

    private func isUTF8(_ event: Event, in bytes: Span<UInt8>) -> Bool {
        (try? UTF8Span(validating: payload(of: event, in: bytes))) != nil
    }

    // MARK: Memory

    /// A message that is open stays: control frames may stand between its frames.
    private mutating func forgetReported() {
        hasReported = false
        control.removeAll(keepingCapacity: true)
        if openMessage == nil { message.removeAll(keepingCapacity: true) }
    }

    /// The bytes are used up: gives the memory back that nothing needs.
    private mutating func nothing() -> Event? {
        if message.isEmpty, message.capacity > 0 { message = [] }
        return nil
    }
}
