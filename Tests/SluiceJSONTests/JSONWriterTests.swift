// swift-format-ignore-file: DoNotUseSemicolons
import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `Writing JSON` {
    private func written(_ write: (inout JSONWriter) -> Void) -> String {
        let buffer = ByteBuffer()
        var writer = JSONWriter(into: buffer)
        write(&writer)
        return buffer.text
    }

    @Test func `commas and colons stand where they must`() {
        let text = written {
            $0.beginObject()
            $0.key("a")
            $0.array {
                $0.int(1); $0.int(-2); $0.array { _ in }; $0.object { _ in }
            }
            $0.key("b")
            $0.object {
                $0.key("c"); $0.null(); $0.key("d"); $0.bool(true); $0.key("e"); $0.bool(false)
            }
            $0.key("f\"\n".utf8Span.span)
            $0.raw(" [ 1 ] ".utf8Span.span)
            $0.key("g")
            $0.double(0.5)
            $0.endObject()
        }
        #expect(text == #"{"a":[1,-2,[],{}],"b":{"c":null,"d":true,"e":false},"f\"\n": [ 1 ] ,"g":0.5}"#)
    }

    @Test func `it is complete after one whole value`() {
        var writer = JSONWriter(into: ByteBuffer())
        #expect(!writer.isComplete)
        writer.beginArray()
        #expect(!writer.isComplete)
        writer.int(1)
        #expect(!writer.isComplete)
        writer.endArray()
        #expect(writer.isComplete)
    }

    @Test(
        arguments: [
            (Array("plain".utf8), #""plain""#), (Array("\"\\/".utf8), #""\"\\/""#),
            (Array("\n\r\t\u{8}\u{C}\0\u{1F}\u{7F}".utf8), "\"\\n\\r\\t\\b\\f\\u0000\\u001f\u{7F}\""),
            (Array("é中😀\u{2028}".utf8), "\"é中😀\u{2028}\""), ([0x61, 0xFF, 0x62], "\"a\u{FFFD}b\""),
            ([0xE4, 0xB8], "\"\u{FFFD}\u{FFFD}\""), ([0xED, 0xA0, 0x80], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""), ([], "\"\""),
        ] as [([UInt8], String)])
    func `a string has the escapes it needs and is UTF-8`(bytes: [UInt8], expected: String) {
        #expect(written { $0.string(bytes.span) } == expected)
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (-1, "-1.0"), (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"), (.infinity, "null"),
            (-.infinity, "null"),
            (.nan, "null"), (0.30000000000000004, "0.30000000000000004"),
        ] as [(Double, String)])
    func `a double is written as shortly as it can be read back`(number: Double, expected: String) {
        #expect(written { $0.double(number) } == expected)
    }

    @Test func `a string can be put together from parts, escaped or not`() throws {
        let source = #"["a\nb", 5]"#
        let tape = JSONTape()
        try tape.scan(source.utf8Span.span)
        let text = written {
            let root = tape.root(over: source.utf8Span.span)
            $0.beginArray()
            $0.beginString()
            $0.appendToString("x\"".utf8Span.span)
            $0.appendToString(contentsOf: root[0]!)
            $0.appendToString(contentsOf: root[1]!)
            $0.endString()
            $0.value(root)
            $0.endArray()
        }
        #expect(text == #"["x\"a\nb",["a\nb", 5]]"#)
    }

    @Test func `what is written reads back the same`() throws {
        let tape = JSONTape()
        for seed in SplitMix64.seeds(600) {
            var random = SplitMix64(seed)
            let source = Array(RandomJSON.document(using: &random).text.utf8)
            try tape.scan(source.span)
            let value = tape.root(over: source.span)
            let buffer = ByteBuffer()
            var writer = JSONWriter(into: buffer)
            rewrite(value, to: &writer)
            #expect(try Canonical.text(value) == Canonical.textByFoundation(Array(buffer.text.utf8)), "seed \(seed)")
        }
    }

    @Test func `whatever bytes a string is made of, it is valid and says what the standard library reads`() throws {
        let tape = JSONTape()
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            var bytes = Array("ab\"\\\n中文é😀0123456789abcdefghij".utf8)
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let buffer = ByteBuffer()
            var writer = JSONWriter(into: buffer)
            writer.string(bytes.span)
            try tape.scan(buffer.span)
            let read = tape.root(over: buffer.span).string ?? ""
            let expected = String(decoding: bytes, as: UTF8.self)
            // The standard library may make one U+FFFD of several bytes.
            let replaced = Character("\u{FFFD}")
            #expect(read.filter { $0 != replaced } == expected.filter { $0 != replaced }, "seed \(seed)")
        }
    }

    @Test func `a value without a key, a key without a value and an end without a beginning trap in debug builds`()
        async
    {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter(into: ByteBuffer())
            writer.beginObject()
            writer.int(1)
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter(into: ByteBuffer())
            writer.beginObject()
            writer.key("a")
            writer.endObject()
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter(into: ByteBuffer())
            writer.beginArray()
            writer.endObject()
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter(into: ByteBuffer())
            writer.int(1)
            writer.int(2)
        }
    }

    private func rewrite(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value.kind {
        case .object:
            writer.beginObject()
            var members = value.members
            while let member = members.next() {
                writer.key((member.key.string ?? "").utf8Span.span)
                rewrite(member.value, to: &writer)
            }
            writer.endObject()
        case .array:
            writer.beginArray()
            var elements = value.elements
            while let element = elements.next() { rewrite(element, to: &writer) }
            writer.endArray()
        case .string: writer.string(value.string ?? "")
        case .number:
            if let int = value.int { writer.int(int) } else { writer.double(value.double ?? .nan) }
        case .boolean: writer.bool(value.bool == true)
        case .null: writer.null()
        }
    }
}
