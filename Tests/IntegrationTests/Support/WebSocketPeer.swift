import Foundation

/// A WebSocket that Sluice has opened, at the provider's end (RFC 6455).
final class WebSocketPeer {
    struct Frame: Equatable {
        let opcode: UInt8
        let payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
    }

    struct Broken: Error { let reason: String }

    private let wire: Wire

    /// Grants what a request asks for.
    init(_ connection: UpstreamConnection, _ request: HTTPMessage) throws {
        wire = connection.wire
        connection.isOver = true
        guard request.method == "GET", request["upgrade"]?.lowercased() == "websocket",
            request["connection"]?.lowercased() == "upgrade", request["sec-websocket-version"] == "13",
            let key = request["sec-websocket-key"], Data(base64Encoded: key)?.count == 16
        else {
            try connection.reply("no WebSocket was asked for: \(request.head)", status: "400 Bad Request")
            throw Broken(reason: "no WebSocket was asked for")
        }
        let digest = SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        try wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(Data(digest).base64EncodedString())\r\n\r\n")
    }

    /// The next frame of the client's: whole, and masked as it must be.
    func receive(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> Frame {
        let head = try wire.take(2, by: deadline)
        guard head[0] & 0xF0 == 0x80, head[1] & 0x80 != 0 else {
            throw Broken(reason: "a frame in pieces, or not masked")
        }
        var count = Int(head[1] & 0x7F)
        if count >= 126 { count = try wire.take(count == 126 ? 2 : 8, by: deadline).reduce(0) { $0 << 8 | Int($1) } }
        let mask = try wire.take(4, by: deadline)
        let payload = try wire.take(count, by: deadline).enumerated().map { $1 ^ mask[$0 & 3] }
        return Frame(opcode: head[0] & 0x0F, payload: payload)
    }

    /// The request: the first message.
    func request() throws -> JSON {
        let frame = try receive()
        if frame.opcode != 1 { throw Broken(reason: "no text: \(frame)") }
        return JSON(frame.text)
    }

    /// - Parameter first: the first byte: 0x81 for a text, 0x89 for a ping, 0x88 for a close.
    static func frame(_ payload: [UInt8], _ first: UInt8 = 0x81) -> [UInt8] {
        switch payload.count {
        case 0...125: [first, UInt8(payload.count)] + payload
        case 126...0xFFFF: [first, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
        default:
            [first, 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) } + payload
        }
    }

    func send(_ text: String) throws { try wire.send(Self.frame(Array(text.utf8))) }
    func ping(_ payload: [UInt8]) throws { try wire.send(Self.frame(payload, 0x89)) }
    func close(_ code: UInt16) throws { try wire.send(Self.frame([UInt8(code >> 8), UInt8(code & 0xFF)], 0x88)) }
    func sendRaw(_ bytes: [UInt8]) throws { try wire.send(bytes) }

    /// Waits until Sluice has closed the connection.
    func awaitEnd() throws { try wire.awaitEnd() }
}

/// FIPS 180-4, for the handshake.
private enum SHA1 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        bytes += (0..<8).reversed().map { UInt8(truncatingIfNeeded: (message.count * 8) >> ($0 * 8)) }
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        for start in stride(from: 0, to: bytes.count, by: 64) {
            var words = stride(from: start, to: start + 64, by: 4).map { place in
                bytes[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            }
            for index in 16..<80 {
                words.append(rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1))
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for index in 0..<80 {
                let (mix, constant): (UInt32, UInt32) =
                    switch index / 20 {
                    case 0: (b & c | ~b & d, 0x5A82_7999)
                    case 1: (b ^ c ^ d, 0x6ED9_EBA1)
                    case 2: (b & c | b & d | c & d, 0x8F1B_BCDC)
                    default: (b ^ c ^ d, 0xCA62_C1D6)
                    }
                let next = rotate(a, 5) &+ mix &+ e &+ constant &+ words[index]
                (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
            }
            for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
        }
        return state.flatMap { word in (0..<4).reversed().map { UInt8(truncatingIfNeeded: word >> (UInt32($0) * 8)) } }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
