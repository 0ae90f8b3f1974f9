internal import SluiceCore

/// Reads JSON5, a character ahead. See `ConfigText` for the bounds.
struct ConfigParser {
    let bytes: [UInt8]
    var offset = 0
    private var line = 1
    /// The column of the byte at `columnOffset`, which is on the current line and not after `offset`.
    private var column = 1
    private var columnOffset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(ConfigSyntaxError) -> ConfigValue {
        if bytes.count > ConfigText.byteCountMax {
            throw failure("a text of \(bytes.count) bytes", "at most \(ConfigText.byteCountMax) bytes")
        }
        try checkUTF8()
        try skipTrivia()
        let value = try value(depth: 0)
        try skipTrivia()
        if offset < bytes.count {
            throw unexpected("the end of the text after the value that began at \(value.location)")
        }
        return value
    }

    private mutating func checkUTF8() throws(ConfigSyntaxError) {
        let broken: Int
        do {
            _ = try UTF8Span(validating: bytes.span)
            return
        } catch {
            broken = error.byteOffsets.lowerBound
        }
        while offset < broken {
            let isLineEnd = atLineEnd
            offset += 1
            if isLineEnd { countLine() }
        }
        throw failure("a byte that is not UTF-8", "UTF-8 text")
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(ConfigSyntaxError) -> ConfigValue {
        let start = here()
        switch peek() {
        case UInt8(ascii: "{"): return ConfigValue(.object(try members(depth: depth + 1, from: start)), at: start)
        case UInt8(ascii: "["): return ConfigValue(.list(try elements(depth: depth + 1, from: start)), at: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return ConfigValue(.string(try string()), at: start)
        case let byte? where byte.isDecimalDigit || byte == UInt8(ascii: "."):
            return ConfigValue(try number(), at: start)
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return ConfigValue(try number(), at: start)
        default: return ConfigValue(try word(), at: start)
        }
    }

    private mutating func members(
        depth: Int, from start: ConfigLocation
    ) throws(ConfigSyntaxError) -> [ConfigMember] {
        try enter(depth)
        var members: [ConfigMember] = []
        var seen = SeenKeys()
        while true {
            try skipTrivia()
            if take(UInt8(ascii: "}")) { return members }
            let keyLocation = here()
            let key = try key(closing: start)
            if seen.insert(key, after: members) {
                throw ConfigSyntaxError(
                    location: keyLocation, found: "the key \(ConfigPath.quoted(key)) a second time",
                    expected: "each key of an object once")
            }
            try skipTrivia()
            if !take(UInt8(ascii: ":")) {
                throw unexpected("\":\" after the key (a key other than letters, digits, _ and $ needs quotes)")
            }
            try skipTrivia()
            members.append(ConfigMember(key, try value(depth: depth), at: keyLocation))
            try skipTrivia()
            if take(UInt8(ascii: ",")) { continue }
            if peek() != UInt8(ascii: "}") { throw unexpected("\",\", or \"}\" for the object that began at \(start)") }
        }
    }

    private mutating func elements(
        depth: Int, from start: ConfigLocation
    ) throws(ConfigSyntaxError) -> [ConfigValue] {
        try enter(depth)
        var elements: [ConfigValue] = []
        while true {
            try skipTrivia()
            if take(UInt8(ascii: "]")) { return elements }
            elements.append(try value(depth: depth))
            try skipTrivia()
            if take(UInt8(ascii: ",")) { continue }
            if peek() != UInt8(ascii: "]") { throw unexpected("\",\", or \"]\" for the list that began at \(start)") }
        }
    }

    private mutating func enter(_ depth: Int) throws(ConfigSyntaxError) {
        if depth > ConfigText.depthMax {
            throw failure("nesting \(depth) deep", "objects and lists at most \(ConfigText.depthMax) deep")
        }
        offset += 1
    }

    private mutating func key(closing start: ConfigLocation) throws(ConfigSyntaxError) -> String {
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return try string()
        default:
            if let identifier = try identifier() { return identifier }
            throw unexpected("a key, or \"}\" for the object that began at \(start)")
        }
    }

    /// A word without quotes where a value is expected. A word that means nothing is not repeated in the error.
    private mutating func word() throws(ConfigSyntaxError) -> ConfigValue.Kind {
        let start = here()
        guard let word = try identifier() else {
            throw unexpected("a value: an object, a list, a string, a number, true, false or null")
        }
        switch word {
        case "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "Infinity", "NaN":
            throw ConfigSyntaxError(location: start, found: word, expected: "a finite number")
        case "True", "TRUE", "yes", "on", "False", "FALSE", "no", "off", "None", "nil", "undefined", "Null", "NULL":
            throw ConfigSyntaxError(location: start, found: word, expected: "true, false or null")
        default:
            throw ConfigSyntaxError(
                location: start, found: "a word without quotes",
                expected: "true, false, null, or quotes around a string")
        }
    }

    // MARK: Characters

    func peek(_ ahead: Int = 0) -> UInt8? {
        let index = offset + ahead
        return index < bytes.count ? bytes[index] : nil
    }

    mutating func take(_ byte: UInt8) -> Bool {
        if peek() != byte { return false }
        offset += 1
        return true
    }

    /// LF, CR, or the CR of a CR LF pair: its LF ends the line.
    var atLineEnd: Bool {
        peek() == ASCII.lineFeed || (peek() == ASCII.carriageReturn && peek(1) != ASCII.lineFeed)
    }

    /// Call when `offset` has just passed the end of a line.
    mutating func countLine() {
        line += 1
        column = 1
        columnOffset = offset
    }

    /// Where `offset` is. Counts each byte of a line once, however often it is asked.
    mutating func here() -> ConfigLocation {
        while columnOffset < offset {
            if bytes[columnOffset] & 0xC0 != 0x80 { column += 1 }
            columnOffset += 1
        }
        return ConfigLocation(line: line, column: column)
    }

    /// The character at `offset` and its length in bytes. The text is UTF-8: it has been checked.
    func scalar() -> (value: Unicode.Scalar, length: Int)? {
        guard let first = peek() else { return nil }
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for index in 1..<length { value = value << 6 | UInt32((peek(index) ?? 0) & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    // MARK: Errors

    mutating func failure(_ found: String, _ expected: String) -> ConfigSyntaxError {
        ConfigSyntaxError(location: here(), found: found, expected: expected)
    }

    /// What is at `offset` should not be there.
    mutating func unexpected(_ expected: String) -> ConfigSyntaxError {
        failure(foundHere(), expected)
    }

    private func foundHere() -> String {
        guard let (scalar, _) = scalar() else { return "the end of the text" }
        switch scalar {
        case "\n", "\r", "\u{2028}", "\u{2029}": return "the end of the line"
        case "\"": return "'\"'"
        case " "..."~": return "\"\(scalar)\""
        default:
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            return scalar.properties.generalCategory == .control ? code : "\"\(scalar)\" (\(code))"
        }
    }
}

/// The keys of an object so far. A set costs more than it saves while they are few.
private struct SeenKeys {
    private static let fewMax = 16
    private var set: Set<String> = []

    /// - Returns: whether the key was there before.
    mutating func insert(_ key: String, after members: [ConfigMember]) -> Bool {
        if members.count < Self.fewMax { return members.contains { $0.key == key } }
        if members.count == Self.fewMax { set = Set(members.map(\.key)) }
        return !set.insert(key).inserted
    }
}
