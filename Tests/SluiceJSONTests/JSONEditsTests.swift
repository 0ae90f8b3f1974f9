// swift-format-ignore-file: DoNotUseSemicolons
import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `Editing JSON` {
    /// Applies edits, and checks that the queued and the copied result and the announced length agree.
    private func edited(_ text: String, _ edit: (inout JSONEdits, JSONValue) -> Void) throws -> String {
        let buffer = ByteBuffer("HEAD" + text)
        let bytes = buffer.span.extracting(4..<buffer.count)
        let tape = JSONTape()
        try tape.scan(bytes)
        var edits = JSONEdits()
        let root = tape.root(over: bytes)
        edit(&edits, root)
        let splices = edits.splices(over: root)
        let copy = ByteBuffer()
        splices.append(to: copy, from: bytes)
        let queue = ByteQueue()
        splices.append(to: queue, sharing: buffer, from: 4)
        #expect(queue.contents == copy.text && copy.count == splices.byteCount)
        return copy.text
    }

    @Test func `nothing changed is nothing changed`() throws {
        #expect(try edited(RFC8259.image) { _, _ in } == RFC8259.image)
    }

    @Test func `a value is replaced and all else stays as it was`() throws {
        let text = " { \"model\" : \"gpt\" ,\n \"n\":1.00, \"x\":[ 1 ,2 ] } "
        let result = try edited(text) { edits, root in
            edits.replace(root["model"]!) { $0.string("claude" as StaticString) }
            edits.replace(root["x"]![1]!) { $0.null() }
        }
        #expect(result == " { \"model\" : \"claude\" ,\n \"n\":1.00, \"x\":[ 1 ,null ] } ")
    }

    @Test(arguments: [
        ("{}", #"{"z":1}"#), ("{ }", #"{"z":1 }"#), (#"{"a":2}"#, #"{"a":2,"z":1}"#),
        (#"{ "a":2 }"#, #"{ "a":2,"z":1 }"#),
        (#"{"z":2}"#, #"{"z":1}"#), (#"{"z":2,"a":0,"\u007a":3}"#, #"{"a":0,"\u007a":1}"#),
    ])
    func `a member is set`(text: String, expected: String) throws {
        #expect(try edited(text) { $0.set("z", in: $1) { $0.int(1) } } == expected)
    }

    @Test(arguments: [
        (#"{"z":1}"#, "{}"), (#"{ "z":1 }"#, "{  }"), (#"{"z":1,"a":2}"#, #"{"a":2}"#),
        (#"{"a":2,"z":1}"#, #"{"a":2}"#),
        (#"{ "a":2 , "z":1 , "b":3 }"#, #"{ "a":2 , "b":3 }"#), (#"{"z":1,"z":2}"#, "{}"),
        (#"{"z":1,"a":0,"z":2}"#, #"{"a":0}"#),
        (#"{"z":1, "z":2, "a":0}"#, #"{"a":0}"#), (#"{"a":0, "z":1, "z":2}"#, #"{"a":0}"#), ("{}", "{}"),
    ])
    func `a member is removed with one comma`(text: String, expected: String) throws {
        #expect(try edited(text) { $0.remove("z", from: $1) } == expected)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2}"#, #"{"x":1,"y":2}"#), (#"{"a":1,"c":3,"b":2}"#, #"{"c":3,"x":1,"y":2}"#),
        (#"{"c":3}"#, #"{"c":3,"x":1,"y":2}"#), (#"{"a":1}"#, #"{"x":1,"y":2}"#),
        (#"{"b":{},"a":1,"c":3}"#, #"{"c":3,"x":1,"y":2}"#),
    ])
    func `members are removed from and added to one object`(text: String, expected: String) throws {
        let result = try edited(text) { edits, root in
            edits.set("x", in: root) { $0.int(1) }
            edits.remove("a", from: root)
            edits.remove("b", from: root)
            edits.set("y", in: root) { $0.int(2) }
        }
        #expect(result == expected)
    }

    @Test func `the last call about a member wins`() throws {
        let text = #"{"a":1,"b":2}"#
        #expect(
            try edited(text) {
                $0.remove("a", from: $1); $0.set("a", in: $1) { $0.int(3) }
            } == #"{"a":3,"b":2}"#)
        #expect(
            try edited(text) {
                $0.set("a", in: $1) { $0.int(3) }; $0.remove("a", from: $1)
            } == #"{"b":2}"#)
        #expect(
            try edited(text) {
                $0.set("c", in: $1) { $0.int(3) }; $0.remove("c", from: $1)
            } == text)
        let twice = try edited(text) { edits, root in
            for number in [3, 4] { edits.set("c", in: root) { $0.int(number) } }
            for number in [5, 6] { edits.set("b", in: root) { $0.int(number) } }
        }
        #expect(twice == #"{"a":1,"b":6,"c":4}"#)
    }

    @Test func `one of several members with a name can be removed alone`() throws {
        let result = try edited(#"{"a":1,"a":2,"a":3}"#) { edits, root in
            var members = root.members
            while let member = members.next() { if member.value.int == 2 { edits.remove(member) } }
        }
        #expect(result == #"{"a":1,"a":3}"#)
    }

    @Test(arguments: [
        ("{}", #"{"o":{"p":{"q":1}}}"#), (#"{"o":null}"#, #"{"o":{"p":{"q":1}}}"#),
        (#"{"o":{}}"#, #"{"o":{"p":{"q":1}}}"#),
        (#"{"o":{"p":{"q":0,"r":2}}}"#, #"{"o":{"p":{"q":1,"r":2}}}"#),
        (#"{"o":{ "p" : [] }}"#, #"{"o":{ "p" : {"q":1} }}"#),
        (#"{"o":1,"o":{"p":{}}}"#, #"{"o":1,"o":{"p":{"q":1}}}"#),
    ])
    func `a member is set at a path`(text: String, expected: String) throws {
        #expect(try edited(text) { $0.set(["o", "p", "q"], in: $1) { $0.int(1) } } == expected)
    }

    @Test(arguments: ["{}", #"{"o":3}"#]) func `a path goes through what earlier edits wrote`(text: String) throws {
        let result = try edited(text) { edits, root in
            edits.set(["o", "p"], in: root) { $0.int(1) }
            edits.set(["o", "q"], in: root) { $0.int(2) }
            edits.set(["o", "p"], in: root) { $0.int(3) }
            edits.set(["o", "r", "s"], in: root) { $0.int(4) }
        }
        #expect(result == #"{"o":{"p":3,"q":2,"r":{"s":4}}}"#)
        let overwritten = try edited(text) { edits, root in
            edits.set("o", in: root) { $0.int(1) }
            edits.set(["o", "p"], in: root) { $0.int(2) }
        }
        #expect(overwritten == #"{"o":{"p":2}}"#)
        let removed = try edited(text) { edits, root in
            edits.remove("o", from: root)
            edits.set(["o", "p"], in: root) { $0.int(2) }
        }
        #expect(removed == #"{"o":{"p":2}}"#)
    }

    @Test(arguments: [
        ("[]", "[8,9,6,7]"), ("[ ]", "[8,9,6,7 ]"), ("[1]", "[8,9,1,6,7]"), ("[ 1, 0 ]", "[ 8,9,1,6,7 ]"),
        ("[0]", "[8,9,6,7]"), ("[0, 1,0]", "[8,9,1,6,7]"), ("[0,0]", "[8,9,6,7]"),
    ])
    func `elements are added at both ends and removed`(text: String, expected: String) throws {
        let result = try edited(text) { edits, root in
            edits.append(to: root) { $0.int(6) }
            edits.prepend(to: root) { $0.int(8) }
            var elements = root.elements
            while let element = elements.next() { if element.int == 0 { edits.remove(element, from: root) } }
            edits.append(to: root) { $0.int(7) }
            edits.prepend(to: root) { $0.int(9) }
        }
        #expect(result == expected)
    }

    @Test func `a change inside a value that is replaced or removed is lost`() throws {
        let result = try edited(#"{"a":{"b":1},"c":{"d":[2]},"e":5}"#) { edits, root in
            edits.set("x", in: root["a"]!) { $0.int(1) }
            edits.replace(root["a"]!["b"]!) { $0.int(2) }
            edits.replace(root["a"]!) { $0.null() }
            edits.append(to: root["c"]!["d"]!) { $0.int(3) }
            edits.remove("c", from: root)
        }
        #expect(result == #"{"a":null,"e":5}"#)
    }

    @Test func `splices stay as they are when more is edited`() throws {
        let text = #"{"model":"a"}"#
        let tape = JSONTape()
        try tape.scan(text.utf8Span.span)
        var edits = JSONEdits()
        let root = tape.root(over: text.utf8Span.span)
        edits.set("model", in: root) { $0.string("first" as StaticString) }
        let first = edits.splices(over: root)
        edits.set("model", in: root) { $0.string("second" as StaticString) }
        edits.set("n", in: root) { $0.string(String(repeating: "x", count: 1000)) }
        edits.remove("n", from: root)
        let second = edits.splices(over: root)
        edits.removeAll()
        let none = edits.splices(over: root)
        let results = [first, second, none].map { splices in
            let buffer = ByteBuffer()
            splices.append(to: buffer, from: text.utf8Span.span)
            return buffer.text
        }
        #expect(results == [#"{"model":"first"}"#, #"{"model":"second"}"#, text])
    }

    @Test func `a large body is shared and not copied`() throws {
        let prompt = String(repeating: "long ", count: 30_000)
        let buffer = ByteBuffer(#"{"model":"a","prompt":""# + prompt + #"","n":1}"#)
        let tape = JSONTape()
        try tape.scan(buffer.span)
        let root = tape.root(over: buffer.span)
        var edits = JSONEdits()
        edits.set("model", in: root) { $0.string("longer" as StaticString) }
        edits.set("n", in: root) { $0.int(2) }
        let queue = ByteQueue()
        edits.splices(over: root).append(to: queue, sharing: buffer)
        #expect(queue.runCount == 3)
        #expect(queue.contents == #"{"model":"longer","prompt":""# + prompt + #"","n":2}"#)
    }
}

extension ByteQueue {
    var contents: String {
        var bytes: [UInt8] = []
        for index in 0..<runCount { unsafe bytes.append(contentsOf: run(index)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
