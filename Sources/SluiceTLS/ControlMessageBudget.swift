internal import COpenSSL

/// Handshake messages after the handshake (KeyUpdate, NewSessionTicket): they cost us work and carry nothing, so a
/// connection may send a few, and more only as it sends data.
struct ControlMessageBudget {
    /// Messages that need no data: an upstream sends a handful of tickets.
    static let freeMessagesMax = 32
    /// Plaintext that earns one more, in bytes.
    static let bytesPerMessage = 1 << 20

    private var left = freeMessagesMax
    private var earnedByteCount = 0
    private var askedToRenegotiate = false

    var isExceeded: Bool { left < 0 }

    @inline(__always) mutating func earn(byCount count: Int) {
        earnedByteCount &+= count
        if earnedByteCount >= Self.bytesPerMessage {
            earnedByteCount = 0
            if left < Self.freeMessagesMax { left += 1 }
        }
    }

    /// Counts a message of this type (RFC 8446 §4). A renegotiation, by either side, is the end at once.
    mutating func spend(_ kind: UInt8) {
        if kind == SSL3_MT_CLIENT_HELLO || kind == SSL3_MT_HELLO_REQUEST {
            askedToRenegotiate = true
            left = -1
        } else if left >= 0 {
            left -= 1
        }
    }

    var error: TLSError {
        if askedToRenegotiate {
            return TLSError(.abuse, "the peer asked for a TLS renegotiation, which is not allowed")
        }
        return TLSError(.abuse, "the peer sent more TLS control messages (KeyUpdate, tickets) than its data explains")
    }
}
