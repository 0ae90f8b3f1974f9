/// WebSocket frames as a server writes and reads them (RFC 6455 §5.2).
enum WebSocketFrame {
    enum Opcode: UInt8 { case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 }

    struct Received {
        let isFinal: Bool
        let opcode: Opcode
        let payload: [UInt8]
    }

    struct Violation: Error { let code: UInt16 }

    static let payloadByteCountMax = 1 << 20

    /// A server's frame: whole, without a mask.
    static func bytes(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        var frame = [0x80 | opcode.rawValue]
        let count = payload.count
        if count < 126 {
            frame.append(UInt8(count))
        } else if count < 65_536 {
            frame += [126, UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
        } else {
            frame.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                frame.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        }
        return frame + payload
    }

    /// The first frame of what was received, which is taken out; `nil` until it is whole.
    ///
    /// - Throws: the status to close with, for what a client may not send.
    static func next(_ bytes: inout [UInt8]) throws(Violation) -> Received? {
        guard bytes.count >= 2 else { return nil }
        guard bytes[0] & 0x70 == 0, let opcode = Opcode(rawValue: bytes[0] & 15), bytes[1] & 0x80 != 0 else {
            throw Violation(code: 1002)
        }
        let isFinal = bytes[0] & 0x80 != 0
        var count = Int(bytes[1] & 0x7F)
        var at = 2
        if opcode.rawValue >= 8, count > 125 || !isFinal { throw Violation(code: 1002) }
        if count >= 126 {
            let width = count == 126 ? 2 : 8
            guard bytes.count >= 2 + width else { return nil }
            if width == 8, bytes[2...5].contains(where: { $0 != 0 }) { throw Violation(code: 1009) }
            count = bytes[2..<2 + width].suffix(4).reduce(0) { $0 << 8 | Int($1) }
            at += width
            if count < (width == 2 ? 126 : 65_536) { throw Violation(code: 1002) }
        }
        if count > payloadByteCountMax { throw Violation(code: 1009) }
        guard bytes.count >= at + 4 + count else { return nil }
        let mask = Array(bytes[at..<at + 4])
        let payload = bytes[(at + 4)..<(at + 4 + count)].enumerated().map { $0.element ^ mask[$0.offset & 3] }
        bytes.removeFirst(at + 4 + count)
        return Received(isFinal: isFinal, opcode: opcode, payload: payload)
    }

    /// What an upgrade is answered with (RFC 6455 §4.2.2).
    static func accept(_ key: String) -> String {
        SignedText.base64(SHA1.hash(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}

/// SHA-1 (FIPS 180-4): for the handshake, which needs no strength.
enum SHA1 {
    static func hash(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        let bits = UInt64(message.count) * 8
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        for start in stride(from: 0, to: bytes.count, by: 64) { mix(bytes[start..<start + 64], &state) }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
    }

    private static func mix(_ block: ArraySlice<UInt8>, _ state: inout [UInt32]) {
        let block = Array(block)
        var words = (0..<16).map { index in
            block[index * 4..<index * 4 + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<80 {
            words.append(rotated(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1))
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for index in 0..<80 {
            let (mixed, constant): (UInt32, UInt32) =
                switch index {
                case 0..<20: (b & c | ~b & d, 0x5A82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                case 40..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = rotated(a, 5) &+ mixed &+ e &+ constant &+ words[index]
            (e, d, c, b, a) = (d, c, rotated(b, 30), a, next)
        }
        for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
