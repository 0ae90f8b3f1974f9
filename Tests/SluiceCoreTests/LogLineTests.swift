import SluiceCore
import Testing

@Suite struct `A line of the log` {
    private func line(_ value: String) -> String {
        let buffer = ByteBuffer()
        let line = LogLine(.info, "message", unixNanoseconds: 0, into: buffer)
        line.field("a", value)
        line.end()
        return buffer.text
    }

    private func written(_ value: String) -> Substring? {
        let line = line(value)
        guard let start = line.range(of: #""a":""#) else { return nil }
        return line[start.upperBound...].dropLast(3)
    }

    @Test func `has its fields in their order`() {
        let buffer = ByteBuffer()
        let line = LogLine(.warn, "hello", unixNanoseconds: 1_000_000_000, into: buffer)
        line.field("text", "a b")
        line.field("constant", constant: "c")
        line.field("number", -12)
        line.field("digit", 7)
        line.field("flag", true)
        line.field("time", milliseconds: .microseconds(12_034))
        line.end()
        #expect(
            buffer.text
                == #"{"@timestamp":"1970-01-01T00:00:01.000Z","log.level":"warn","message":"hello","text":"a b","constant":"c","number":-12,"digit":7,"flag":true,"time":12.034}"#
                + "\n")
    }

    @Test func `escapes what ends a string or a line, wherever it stands`() {
        let escapes: [(Character, String)] = [
            ("\"", #"\""#), ("\\", #"\\"#), ("\n", #"\n"#), ("\r", #"\r"#), ("\t", #"\t"#), ("\u{0}", #"\u0000"#),
            ("\u{1F}", #"\u001f"#), ("\u{7F}", #"\u007f"#), ("é", "é"), ("\u{85}", #"\u0085"#),
        ]
        for (character, escaped) in escapes {
            for count in 1..<28 {
                for place in 0..<count {
                    var text = Array(repeating: Character("x"), count: count)
                    text[place] = character
                    let expected = text.map { $0 == character ? escaped : String($0) }.joined()
                    #expect(written(String(text)) ?? "" == expected, "\(escaped) at \(place) of \(count)")
                }
            }
        }
    }

    @Test func `keeps every other character of ASCII as it is`() {
        let plain = String(decoding: (0x20...0x7E).filter { $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
        for start in 0..<8 { #expect(written(String(plain.dropFirst(start))) ?? "" == plain.dropFirst(start)) }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
