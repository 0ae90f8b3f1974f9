internal import SluiceCore
package import SluiceNet
package import SluiceTLS

/// Where an audit log ends: kept in `audit.head` beside it, and logged now and then, so that lines that are missing at
/// the end are missed. The file also says with which line `audit.jsonl` begins, so that those at its beginning are.
package struct AuditHead: Sendable, Equatable, CustomStringConvertible {
    package let number: Int
    package let hash: Digest

    package init(number: Int, hash: Digest) {
        self.number = number
        self.hash = hash
    }

    /// `12:` and 64 hexadecimal digits.
    package init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count <= 15, let number = Int(parts[0]), number > 0 else { return nil }
        let digits = String(parts[1])
        guard let hash = Digest(hexadecimal: digits.utf8Span.span) else { return nil }
        self.number = number
        self.hash = hash
    }

    package var description: String { "\(number):\(hash.hexadecimal)" }

    private static let byteCountMax = 1024

    /// What a directory's `audit.head` says; `nil` if there is none.
    ///
    /// - Parameter key: if given, a head without this key's MAC counts as none.
    package static func read(
        _ directory: String, _ key: AuditKey?
    ) throws(SystemError) -> (head: AuditHead, fileBegins: Int)? {
        guard let bytes = try AuditFiles.content(directory + "/audit.head", byteCountMax: byteCountMax) else {
            return nil
        }
        let parts = String(decoding: bytes.span).split(whereSeparator: \.isWhitespace)
        guard parts.count >= 2, let head = AuditHead(text: String(parts[0])), let begins = Int(parts[1]) else {
            return nil
        }
        guard let key else { return (head, begins) }
        let mac = key.mac("\(head) \(begins)".utf8Span.span).hexadecimal
        return parts.count == 3 && parts[2] == mac ? (head, begins) : nil
    }

    /// - Parameter begins: the number of the first line in `audit.jsonl`.
    func write(_ directory: String, fileBegins begins: Int, _ key: AuditKey?) throws(SystemError) {
        let text = "\(self) \(begins)"
        let mac = key.map { " " + $0.mac(text.utf8Span.span).hexadecimal } ?? ""
        let line = text + mac + "\n"
        try AuditFiles.replace(directory + "/audit.head", line.utf8Span.span)
    }
}
