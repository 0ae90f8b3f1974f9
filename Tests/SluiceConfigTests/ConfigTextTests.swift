import SluiceConfig
import SluiceCore
import TestSupport
import Testing

@Suite struct `Configuration text` {
    /// The examples of spec.json5.org and the cases around them: the text, and the same value as compact JSON.
    static let accepted: [(text: String, json: String)] = [
        ("{}", "{}"), ("[]", "[]"), ("null", "null"), ("true", "true"), ("false", "false"),
        ("{a:1}", #"{"a": 1}"#), ("{\"a\":1}", #"{"a": 1}"#), ("{'a':1}", #"{"a": 1}"#),
        ("{$_:1,_$:2,a\u{200C}:3}", "{\"$_\": 1, \"_$\": 2, \"a\u{200C}\": 3}"), ("{ùńîċõďë:9}", #"{"ùńîċõďë": 9}"#),
        (#"{\u0061b:1,\u0024\u005F\u005f:2}"#, #"{"ab": 1, "$__": 2}"#),
        ("{abc:1,def:2,}", #"{"abc": 1, "def": 2}"#), ("{a:{b:2}}", #"{"a": {"b": 2}}"#),
        ("[1,]", "[1]"), ("[1,2]", "[1, 2]"), ("[[],[0],[0,1]]", "[[], [0], [0, 1]]"),
        ("0", "0"), ("+1", "1"), ("-1", "-1"), ("-0", "0"), ("+.5", "0.5"), (".5", "0.5"), ("5.", "5"), ("0.", "0"),
        ("1.25", "1.25"), ("1e3", "1000"), ("1E-2", "0.01"), ("1.5e+2", "150"), ("-0.0", "0"), ("1e30", "1e+30"),
        ("0xDECAF", "912559"), ("0XdecaF", "912559"), ("-0xC8", "-200"), ("+0x10", "16"),
        ("9223372036854775807", "9223372036854775807"), ("0x7FFFFFFFFFFFFFFF", "9223372036854775807"),
        ("'abc'", #""abc""#), (#"'a"b'"#, #""a\"b""#), (#""a'b""#, #""a'b""#),
        (#""\b\f\n\r\t\v\0\x0f""#, #""\u0008\u000c\n\r\t\u000b\u0000\u000f""#),
        (#"'\A\C\/\D\C'"#, #""AC/DC""#), (#"'\'\"\\'"#, #""'\"\\""#),
        ("'a\\\nb\\\r\nc\\\rd\\\u{2028}e\\\u{2029}f'", #""abcdef""#),
        (#""\u01fF""#, "\"\u{1FF}\""), (#""\uD83D\uDE00""#, "\"😀\""), ("'\u{2028}\u{2029}'", #""\u2028\u2029""#),
        ("'\t'", #""\t""#), ("\u{FEFF}{}", "{}"), ("\u{A0}\u{3000}\u{B}\u{C}\u{2028}1\u{2003}", "1"),
        ("// a\n1", "1"), ("/* a\n * b **/ 1 // c", "1"), ("{/*a*/b/*c*/:/*d*/1/*e*/,/*f*/}", #"{"b": 1}"#),
        ("1//", "1"),
        ("/***/1", "1"), ("//\r1", "1"),
        ("{null:null,true:false,Infinity:1}", #"{"null": null, "true": false, "Infinity": 1}"#),
    ]

    @Test func `in JSON5 says what the specification says`() throws {
        for (text, json) in Self.accepted {
            let found = try? ConfigText.parse(text)
            #expect(found?.compact == json, "\(text.debugDescription)")
        }
    }

    static let refused: [(text: String, error: String)] = [
        (
            "",
            "1:1: found the end of the text; expected a value: an object, a list, a string, a number, true, false or null"
        ),
        ("{", "1:2: found the end of the text; expected a key, or \"}\" for the object that began at 1:1"),
        (
            "{\n  a: [1,\n  2\n",
            "4:1: found the end of the text; expected \",\", or \"]\" for the list that began at 2:6"
        ),
        ("{,}", "1:2: found \",\"; expected a key, or \"}\" for the object that began at 1:1"),
        ("{a:1,,}", "1:6: found \",\"; expected a key, or \"}\" for the object that began at 1:1"),
        ("[,]", "1:2: found \",\"; expected a value: an object, a list, a string, a number, true, false or null"),
        (
            "{a 1}",
            "1:4: found \"1\"; expected \":\" after the key (a key other than letters, digits, _ and $ needs quotes)"
        ),
        (
            "{x-y:1}",
            "1:3: found \"-\"; expected \":\" after the key (a key other than letters, digits, _ and $ needs quotes)"
        ),
        ("{1a:1}", "1:2: found \"1\"; expected a key, or \"}\" for the object that began at 1:1"),
        ("{a:1 b:2}", "1:6: found \"b\"; expected \",\", or \"}\" for the object that began at 1:1"),
        ("{a:1,\n 'a':2}", "2:2: found the key \"a\" a second time; expected each key of an object once"),
        ("1 2", "1:3: found \"2\"; expected the end of the text after the value that began at 1:1"),
        ("{a: sk-1234}", "1:5: found a word without quotes; expected true, false, null, or quotes around a string"),
        ("[True]", "1:2: found True; expected true, false or null"),
        ("Infinity", "1:1: found Infinity; expected a finite number"),
        ("-Infinity", "1:1: found Infinity; expected a finite number"),
        ("NaN", "1:1: found NaN; expected a finite number"), ("+NaN", "1:1: found NaN; expected a finite number"),
        ("1e999", "1:1: found a large number; expected a number below 1.8e308"),
        ("0x8000000000000000", "1:1: found a large number; expected a hexadecimal number below 0x8000000000000000"),
        ("010", "1:1: found a leading zero; expected a decimal number without one, or a hexadecimal number with 0x"),
        ("0x", "1:3: found the end of the text; expected a hexadecimal digit"),
        ("0xG", "1:3: found \"G\"; expected a hexadecimal digit"),
        (".", "1:2: found the end of the text; expected a digit before or after the decimal point"),
        ("- 1", "1:1: found a sign without a number; expected a number"),
        ("1e", "1:3: found the end of the text; expected the digits of an exponent"),
        ("1.2.3", "1:4: found \".\"; expected the end of the number"),
        ("12ms", "1:3: found \"m\"; expected the end of the number"),
        ("'abc", "1:5: found the end of the text; expected the closing quote of the string that began at 1:1"),
        (
            "\"a\nb\"",
            "1:3: found the end of the line; expected the closing quote of the string that began at 1:1"
                + " (a line break in a string is \\n; a \\ at the end of a line continues the string on the next)"
        ),
        (#"'\1'"#, "1:3: found \"1\"; expected an escape (\\xHH and \\uHHHH write a character by its number)"),
        (#"'\01'"#, "1:4: found \"1\"; expected no digit after \\0"),
        (#"'\x1g'"#, "1:5: found \"g\"; expected 2 hexadecimal digits"),
        (#"'\u12'"#, "1:6: found \"'\"; expected 4 hexadecimal digits"),
        (#"'\uD83D'"#, "1:8: found half of a surrogate pair; expected a character, or both halves of a pair"),
        (
            #"{\u0031:1}"#,
            "1:8: found an escape that is not a letter; expected a letter, a digit, _ or $ in a key without quotes"
        ),
        ("/ 1", "1:2: found \" \"; expected \"/\" or \"*\" to begin a comment"),
        ("1\r\n/* a", "2:5: found the end of the text; expected \"*/\" for the comment that began at 2:1"),
        (
            "{\"é\": “x”}",
            "1:7: found \"“\" (U+201C); expected a value: an object, a list, a string, a number, true, false or null"
        ),
        ("[\u{0}]", "1:2: found U+0000; expected a value: an object, a list, a string, a number, true, false or null"),
    ]

    @Test func `that is not JSON5 is refused with the place, what is there and what may be`() {
        for (text, message) in Self.refused {
            let error = #expect(throws: ConfigSyntaxError.self, "\(text.debugDescription)") {
                try ConfigText.parse(text)
            }
            #expect(error?.description == message, "\(text.debugDescription)")
        }
    }

    @Test func `knows the line and column of every key and value`() throws {
        let value = try ConfigText.parse("{\r\n  é: [1,\n    'x'], /*\n*/ b:\ttrue}")
        guard case .object(let members) = value.kind, case .list(let list) = members[0].value.kind else {
            Issue.record("not an object with a list")
            return
        }
        #expect(members.map(\.location.description) == ["2:3", "4:4"])
        #expect(list.map(\.location.description) == ["2:7", "3:5"])
        #expect(members[1].value.location.description == "4:7")
    }

    @Test func `is bounded in size, depth and length of numbers`() throws {
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try ConfigText.parse(deep(64))
        let tooDeep = #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse(deep(65)) }
        #expect(tooDeep?.description == "1:65: found nesting 65 deep; expected objects and lists at most 64 deep")
        #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse(String(repeating: " ", count: 4 << 20) + "1") }
        #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse(String(repeating: "1", count: 129)) }
        #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse(deep(1_000_000)) }
    }

    @Test func `may not have a key twice, in a large object as in a small one`() throws {
        for count in [1, 15, 16, 17, 40] {
            let keys = (0..<count).map { "k\($0): 1" }.joined(separator: ", ")
            _ = try ConfigText.parse("{\(keys)}")
            for again in Set([0, count / 2, count - 1]) {
                #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse("{\(keys), k\(again): 1}") }
            }
        }
    }

    @Test func `must be UTF-8`() {
        let bytes = Array("{\n a: '".utf8) + [0xC3, 0x28] + Array("'}".utf8)
        let error = #expect(throws: ConfigSyntaxError.self) { try ConfigText.parse(bytes) }
        #expect(error?.description == "2:6: found a byte that is not UTF-8; expected UTF-8 text")
    }

    @Test func `never traps, whatever was changed in it, and what it accepts comes back from canonical JSON`() throws {
        let corpus =
            Self.accepted.map(\.text) + Self.refused.map(\.text) + [
                "{listeners: [{address: '127.0.0.1:0'}], providers: {a: {base_url: \"${X:-http://x}\", api_key: 'file:/k'}}} // end"
            ]
        let spice = Array("{}[]:,'\"\\/*+-.0xeE19aInN_$\n\r\t \u{FEFF}é\u{2028}😀".utf8)
        var acceptedCount = 0
        for seed in SplitMix64.seeds(20_000) {
            var random = SplitMix64(seed)
            var bytes = Array(corpus.randomElement(using: &random)!.utf8)
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let at = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.insert(spice.randomElement(using: &random)!, at: at)
                case 1: if at < bytes.count { bytes.remove(at: at) }
                case 2: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
                default: bytes.insert(contentsOf: Array(corpus.randomElement(using: &random)!.utf8), at: at)
                }
            }
            guard let value = try? ConfigText.parse(bytes) else { continue }
            #expect(try ConfigText.parse(value.json()) == value, "seed \(seed)")
            acceptedCount += 1
        }
        #expect(acceptedCount > 100)
    }
}

extension ConfigValue {
    /// Canonical JSON on one line.
    fileprivate var compact: String {
        json().split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
            .replacing("[ ", with: "[").replacing(" ]", with: "]").replacing("{ ", with: "{").replacing(" }", with: "}")
    }
}
