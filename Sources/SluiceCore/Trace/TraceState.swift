/// What tracing systems have to say to themselves: the `tracestate` fields of one message (W3C Trace Context, level 1, §3.3).
///
/// Passed on as it came. What breaks the grammar is passed on by nobody, and what is too long loses members.
package struct TraceState {
    /// §3.3.1.1. One member more, and all of it is invalid.
    package static let memberCountMax = 32
    /// §3.3.1.5: what has to be passed on at least, and what is passed on here at most.
    package static let byteCountMax = 512
    /// Longer ones go first where all of them do not fit.
    private static let longByteCount = 128

    private var members: [[UInt8]] = []
    private var isValid = true

    package init() {}

    /// Takes one field's value; several make one list (RFC 9110 §5.3).
    package mutating func add(_ value: Span<UInt8>) {
        var start = 0
        while isValid, start <= value.count {
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
            let piece = value.extracting(start..<end)
            let member = piece.extracting(piece.trimmingOptionalWhitespace())
            start = end + 1
            if member.isEmpty { continue }
            isValid = members.count < Self.memberCountMax && Self.isMember(member)
            members.append(member.indices.map { member[$0] })
        }
    }

    /// What is passed on; `nil`: nothing.
    package var text: String? {
        if !isValid || members.isEmpty { return nil }
        var kept = members
        while Self.byteCount(kept) > Self.byteCountMax {
            kept.remove(at: kept.lastIndex { $0.count > Self.longByteCount } ?? kept.count - 1)
        }
        return kept.isEmpty ? nil : kept.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
    }

    private static func byteCount(_ members: [[UInt8]]) -> Int { members.reduce(members.count - 1) { $0 + $1.count } }

    // MARK: Grammar (§3.3.1)

    private static func isMember(_ member: Span<UInt8>) -> Bool {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return isKey(member.extracting(0..<equals)) && isValue(member.extracting((equals + 1)...))
    }

    private static func isKey(_ key: Span<UInt8>) -> Bool {
        guard let at = key.firstIndex(of: UInt8(ascii: "@")) else {
            return 1...256 ~= key.count && isLetter(key[0]) && isWord(key)
        }
        let (tenant, system) = (key.extracting(0..<at), key.extracting((at + 1)...))
        return 1...241 ~= tenant.count && (isLetter(tenant[0]) || tenant[0].isDecimalDigit) && isWord(tenant)
            && 1...14 ~= system.count && isLetter(system[0]) && isWord(system)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

    private static func isWord(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices {
            switch bytes[index] {
            case let byte where isLetter(byte) || byte.isDecimalDigit: continue
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"): continue
            default: return false
            }
        }
        return true
    }

    /// Blanks may be within, and were cut off at the end.
    private static func isValue(_ value: Span<UInt8>) -> Bool {
        guard 1...256 ~= value.count else { return false }
        for index in value.indices {
            let byte = value[index]
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "=") { return false }
        }
        return true
    }
}
