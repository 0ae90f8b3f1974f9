package import SluiceCore
package import SluiceHTTP

/// A request as it is sent to a provider: complete, so that it can be sent once more on another connection.
package struct UpstreamRequest {
    package enum Body {
        case none
        /// Parts that together are the body; nobody changes them any more.
        case parts([Part], byteCount: Int)
        /// Bytes that come while they are sent; such a request is sent once.
        case streamed(BodyLength, next: () async throws(UpstreamError) -> ByteBuffer?)
    }

    package struct Part {
        package let buffer: ByteBuffer
        package let range: Range<Int>
        package init(_ buffer: ByteBuffer, _ range: Range<Int>) {
            self.buffer = buffer
            self.range = range
        }
    }

    package var method: Method
    package var target: [UInt8]
    /// Without host, framing and connection fields, which the connection writes.
    package var fields: HeaderFields
    package var body: Body
    /// Asks for a WebSocket: the response's body is then frames, and what is sent are frames. Such a connection is used once.
    package var webSocket: WebSocketHandshake?

    package init(method: Method, target: [UInt8], fields: HeaderFields, body: Body) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    package var bodyLength: BodyLength {
        switch body {
        case .none: .none
        case .parts(_, let byteCount): .known(byteCount)
        case .streamed(let length, _): length
        }
    }

    package var isReplayable: Bool { if case .streamed = body { false } else { true } }
}
