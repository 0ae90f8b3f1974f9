/// An address of the internet as a number, for the networks that limits speak of.
package struct IPAddress: Equatable, Sendable {
    /// 16 bytes; an address of version 4 is mapped (RFC 4291 §2.5.5.2).
    package let high: UInt64
    package let low: UInt64

    private static let mapped: UInt64 = 0xFFFF << 32
    package var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter text: `192.0.2.1`, or what RFC 4291 §2.2 allows, without a zone; `nil` for anything else.
    package init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(text) else { return nil }
            high = groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) }
            low = groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) }
        } else {
            guard let number = Self.version4(text) else { return nil }
            high = 0
            low = Self.mapped | UInt64(number)
        }
    }

    private static func version4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count != 4 { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, part.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let byte = UInt8(part) else {
                return nil
            }
            number = number << 8 | UInt32(byte)
        }
        return number
    }

    private static func groups(_ text: String) -> [UInt16]? {
        var halves: [[UInt16]] = []
        let sides = text.split(separator: "::", omittingEmptySubsequences: false)
        if sides.count > 2 { return nil }
        for side in sides {
            var groups: [UInt16] = []
            if !side.isEmpty {
                for part in side.split(separator: ":", omittingEmptySubsequences: false) {
                    if let number = version4(part) {
                        groups += [UInt16(truncatingIfNeeded: number >> 16), UInt16(truncatingIfNeeded: number)]
                    } else if 1...4 ~= part.utf8.count, let group = UInt16(part, radix: 16) {
                        groups.append(group)
                    } else {
                        return nil
                    }
                }
            }
            halves.append(groups)
        }
        let count = halves.reduce(0) { $0 + $1.count }
        if halves.count == 1 { return count == 8 ? halves[0] : nil }
        return count < 8 ? halves[0] + Array(repeating: 0, count: 8 - count) + halves[1] : nil
    }

    /// The first bits, the others zero.
    ///
    /// - Parameter bits: 0 to 128; for version 4 counted from the beginning of the mapped address.
    func masked(to bits: Int) -> IPAddress {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)) }
        return IPAddress(high: high & mask(bits), low: low & mask(bits - 64))
    }

    /// What a limit by address counts as one: an address of version 4, and of version 6 a network of 64 bits, which is what one
    /// customer has at least (RFC 6177).
    package static func network(of address: String) -> String {
        guard address.utf8.contains(UInt8(ascii: ":")), let parsed = IPAddress(address) else { return address }
        if parsed.isVersion4 {
            let number = UInt32(truncatingIfNeeded: parsed.low)
            return "\(number >> 24).\(number >> 16 & 0xFF).\(number >> 8 & 0xFF).\(number & 0xFF)"
        }
        var text = ""
        for shift in [48, 32, 16, 0] as [UInt64] {
            text += String(UInt16(truncatingIfNeeded: parsed.high >> shift), radix: 16) + ":"
        }
        return text + ":/64"
    }
}

/// A network as configurations name it: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct IPNetwork: Equatable, Sendable {
    private let base: IPAddress
    private let bits: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(String(parts[0])) else { return nil }
        let isVersion4 = !parts[0].utf8.contains(UInt8(ascii: ":"))
        let width = isVersion4 ? 32 : 128
        var bits = width
        if parts.count == 2 {
            guard parts[1].utf8.count <= 3, let given = Int(parts[1]), 0...width ~= given else { return nil }
            bits = given
        }
        self.bits = isVersion4 ? bits + 96 : bits
        self.base = base.masked(to: self.bits)
    }

    package func contains(_ address: IPAddress) -> Bool { address.masked(to: bits) == base }
}
