/// The CRC-32 of zlib and Ethernet (ISO 3309; polynomial 0xEDB88320, reflected), eight bytes at a time (Kounavis,
/// Berry: "A systematic approach to building high performance, software-based, CRC generators").
package enum CRC32 {
    /// - Parameter previous: the CRC of the bytes that stand before these; 0 for none.
    package static func checksum(_ bytes: Span<UInt8>, after previous: UInt32 = 0) -> UInt32 {
        let tables = unsafe Self.tables
        var crc = ~previous
        return unsafe bytes.withUnsafeBytes { bytes in
            var at = 0
            while bytes.count &- at >= 8 {
                let word =
                    unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ UInt64(crc)
                crc = 0
                for position in 0..<8 {
                    let byte = Int(truncatingIfNeeded: word &>> UInt64(position &* 8) & 0xFF)
                    unsafe crc ^= tables[(7 &- position) &* 256 &+ byte]
                }
                at &+= 8
            }
            while at < bytes.count {
                unsafe crc = crc &>> 8 ^ tables[Int(truncatingIfNeeded: (crc ^ UInt32(bytes[at])) & 0xFF)]
                at &+= 1
            }
            return ~crc
        }
    }

    /// Eight tables of 256 entries, made once and never changed: what a byte does to the CRC with 0 to 7 bytes after
    /// it.
    nonisolated(unsafe) private static let tables: UnsafePointer<UInt32> = {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
            unsafe tables[byte] = crc
        }
        for index in 256..<8 * 256 {
            let shorter = unsafe tables[index - 256]
            unsafe tables[index] = shorter >> 8 ^ tables[Int(shorter & 0xFF)]
        }
        return unsafe UnsafePointer(tables)
    }()
}
