internal import SluiceConfig
internal import SluiceCore
internal import SluiceTLS

/// What the rows in Redis are together: without it, somebody who can write there could put an old row in the place of a
/// new one.
///
/// Sealed, and with a key of its own in it, under which every row counts: rows that were not all there at this revision
/// do not come to the same sum.
struct ControlMark: Sendable, Equatable {
    /// Under which it is kept on the disk.
    static let note = "mark"

    var revision = 0
    /// Hexadecimal; nobody without the seal's key knows it.
    let tagKey: String
    /// The exclusive or of a keyed hash of every unit and its revision.
    private(set) var tag = [UInt8](repeating: 0, count: 16)

    init() { tagKey = Self.hexadecimal(SecureRandom.bytes(16)) }

    /// Adds a row, or takes it out again.
    mutating func toggle(_ unit: ConfigUnit, _ revision: Int) {
        let mac = MAC.sha256(key: tagKey.utf8Span.span, message: "\(revision)/\(unit.key)".utf8Span.span)
        for index in tag.indices { tag[index] ^= mac.span[index] }
    }

    /// The mark after a record. `old` is the revision that a unit had; `nil` if there was none.
    func applying(_ record: ControlRecord, old: (ConfigUnit) -> Int?) -> ControlMark {
        var mark = self
        mark.revision = record.revision
        for change in record.changes {
            if let old = old(change.unit) { mark.toggle(change.unit, old) }
            if change.value != nil { mark.toggle(change.unit, record.revision) }
        }
        return mark
    }

    var text: [UInt8] { Array("\(revision) \(tagKey) \(Self.hexadecimal(tag))".utf8) }

    init?(text: [UInt8]) {
        let parts = String(decoding: text, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let revision = Int(parts[0]), revision >= 0, parts[1].utf8.count == 32,
            let tag = Self.bytes(parts[2]), tag.count == 16
        else { return nil }
        self.revision = revision
        tagKey = String(parts[1])
        self.tag = tag
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: high << 4 | low))
        }
        return bytes
    }
}
