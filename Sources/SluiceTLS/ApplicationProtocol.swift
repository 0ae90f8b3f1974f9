internal import SluiceCore

/// What is spoken inside a TLS connection, as agreed by ALPN (RFC 7301).
package enum ApplicationProtocol: Sendable, Equatable, CaseIterable {
    /// ALPN was not used, which means HTTP/1.1 by custom.
    case none
    case http1
    case http2

    /// The registered name (RFC 7301 §6, RFC 9113 §3.1); empty for `none`.
    package var name: StaticString {
        switch self {
        case .none: ""
        case .http1: "http/1.1"
        case .http2: "h2"
        }
    }

    /// The protocol with this name; `nil` for a name we do not speak.
    init?(name: Span<UInt8>) {
        if name.equals("h2") {
            self = .http2
        } else if name.equals("http/1.1") {
            self = .http1
        } else {
            return nil
        }
    }

    /// A list of protocols as it goes into the extension: each name behind its length (RFC 7301 §3.1).
    static func wireFormat(_ protocols: [ApplicationProtocol]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in protocols where entry != .none {
            bytes.append(UInt8(entry.name.utf8CodeUnitCount))
            bytes += entry.name.withUTF8Buffer { unsafe Array($0) }
        }
        return bytes
    }

    /// Where in the peer's list the first of our protocols stands that the peer offers too, by our order.
    ///
    /// - Parameter offer: the peer's list in the wire format. A malformed list matches nothing.
    static func choose(from offer: Span<UInt8>, by preference: [ApplicationProtocol]) -> Range<Int>? {
        for wanted in preference where wanted != .none {
            var at = 0
            while at < offer.count {
                let start = at + 1
                let end = start + Int(offer[at])
                if end > offer.count { break }
                if offer.extracting(start..<end).equals(wanted.name) { return start..<end }
                at = end
            }
        }
        return nil
    }
}
