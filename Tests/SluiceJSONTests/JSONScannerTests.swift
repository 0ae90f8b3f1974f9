import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `Scanning JSON` {
    @Test(arguments: [
        RFC8259.image, RFC8259.places, #""Hello world!""#, "42", "true", " \t\r\n[ ] \n", "{}", "-0.0e-0",
        #""\uD834\uDD1E""#,
    ])
    func `the examples of RFC 8259 are accepted`(text: String) {
        #expect(Corpus.verdict(Array(text.utf8)) == "accepted")
    }

    @Test(arguments: [
        ("", JSONError(.unexpectedEnd, at: 0)), ("  ", JSONError(.unexpectedEnd, at: 2)),
        ("[1,]", JSONError(.valueExpected, at: 3)), ("[,1]", JSONError(.valueExpected, at: 1)),
        ("{,}", JSONError(.keyExpected, at: 1)), (#"{"a":1,}"#, JSONError(.keyExpected, at: 7)),
        (#"{"a" 1}"#, JSONError(.colonExpected, at: 5)), (#"{"a":1 "b"}"#, JSONError(.memberEndExpected, at: 7)),
        (#"{"a":1]"#, JSONError(.memberEndExpected, at: 6)), ("[1}", JSONError(.elementEndExpected, at: 2)),
        ("[1", JSONError(.unexpectedEnd, at: 2)), ("[1]]", JSONError(.trailingBytes, at: 3)),
        ("{} x", JSONError(.trailingBytes, at: 3)), ("nul", JSONError(.invalidLiteral, at: 0)),
        ("[falsy]", JSONError(.invalidLiteral, at: 1)), ("nulll", JSONError(.trailingBytes, at: 4)),
        ("01", JSONError(.invalidNumber, at: 1)), ("-", JSONError(.unexpectedEnd, at: 1)),
        ("-a", JSONError(.invalidNumber, at: 1)), ("1.", JSONError(.unexpectedEnd, at: 2)),
        ("1.x", JSONError(.invalidNumber, at: 2)), ("1e+]", JSONError(.invalidNumber, at: 3)),
        ("+1", JSONError(.valueExpected, at: 0)), (".5", JSONError(.valueExpected, at: 0)),
        (#""\x""#, JSONError(.invalidEscape, at: 2)), (#""\u12g4""#, JSONError(.invalidEscape, at: 5)),
        ("\"a\nb\"", JSONError(.controlCharacter, at: 2)), ("\"\0\"", JSONError(.controlCharacter, at: 1)),
        ("\"abc", JSONError(.unexpectedEnd, at: 4)), ("\"abc\\", JSONError(.unexpectedEnd, at: 5)),
        ("\u{FEFF}{}", JSONError(.byteOrderMark, at: 0)), ("\0", JSONError(.valueExpected, at: 0)),
        ("[1]\0", JSONError(.trailingBytes, at: 3)), ("'a'", JSONError(.valueExpected, at: 0)),
    ])
    func `an error says what was expected and where`(text: String, error: JSONError) {
        #expect(throws: error) { try JSONTape().scan(text.utf8Span.span) }
    }

    @Test func `every kind of error has a sentence of its own`() {
        let sentences = Set(JSONError.Kind.allCases.map { JSONError($0, at: 7).description })
        #expect(sentences.count == JSONError.Kind.allCases.count)
        #expect(sentences.contains("a colon was expected at byte 7"))
    }

    @Test func `a document cut off anywhere is refused at its end or where the cut made a word wrong`() {
        let bytes = Array(RFC8259.image.utf8)
        let tape = JSONTape()
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: JSONError.self, "\(count) bytes") { try tape.scan(part.span) }
            #expect(tape.isEmpty)
        }
    }

    @Test func `a string ends at the first quotation mark, wherever it stands`() throws {
        let tape = JSONTape()
        for length in 0..<70 {
            for lead in 0..<17 {
                let text = String(repeating: " ", count: lead) + "[\"" + String(repeating: "x", count: length) + "\",1]"
                let bytes = Array(text.utf8)
                try tape.scan(bytes.span)
                let string = tape.root(over: bytes.span)[0]
                #expect(string?.range == lead + 1..<lead + 3 + length)
            }
        }
    }

    @Test func `a byte that cannot stand in a string is found wherever it stands`() {
        for length in 0..<40 {
            for at in 0..<length {
                for (byte, kind) in [(0x1F, .controlCharacter), (0x80, .invalidUTF8), (0xFF, .invalidUTF8)]
                    as [(UInt8, JSONError.Kind)]
                {
                    var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                    bytes[at] = byte
                    let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
                    #expect(throws: JSONError(kind, at: at + 1)) { try JSONTape().scan(text.span) }
                }
            }
        }
    }

    @Test func `a tape serves one document after another, and an error empties it`() throws {
        let tape = JSONTape()
        try tape.scan("[1,2,3]".utf8Span.span)
        #expect(!tape.isEmpty && tape.byteCount == 7)
        #expect(throws: JSONError.self) { try tape.scan("[1,2,3".utf8Span.span) }
        #expect(tape.isEmpty && tape.byteCount == 0)
        let many = "[" + String(repeating: "1,", count: 50_000) + "1]"
        try tape.scan(many.utf8Span.span)
        let count = tape.root(over: many.utf8Span.span).count
        #expect(count == 50_001)
        try tape.scan("{}".utf8Span.span)
        let isObject = tape.root(over: "{}".utf8Span.span).isObject
        #expect(isObject)
    }
}

@Suite struct `Bounds of a document` {
    @Test func `its depth`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        try JSONTape().scan(nested(128).utf8Span.span)
        #expect(throws: JSONError(.tooDeep, at: 128)) { try JSONTape().scan(nested(129).utf8Span.span) }
        #expect(throws: JSONError(.tooDeep, at: 128)) {
            try JSONTape().scan(String(repeating: "[", count: 1_000_000).utf8Span.span)
        }
        var limits = JSONLimits()
        limits.depthMax = 2
        try JSONTape().scan(#"[{"a":1},{"b":2},[3]]"#.utf8Span.span, limits: limits)
        #expect(throws: JSONError(.tooDeep, at: 6)) {
            try JSONTape().scan(#"[{"a":[]}]"#.utf8Span.span, limits: limits)
        }
        limits.depthMax = 0
        try JSONTape().scan("1".utf8Span.span, limits: limits)
        #expect(throws: JSONError(.tooDeep, at: 0)) { try JSONTape().scan("{}".utf8Span.span, limits: limits) }
    }

    @Test func `its length`() throws {
        var limits = JSONLimits()
        limits.byteCountMax = 4
        try JSONTape().scan("1234".utf8Span.span, limits: limits)
        #expect(throws: JSONError(.tooLong, at: 4)) { try JSONTape().scan("12345".utf8Span.span, limits: limits) }
    }

    @Test(arguments: [1, 63, 64, 65, 1000]) func `its values and keys`(limit: Int) throws {
        var limits = JSONLimits()
        limits.entryCountMax = limit
        let fits = "[" + Array(repeating: "1", count: limit - 1).joined(separator: ",") + "]"
        try JSONTape().scan(fits.utf8Span.span, limits: limits)
        let more = "[" + Array(repeating: "1", count: limit).joined(separator: ",") + "]"
        #expect { try JSONTape().scan(more.utf8Span.span, limits: limits) } throws: {
            ($0 as? JSONError)?.kind == .tooManyEntries
        }
    }
}

enum RFC8259 {
    /// §13, the first example.
    static let image = """
        {
          "Image": {
              "Width":  800,
              "Height": 600,
              "Title":  "View from 15th Floor",
              "Thumbnail": {
                  "Url":    "http://www.example.com/image/481989943",
                  "Height": 125,
                  "Width":  100
              },
              "Animated" : false,
              "IDs": [116, 943, 234, 38793]
            }
        }
        """

    /// §13, the second example.
    static let places = """
        [
          {
             "precision": "zip",
             "Latitude":  37.7668,
             "Longitude": -122.3959,
             "Address":   "",
             "City":      "SAN FRANCISCO",
             "State":     "CA",
             "Zip":       "94107",
             "Country":   "US"
          },
          {
             "precision": "zip",
             "Latitude":  37.371991,
             "Longitude": -122.026020,
             "Address":   "",
             "City":      "SUNNYVALE",
             "State":     "CA",
             "Zip":       "94085",
             "Country":   "US"
          }
        ]
        """
}
