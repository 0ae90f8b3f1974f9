package import SluiceCore

/// Takes out of a text what names or unlocks: credentials and keys, e-mail addresses, telephone numbers, numbers of
/// identity cards, accounts and credit cards. What it finds becomes `[redacted:KIND]`; everything else stays byte for
/// byte.
///
/// It errs on the side of taking out. It is no anonymiser: names and addresses in words stay.
package enum Redactor {
    private static let prefixes: [(StaticString, Int)] = [
        // Prefixes of credentials, and how much must follow.
        ("sk-", 8), ("sk_", 8), ("pk_", 12), ("rk_", 12), ("slk_", 8), ("sluice_", 12), ("ghp_", 16), ("gho_", 16),
        ("ghs_", 16),
        ("github_pat_", 16), ("glpat-", 12), ("xoxb-", 8), ("xoxp-", 8), ("AKIA", 12), ("ASIA", 12), ("AIza", 20),
        ("ya29.", 16), ("eyJ", 30), ("hf_", 16), ("gsk_", 16), ("xai-", 16), ("AKID", 12), ("LTAI", 10),
        ("sealed:v1:", 16),
    ]
    /// Words after which a value is a secret: `"api_key": "…"`, `password=…`, `Bearer …`.
    private static let words: [StaticString] = [
        "password", "passwd", "secret", "api_key", "api-key", "apikey", "access_token", "refresh_token",
        "client_secret",
        "authorization", "private_key",
    ]

    private static let keyByteCountMax = 8192

    /// Appends the text to `buffer`, without what it names.
    package static func redact(_ text: Span<UInt8>, into buffer: ByteBuffer) {
        buffer.reserve(text.count)
        var at = 0
        var kept = 0
        while at < text.count {
            guard let found = match(text, at) else {
                at += 1
                continue
            }
            // An address may begin in what was taken out already.
            buffer.append(text.extracting(kept..<max(kept, found.range.lowerBound)))
            buffer.append("[redacted:" as StaticString)
            buffer.append(found.kind)
            buffer.append(UInt8(ascii: "]"))
            at = found.range.upperBound
            kept = at
        }
        buffer.append(text.extracting(kept..<text.count))
    }

    private struct Match {
        let kind: StaticString
        let range: Range<Int>
    }

    private static func match(_ text: Span<UInt8>, _ at: Int) -> Match? {
        let byte = text[at]
        if byte == UInt8(ascii: "@") { return email(text, at) }
        if byte == UInt8(ascii: "-") { return privateKey(text, at) }
        let startsWord = at == 0 || !isWord(text[at - 1])
        guard startsWord else { return nil }
        if byte.isDecimalDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "(") { return number(text, at) }
        guard byte.isASCIILetter else { return nil }
        return credential(text, at) ?? bearer(text, at) ?? assigned(text, at)
    }

    // MARK: Credentials

    private static func credential(_ text: Span<UInt8>, _ at: Int) -> Match? {
        for (prefix, least) in prefixes where has(prefix, text, at, ignoringCase: false) {
            let start = at + prefix.utf8CodeUnitCount
            let end = token(text, start)
            if end - start >= least { return Match(kind: "credential", range: at..<end) }
        }
        return nil
    }

    /// A key in PEM (RFC 7468), whatever its kind.
    private static func privateKey(_ text: Span<UInt8>, _ at: Int) -> Match? {
        guard has("-----BEGIN ", text, at, ignoringCase: false) else { return nil }
        let limit = min(text.count, at + keyByteCountMax)
        var end = at + 11
        while end < limit, !has("-----END ", text, end, ignoringCase: false) { end += 1 }
        return end < limit ? Match(kind: "credential", range: at..<end) : nil
    }

    /// `Bearer` and a token of some length (RFC 6750).
    private static func bearer(_ text: Span<UInt8>, _ at: Int) -> Match? {
        guard has("bearer ", text, at, ignoringCase: true) else { return nil }
        let start = at + 7
        let end = token(text, start)
        return end - start >= 8 ? Match(kind: "credential", range: start..<end) : nil
    }

    /// A word for a secret, and its value: in JSON, within a JSON string, or in a command.
    private static func assigned(_ text: Span<UInt8>, _ at: Int) -> Match? {
        guard let word = words.first(where: { has($0, text, at, ignoringCase: true) }) else { return nil }
        var start = at + word.utf8CodeUnitCount
        let limit = min(text.count, start + 8)
        var isAssigned = false
        while start < limit {
            switch text[start] {
            case UInt8(ascii: ":"), UInt8(ascii: "="): isAssigned = true
            case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "'"): break
            default:
                guard isAssigned else { return nil }
                let end = value(text, start)
                return end - start >= 4 ? Match(kind: "credential", range: start..<end) : nil
            }
            start += 1
        }
        return nil
    }

    private static func has(_ word: StaticString, _ text: Span<UInt8>, _ at: Int, ignoringCase: Bool) -> Bool {
        let count = word.utf8CodeUnitCount
        guard text.count - at >= count else { return false }
        let part = text.extracting(at..<at + count)
        return ignoringCase ? ASCII.equalsIgnoringCase(part, word) : part.equals(word)
    }

    private static func token(_ text: Span<UInt8>, _ start: Int) -> Int {
        var end = start
        while end < text.count, isToken(text[end]) { end += 1 }
        return end
    }

    /// To a quote, a space, an escape or a bracket.
    private static func value(_ text: Span<UInt8>, _ start: Int) -> Int {
        var end = start
        while end < text.count, text[end] > 0x20, text[end] != UInt8(ascii: "\""), text[end] != UInt8(ascii: "\\"),
            text[end] != UInt8(ascii: ","), text[end] != UInt8(ascii: "}"), text[end] != UInt8(ascii: "'")
        { end += 1 }
        return end
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        isWord(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "_")
    }

    // MARK: Addresses and numbers

    /// Around an `@`: what goes before it is back to the first byte that no address has. What is before may be kept
    /// already.
    private static func email(_ text: Span<UInt8>, _ at: Int) -> Match? {
        func isLocal(_ byte: UInt8) -> Bool {
            isWord(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
        }
        var start = at
        while start > 0, at - start < 64, isLocal(text[start - 1]) { start -= 1 }
        var end = at + 1
        var lastDot: Int?
        while end < text.count, end - at < 254, isLocal(text[end]) {
            if text[end] == UInt8(ascii: ".") { lastDot = end }
            end += 1
        }
        guard start < at, let lastDot, lastDot > at + 1, end - lastDot > 2 else { return nil }
        return Match(kind: "email", range: start..<end)
    }

    /// A run of digits with what people put between them: 15 or 18 as on identity cards, 13 to 19 as on credit cards, 9
    /// to 15 with a `+` or in groups as of telephones.
    private static func number(_ text: Span<UInt8>, _ at: Int) -> Match? {
        var end = at
        var digits = 0
        var groups = 1
        var lastDigit = at
        while end < text.count, end - at < 32 {
            let byte = text[end]
            if byte.isDecimalDigit {
                digits += 1
                lastDigit = end
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "(")
                || byte == UInt8(ascii: ")")
            {
                if end > at, end == lastDigit + 1 { groups += 1 }
                if end > lastDigit + 2 { break }
            } else if byte != UInt8(ascii: "+") || end != at {
                break
            }
            end += 1
        }
        end = lastDigit + 1
        // A Chinese identity number may end with X (GB 11643-1999).
        if digits == 17, end < text.count, text[end] | 0x20 == UInt8(ascii: "x") {
            return Match(kind: "id_number", range: at..<end + 1)
        }
        if end < text.count, isWord(text[end]) || text[end] == UInt8(ascii: ".") && digits < 11 { return nil }
        if isSocialSecurity(text, at, end) { return Match(kind: "id_number", range: at..<end) }
        if digits == 18 || digits == 15 && groups == 1 { return Match(kind: "id_number", range: at..<end) }
        if 13...19 ~= digits { return Match(kind: "card_number", range: at..<end) }
        let isMobile = digits == 11 && text[at] == UInt8(ascii: "1")
        if isMobile || 9...15 ~= digits && (text[at] == UInt8(ascii: "+") || groups >= 3) {
            return Match(kind: "phone", range: at..<end)
        }
        return nil
    }

    /// `123-45-6789`.
    private static func isSocialSecurity(_ text: Span<UInt8>, _ at: Int, _ end: Int) -> Bool {
        end - at == 11 && text[at + 3] == UInt8(ascii: "-") && text[at + 6] == UInt8(ascii: "-")
    }
}
