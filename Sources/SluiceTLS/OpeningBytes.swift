internal import SluiceCore

/// The first bytes a peer sent, to tell a broken TLS from no TLS.
struct OpeningBytes {
    private var bytes: (UInt8, UInt8, UInt8) = (0, 0, 0)
    private(set) var count = 0

    var isComplete: Bool { count == 3 }

    @unsafe mutating func note(_ received: UnsafeRawBufferPointer) {
        var index = 0
        while count < 3 && index < received.count {
            let byte = unsafe received[index]
            switch count {
            case 0: bytes.0 = byte
            case 1: bytes.1 = byte
            default: bytes.2 = byte
            }
            count += 1
            index += 1
        }
    }

    /// Whether they cannot begin a TLS record: content type 20 to 24, version 3.x (RFC 8446 §5.1).
    var isNotTLS: Bool {
        (count > 0 && !(20...24).contains(bytes.0)) || (count > 1 && bytes.1 != 3)
    }

    /// Whether they look like text: an HTTP request or answer, or a banner.
    var isText: Bool { count == 3 && bytes.0.isASCIILetter && bytes.1.isASCIILetter && bytes.2.isASCIILetter }
}
