import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `Reading JSON` {
    /// A request's buffer and its tape.
    private struct Document {
        let buffer: ByteBuffer
        let tape = JSONTape()
        init(_ text: String) throws {
            buffer = ByteBuffer(text)
            try tape.scan(buffer.span)
        }
        func read<T>(_ body: (JSONValue) throws -> T) rethrows -> T {
            let buffer = buffer
            let tape = tape
            return try body(tape.root(over: buffer.span))
        }
    }

    @Test func `members and elements are found by name and position`() throws {
        try Document(RFC8259.image).read { root in
            #expect(root["Image"]?["Title"]?.equals("View from 15th Floor") == true)
            #expect(root["Image"]?["Thumbnail"]?["Height"]?.int == 125)
            #expect(root["Image"]?["Animated"]?.bool == false)
            #expect(root["Image"]?["IDs"]?[3]?.int == 38793)
            #expect(root["Image"]?["IDs"]?[4] == nil && root["Image"]?["IDs"]?[-1] == nil)
            #expect(root["image"] == nil && root["Image"]?["Url"] == nil)
            #expect(root["Image"]?["Title"]?["x"] == nil && root[0] == nil)
            #expect(
                root["Image"]?.count == 6 && root["Image"]?["IDs"]?.count == 4 && root["Image"]?["Title"]?.count == 0)
        }
    }

    @Test func `members come in the order of the document`() throws {
        try Document(#"{"b":1,"a":[{"x":2},3],"c":{},"d":[]}"#).read { root in
            var names: [String] = []
            var texts: [String] = []
            var members = root.members
            while let member = members.next() {
                names.append(member.key.string ?? "?")
                texts.append(String(decoding: root.rawBytes.extracting(member.range)))
            }
            #expect(names == ["b", "a", "c", "d"])
            #expect(texts == [#""b":1"#, #""a":[{"x":2},3]"#, #""c":{}"#, #""d":[]"#])
            var none = root["a"]!.members
            let hasMembers = none.next() != nil
            #expect(!hasMembers)
        }
    }

    @Test(arguments: ["model", #"mod\u0065l"#, #"\u006d\u006F\u0064\u0065\u006c"#])
    func `a key is the same however it is escaped`(spelling: String) throws {
        try Document(#"{"mode":0,"modem":1,"\#(spelling)":2,"modell":3}"#).read { root in
            #expect(root["model"]?.int == 2)
            #expect(root.count(of: "model") == 1)
            #expect(root[key: "model".utf8Span.span]?.int == 2)
        }
    }

    @Test func `of several members with one name the last one counts, and all are counted`() throws {
        try Document(#"{"model":"a","x":1,"mod\u0065l":"b"}"#).read { root in
            #expect(root["model"]?.equals("b") == true)
            #expect(root.count(of: "model") == 2 && root.count(of: "x") == 1 && root.count(of: "y") == 0)
        }
    }

    @Test(arguments: [
        (#""""#, ""), (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u4E2D""#, "é中"),
        (#""\ud83d\ude00""#, "😀"), (#""\uD83Dx""#, "\u{FFFD}x"), (#""\uDE00\uD83D""#, "\u{FFFD}\u{FFFD}"),
        (#""\uD83D\uD83D\uDE00""#, "\u{FFFD}😀"), (#""\uD83D\n""#, "\u{FFFD}\n"), (#""a\u0000b""#, "a\0b"),
        (#""中\n文😀""#, "中\n文😀"), (#""\uD83D\u0041""#, "\u{FFFD}A"),
    ])
    func `a string is read without its escapes`(text: String, expected: String) throws {
        try Document(text).read { root in
            #expect(root.string == expected)
            let isItself = root.equals(expected.utf8Span.span)
            let isLonger = root.equals((expected + "x").utf8Span.span)
            let isShorter = root.equals(String(expected.unicodeScalars.dropLast()).utf8Span.span)
            #expect(isItself && !isLonger && isShorter == expected.isEmpty)
            let buffer = ByteBuffer("x")
            #expect(root.appendString(to: buffer) && buffer.text == "x" + expected)
            let isPlain = root.unescapedBytes != nil
            #expect(isPlain == !text.contains("\\"))
            let escaped = root.escapedBytes!
            #expect(escaped.count == text.utf8.count - 2)
        }
    }

    @Test func `what is not of the kind asked for is nil`() throws {
        try Document(#"[1, "1", null, true, {}, []]"#).read { root in
            #expect(root[0]?.string == nil && root[0]?.bool == nil && root[0]?.kind == .number)
            #expect(root[1]?.int == nil && root[1]?.double == nil && root[1]?.kind == .string)
            #expect(root[2]?.isNull == true && root[2]?.kind == .null && root[2]?.bool == nil)
            #expect(root[3]?.bool == true && root[3]?.kind == .boolean && root[3]?.isNull == false)
            #expect(root[4]?.isObject == true && root[4]?.equals("") == false)
            #expect(root[5]?.isArray == true && root[5]?.appendString(to: ByteBuffer()) == false)
            let hasBytes = root[0]?.unescapedBytes != nil || root[0]?.escapedBytes != nil
            #expect(!hasBytes)
        }
    }

    @Test func `a node finds its value again, over the same bytes elsewhere`() throws {
        let document = try Document(RFC8259.image)
        let node = document.read { $0["Image"]!["IDs"]!.node }
        let copy = ByteBuffer(RFC8259.image)
        let tape = document.tape
        let value = tape.value(node, over: copy.span)
        #expect(value[1]?.int == 943)
        #expect(String(decoding: value.rawBytes) == "[116, 943, 234, 38793]")
    }

    @Test func `a value over other bytes or after another scan is a mistake that traps`() async {
        await #expect(processExitsWith: .failure) {
            let tape = JSONTape()
            try tape.scan("[1]".utf8Span.span)
            _ = tape.root(over: "[12]".utf8Span.span).kind
        }
        await #expect(processExitsWith: .failure) {
            let tape = JSONTape()
            try tape.scan("[1]".utf8Span.span)
            let node = tape.root(over: "[1]".utf8Span.span).node
            try tape.scan("[2]".utf8Span.span)
            _ = tape.value(node, over: "[2]".utf8Span.span).kind
        }
    }
}

@Suite struct `JSON numbers` {
    @Test(arguments: [
        ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("1.0", 1), ("1e2", 100), ("1.5e1", 15), ("70e-1", 7), ("0.0", 0),
        ("0e999999", 0),
        ("100e-2", 1), ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
        ("9223372036854775808", nil),
        ("-9223372036854775809", nil), ("1.5", nil), ("1e-1", nil), ("1e19", nil), ("1e18", 1_000_000_000_000_000_000),
        ("18446744073709551616", nil), ("99999999999999999999", nil), ("0.1e1", 1), ("0.001e3", 1), ("1E+2", 100),
        ("1e999999999999999999999", nil), ("1e-999999999999999999999", nil),
        ("123456789012345678901234567890e-11", nil),
        ("1000000000000000000000000e-24", 1), ("10.10e1", 101), ("922337203685477580.70e1", Int.max),
        ("10000000000000000000000000000000000000001", nil),
    ])
    func `a whole number is read however it is written, and nothing else is`(text: String, expected: Int?) throws {
        let tape = JSONTape()
        try tape.scan(text.utf8Span.span)
        let int = tape.root(over: text.utf8Span.span).int
        #expect(int == expected)
    }

    @Test(
        arguments: [
            ("0", 0.0), ("0.1", 0.1), ("-0.7", -0.7), ("1e22", 1e22), ("1e23", 1e23),
            ("9007199254740993", 9_007_199_254_740_992),
            ("9007199254740993.00000000000000000000000000001", 9_007_199_254_740_994),
            ("5e-324", .leastNonzeroMagnitude),
            ("1e-400", 0),
            ("1.7976931348623157e308", .greatestFiniteMagnitude),
            ("2.2250738585072011e-308", .leastNormalMagnitude.nextDown),
            ("123456789012345678901234567890", 1.2345678901234568e29), ("1e400", nil), ("-1e400", nil),
        ] as [(String, Double?)])
    func `a double is the nearest one`(text: String, expected: Double?) throws {
        let tape = JSONTape()
        try tape.scan(text.utf8Span.span)
        let double = tape.root(over: text.utf8Span.span).double
        #expect(double == expected)
    }

    @Test func `minus zero keeps its sign`() throws {
        let tape = JSONTape()
        try tape.scan("-0.0".utf8Span.span)
        let double = tape.root(over: "-0.0".utf8Span.span).double
        #expect(double?.sign == .minus)
    }

    @Test func `random numbers are read as the standard library reads them`() throws {
        let tape = JSONTape()
        for seed in SplitMix64.seeds(3000) {
            var random = SplitMix64(seed)
            let digits = String(
                UInt64.random(in: 0...(.max >> UInt64.random(in: 0..<64, using: &random)), using: &random))
            var text = (Bool.random(using: &random) ? "-" : "") + digits
            if Bool.random(using: &random) { text += "." + String(UInt32.random(in: 0...9_999, using: &random)) }
            if Bool.random(using: &random) { text += "e" + String(Int.random(in: -40...40, using: &random)) }
            try tape.scan(text.utf8Span.span)
            let double = tape.root(over: text.utf8Span.span).double
            #expect(double == Double(text), "seed \(seed): \(text)")
        }
    }
}
