/// A name, or text with one `*` in it that stands for any text, even none.
package struct NamePattern: Sendable, Hashable {
    package let text: String
    private let prefix: String
    /// `nil`: there is no star.
    private let suffix: String?

    package init(_ text: String) {
        self.text = text
        if let star = text.firstIndex(of: "*") {
            prefix = String(text[..<star])
            suffix = String(text[text.index(after: star)...])
        } else {
            prefix = text
            suffix = nil
        }
    }

    /// How much of a name it fixes, in bytes: of two patterns that match, the one that fixes more is the more specific.
    package var literalByteCount: Int { prefix.utf8.count + (suffix?.utf8.count ?? 0) }
    package var hasStar: Bool { suffix != nil }

    package func matches(_ name: String) -> Bool {
        // By bytes: two spellings of one letter are two names.
        let bytes = name.utf8
        guard let suffix else { return bytes.elementsEqual(prefix.utf8) }
        return bytes.count >= literalByteCount && bytes.starts(with: prefix.utf8)
            && bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// What the star stands for in a name that matches; `nil` if there is no star, or if it does not match.
    package func rest(of name: String) -> String? {
        guard let suffix, matches(name) else { return nil }
        let bytes = name.utf8
        let start = bytes.index(bytes.startIndex, offsetBy: prefix.utf8.count)
        let end = bytes.index(bytes.endIndex, offsetBy: -suffix.utf8.count)
        return String(name[start..<end])
    }

    /// The pattern with something in place of its star.
    package func filled(with rest: String) -> String { suffix.map { prefix + rest + $0 } ?? text }
}
