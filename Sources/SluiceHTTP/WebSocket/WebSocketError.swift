/// Why what a server sent is not WebSocket (RFC 6455 §5). The connection is failed: a Close with `closeCode`, then its
/// end.
package enum WebSocketError: Error, Equatable, Sendable {
    /// Only clients mask (§5.1).
    case maskedFrame
    /// A bit that belongs to an extension we did not ask for (§5.2).
    case reservedBit
    case unknownOpcode(UInt8)
    case controlFrameFragmented
    /// Over 125 bytes (§5.5).
    case controlFrameTooLong
    /// A length in more bytes than it needs, or with its highest bit set (§5.2).
    case lengthNotMinimal
    /// A continuation where no message is open.
    case continuationOfNothing
    /// A message in the middle of another.
    case messageInsideMessage
    case messageTooLong(bytesMax: Int)
    /// A text message or a reason that is not UTF-8 (§8.1).
    case notUTF8
    /// A Close of one byte, or with a code that may not be sent (§7.4).
    case malformedClose

    /// What to close with (§7.4.1).
    package var closeCode: WebSocketCloseCode {
        switch self {
        case .messageTooLong: .messageTooLong
        case .notUTF8: .notUTF8
        default: .protocolError
        }
    }
}

/// Why a WebSocket is closed (RFC 6455 §7.4).
package struct WebSocketCloseCode: Equatable, Hashable, Sendable {
    package let value: UInt16
    package init(_ value: UInt16) { self.value = value }

    package static let normal = WebSocketCloseCode(1000)
    package static let goingAway = WebSocketCloseCode(1001)
    package static let protocolError = WebSocketCloseCode(1002)
    package static let notUTF8 = WebSocketCloseCode(1007)
    package static let messageTooLong = WebSocketCloseCode(1009)

    /// Whether a Close frame may hold it: 1005, 1006 and 1015 only ever describe (§7.4.1), 1004 and the rest below 3000
    /// mean nothing yet, 3000 to 4999 are free (§7.4.2).
    package var isSendable: Bool {
        switch value {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
