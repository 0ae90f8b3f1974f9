internal import SluiceCore

/// Which part of a cluster a key belongs to (Redis cluster specification, "Key distribution model").
enum RedisSlot {
    static let count = 16_384

    /// CRC16 of the key, or of what is between the first `{` and the first `}` after it, if that is not empty.
    static func of(_ key: Span<UInt8>) -> Int {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")),
            let close = key.firstIndex(of: UInt8(ascii: "}"), from: open + 1), close > open + 1
        else { return Int(crc16(key)) % count }
        return Int(crc16(key.extracting(open + 1..<close))) % count
    }

    /// CRC16 of the XMODEM kind: polynomial 1021, initial value 0, nothing reflected.
    static func crc16(_ bytes: Span<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for index in bytes.indices {
            crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ bytes[index])]
        }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { byte in
        var crc = UInt16(byte) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        return crc
    }
}
