/// The life of a client's WebSocket after its handshake (RFC 6455 §5.5 and §7): what each event asks the owner to do.
package struct WebSocketLife: Sendable {
    package enum State: Equatable, Sendable {
        case open
        /// We have sent a Close and wait for the server's, for a time that the owner bounds.
        case closing
        /// Nothing is sent any more, and nothing that comes is read.
        case closed
    }

    package enum Action: Equatable, Sendable {
        case nothing
        /// Hand the message to whoever waits for it.
        case deliver
        /// Repeat the Ping's payload in a Pong.
        case sendPong
        /// Send a Close, and go on reading until the server's comes.
        case sendClose(WebSocketCloseCode?)
        /// Send a Close, and then end the connection.
        case sendCloseAndEnd(WebSocketCloseCode?)
        case endConnection
    }

    package private(set) var state = State.open

    package init() {}

    /// Whether messages and Pongs may be sent.
    package var maySend: Bool { state == .open }

    package mutating func received(_ kind: WebSocketFrameParser.Event.Kind) -> Action {
        switch (state, kind) {
        case (.open, .text), (.open, .binary): return .deliver
        case (.open, .ping): return .sendPong
        case (.open, .close(let code)):
            state = .closed
            return .sendCloseAndEnd(code)  // the same code is sent back (§5.5.1)
        case (.closing, .close):
            state = .closed
            return .endConnection
        case (.open, .pong), (.closing, _), (.closed, _): return .nothing
        }
    }

    /// What came is not WebSocket (§7.1.7).
    package mutating func failed(_ error: WebSocketError) -> Action {
        defer { state = .closed }
        switch state {
        case .open: return .sendCloseAndEnd(error.closeCode)
        case .closing: return .endConnection
        case .closed: return .nothing
        }
    }

    /// The owner wants no more: the answer is complete, or nobody waits for it.
    package mutating func close(_ code: WebSocketCloseCode = .normal) -> Action {
        if state != .open { return .nothing }
        state = .closing
        return .sendClose(code)
    }

    /// The connection has ended, or has taken too long to.
    ///
    /// - Returns: whether a Close had come first; without one, what was being received may be cut (§7.1.5, code 1006).
    package mutating func connectionEnded() -> Bool {
        defer { state = .closed }
        return state == .closed
    }
}
