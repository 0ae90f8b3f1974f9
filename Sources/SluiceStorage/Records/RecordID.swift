internal import SluiceCore

/// The name of a record: a UUID of version 7 (RFC 9562 §5.7), so that names sort as records were made, and no two nodes
/// make the same one.
package struct RecordID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter random: its lowest 70 bits' worth are used.
    init(milliseconds: Int, random: (UInt64, UInt64)) {
        high = UInt64(truncatingIfNeeded: milliseconds) << 16 | 0x7000 | random.0 & 0xFFF
        low = 0x8000_0000_0000_0000 | random.1 >> 2
    }

    /// Reads `018f3f5e-7c5a-7b3e-9c5d-2f1e4a6b8c0d`; `nil` for anything else.
    package init?(_ text: String) {
        let bytes = text.utf8Span.span
        guard bytes.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for index in bytes.indices {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard bytes[index] == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = bytes[index].hexDigitValue else { return nil }
            if digits < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
            digits += 1
        }
        (high, low) = words
    }

    /// As `bytes` has them; `nil` unless there are 16.
    init?(bytes: Span<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 = words.0 << 8 | UInt64(bytes[index])
            words.1 = words.1 << 8 | UInt64(bytes[index + 8])
        }
        (high, low) = words
    }

    /// Big endian: they compare as the names do.
    var bytes: [16 of UInt8] {
        [16 of UInt8] { index in
            let word = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
        }
    }

    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            text.append(digits[Int(truncatingIfNeeded: word >> UInt64(60 - 4 * (index & 15))) & 15])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The order of records in a file: time in milliseconds, and a count within it. Never goes back, whatever the clock
/// does.
package struct RecordKey: Sendable, Equatable {
    /// How many bits count within a millisecond.
    static let countBits = 20
    /// The last moment that a key can name, in the year 2248.
    static let millisecondsMax = (1 << 43) - 1

    package let number: Int

    package init(_ number: Int) { self.number = number }

    package var milliseconds: Int { number >> Self.countBits }

    /// The first key of a millisecond.
    package static func first(ofMilliseconds milliseconds: Int) -> Int {
        min(max(milliseconds, 0), millisecondsMax) << countBits
    }
}
