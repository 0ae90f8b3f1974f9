extension SocketAddress {
    /// Whether it is an address of the public internet: none of this machine, of private networks, of links, of cloud metadata
    /// services or of ranges that are reserved (the registries of RFC 6890). Addresses of IPv6 that stand for one of IPv4 are what
    /// that one is.
    package var isPublic: Bool {
        switch self {
        case .ipv4(let octets, _): Self.isPublic(UInt32(bigEndian: octets))
        case .ipv6(let high, let low, _, _): Self.isPublic(UInt64(bigEndian: high), UInt64(bigEndian: low))
        case .unix: false
        }
    }

    /// Ranges that are not public: address and length of the prefix.
    private static let reserved: [(UInt32, UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC000_0000, 24), (0xC000_0200, 24), (0xC058_6300, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xC633_6400, 24),
        (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ]

    private static func isPublic(_ address: UInt32) -> Bool {
        !reserved.contains { prefix, length in address >> (32 - length) == prefix >> (32 - length) }
    }

    private static func isPublic(_ high: UInt64, _ low: UInt64) -> Bool {
        if high == 0 {
            // ::ffff:0:0/96, IPv4-mapped; everything else that begins with 64 zeros is of this machine or out of use.
            return low >> 32 == 0xFFFF && isPublic(UInt32(truncatingIfNeeded: low))
        }
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return isPublic(UInt32(truncatingIfNeeded: low)) }  // NAT64
        if high >> 48 == 0x2002 { return isPublic(UInt32(truncatingIfNeeded: high >> 16)) }  // 6to4
        if high >> 32 == 0x2001_0DB8 || high >> 41 == 0x2001_0000 >> 9 { return false }  // documentation; 2001::/23
        return high >> 61 == 0b001
    }
}
