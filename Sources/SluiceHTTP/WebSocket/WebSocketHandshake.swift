package import SluiceCore

/// The client's half of a WebSocket's opening (RFC 6455 §4.1): what asks for it, and whether the answer grants it.
///
/// Neither extensions nor subprotocols are offered, so a server that names one is refused.
package struct WebSocketHandshake: Sendable {
    /// Why a response does not open a WebSocket. The connection cannot carry one; after `notSwitched` it is an ordinary
    /// HTTP response, whose body says more.
    package enum Refusal: Error, Equatable, Sendable {
        case notSwitched(Status)
        case upgradeMissing, connectionMissing
        /// `Sec-WebSocket-Accept` is missing, repeated, or not the answer to our key: a cache or another protocol
        /// spoke.
        case wrongAccept
        case unwantedExtension, unwantedProtocol
    }

    /// How long the random part of a key is.
    package static let nonceByteCount = 16
    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The value of `Sec-WebSocket-Key`: 24 characters of Base64.
    package let key: String
    private let accept: String

    /// - Parameter nonce: `nonceByteCount` bytes that nobody can guess, new for each handshake.
    package init(nonce: [UInt8]) {
        precondition(nonce.count == Self.nonceByteCount, "a WebSocket key of \(nonce.count) bytes")
        key = Base64.encode(nonce.span)
        accept = Self.accept(for: key)
    }

    /// What a server answers to a key (§4.2.2, step 5.4).
    static func accept(for key: String) -> String { Base64.encode(SHA1.hash(Array((key + magic).utf8)).span) }

    /// Writes the head of the request. There is no body.
    ///
    /// - Parameters:
    ///   - target: path and query.
    ///   - fields: what is to be sent besides; `sec-websocket-*` among them are left out.
    package func writeRequest(
        target: Span<UInt8>, host: Span<UInt8>, fields: borrowing HeaderFields = HeaderFields(), into buffer: ByteBuffer
    ) throws(MessageWriter.Refused) {
        var others = HeaderFields()
        for index in 0..<fields.count where !fields.name(at: index).hasPrefix("sec-websocket-") {
            others.append(fieldAt: index, of: fields)
        }
        try MessageWriter.request(.get, target: target, host: host, fields: others, framing: .none, into: buffer)
        // The writer keeps `upgrade` and `connection` to itself: they go where it ended the head.
        buffer.truncate(to: buffer.count - 2)
        buffer.append("upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ")
        buffer.append(key)
        buffer.append("\r\n\r\n")
    }

    /// Whether the response opens the WebSocket; if it does, frames follow it.
    package func check(_ head: borrowing ResponseHead) throws(Refusal) {
        if head.status != 101 { throw .notSwitched(head.status) }
        if !head.fields.list(.upgrade, contains: "websocket") { throw .upgradeMissing }
        if !head.fields.list(.connection, contains: "upgrade") { throw .connectionMissing }
        if !isAccepted(by: head.fields) { throw .wrongAccept }
        if head.fields.index(named: "sec-websocket-extensions") != nil { throw .unwantedExtension }
        if head.fields.index(named: "sec-websocket-protocol") != nil { throw .unwantedProtocol }
    }

    private func isAccepted(by fields: borrowing HeaderFields) -> Bool {
        var isAccepted = false
        var hasSeen = false
        for index in 0..<fields.count where fields.name(at: index).equals("sec-websocket-accept") {
            if hasSeen { return false }
            hasSeen = true
            isAccepted = String(decoding: fields.value(at: index)) == accept
        }
        return isAccepted
    }
}
