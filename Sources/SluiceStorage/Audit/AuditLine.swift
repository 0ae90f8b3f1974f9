internal import SluiceCore
internal import SluiceJSON
package import SluiceTLS

/// One line of the audit log: a JSON object that begins with its number and the hash of the line before it, and ends,
/// where there is a key, with a MAC over everything before that.
package struct AuditLine: Sendable, Equatable {
    /// Counts from 1 through all files of the log.
    package let number: Int
    /// The SHA-256 of the line before, without its line end.
    package let previous: Digest
    /// The SHA-256 of this line.
    package let hash: Digest
    package let hasMAC: Bool

    /// What the first line of a log names as the line before it.
    package static let beginning = SHA256.hash("sluice audit log v1".utf8Span.span)
    /// The longest line, in bytes.
    package static let byteCountMax = 32 << 10
    /// Of the actor, the address, the subject and a detail's name; and of a detail's value.
    private static let nameByteCountMax = 256
    private static let textByteCountMax = 1024
    /// Details beyond this length of a line are counted, not written. An escape makes six bytes of one.
    private static let detailsByteCountMax = byteCountMax - 6 * (nameByteCountMax + textByteCountMax) - 512
    private static let macSuffixByteCount = 9 + 64 + 2

    // MARK: Writing

    /// Appends a line and its end.
    ///
    /// - Parameter time: the wall clock in nanoseconds since 1970.
    static func write(
        _ event: AuditEvent, number: Int, previous: Digest, time: Int64, key: AuditKey?, into buffer: ByteBuffer
    ) -> AuditLine {
        let line = ByteBuffer(capacity: 512)
        line.append("{\"seq\":" as StaticString)
        line.append(decimal: number)
        line.append(",\"prev\":\"" as StaticString)
        previous.append(hexadecimalTo: line)
        line.append("\",\"time\":\"" as StaticString)
        Timestamp.append(unixNanoseconds: time, to: line)
        line.append("\"" as StaticString)
        append(event, to: line)
        if let key {
            let mac = key.mac(line.span)
            line.append(",\"mac\":\"" as StaticString)
            mac.append(hexadecimalTo: line)
            line.append("\"" as StaticString)
        }
        line.append("}" as StaticString)
        buffer.append(line.span)
        buffer.append(ASCII.lineFeed)
        return AuditLine(
            number: number, previous: previous, hash: SHA256.hash(line.span), hasMAC: key != nil)
    }

    private static func append(_ event: AuditEvent, to line: ByteBuffer) {
        append("event", event.kind.rawValue, to: line)
        append("actor", event.actor, to: line)
        if let address = event.address { append("address", address, to: line) }
        if let subject = event.subject { append("subject", subject, to: line) }
        if event.details.isEmpty { return }
        line.append(",\"detail\":" as StaticString)
        var json = JSONWriter(into: line)
        json.object { json in
            for (index, detail) in event.details.enumerated() {
                if line.count > detailsByteCountMax {
                    json.key("omitted")
                    json.string("\(event.details.count - index)")
                    break
                }
                let name = clipped(detail.name, nameByteCountMax)
                json.key(name.utf8Span.span)
                json.string(clipped(detail.value, textByteCountMax))
            }
        }
    }

    private static func append(_ name: StaticString, _ value: String, to line: ByteBuffer) {
        line.append(",\"" as StaticString)
        line.append(name)
        line.append("\":" as StaticString)
        var json = JSONWriter(into: line)
        json.string(clipped(value, nameByteCountMax))
    }

    private static func clipped(_ text: String, _ longest: Int) -> String {
        if text.utf8.count <= longest { return text }
        var end = text.startIndex
        var count = 0
        for character in text.unicodeScalars {
            count += character.utf8.count
            if count > longest { break }
            end = text.unicodeScalars.index(after: end)
        }
        return text[..<end] + "…"
    }

    // MARK: Reading

    /// - Parameter bytes: a line without its end.
    /// - Returns: `nil` if that is no line of the log.
    package static func read(_ bytes: Span<UInt8>) -> AuditLine? {
        guard bytes.count <= byteCountMax, bytes.count > 8, bytes.extracting(0..<7).equals("{\"seq\":"),
            bytes[bytes.count - 1] == UInt8(ascii: "}")
        else { return nil }
        var at = 7
        var number = 0
        while at < bytes.count, let digit = bytes[at].decimalDigitValue {
            if at > 7 + 15 { return nil }
            number = number * 10 + digit
            at += 1
        }
        guard number > 0, bytes.count - at > 75, bytes.extracting(at..<at + 9).equals(",\"prev\":\""),
            let previous = Digest(hexadecimal: bytes.extracting(at + 9..<at + 73)),
            bytes.extracting(at + 73..<at + 75).equals("\",")
        else { return nil }
        return AuditLine(
            number: number, previous: previous, hash: SHA256.hash(bytes), hasMAC: mac(of: bytes) != nil)
    }

    /// The MAC at a line's end; `nil` if it has none.
    private static func mac(of bytes: Span<UInt8>) -> Digest? {
        let start = bytes.count - macSuffixByteCount + 1
        guard start > 0, bytes.extracting(start..<start + 8).equals(",\"mac\":\""),
            bytes.extracting(bytes.count - 2..<bytes.count).equals("\"}")
        else { return nil }
        return Digest(hexadecimal: bytes.extracting(start + 8..<bytes.count - 2))
    }

    /// Whether a line has a MAC that was made with this key.
    package static func isAuthentic(_ bytes: Span<UInt8>, _ key: AuditKey) -> Bool {
        guard let mac = mac(of: bytes) else { return false }
        return key.mac(bytes.extracting(first: bytes.count - macSuffixByteCount + 1)) == mac
    }
}
