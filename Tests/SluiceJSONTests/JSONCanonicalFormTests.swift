import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `The canonical form of a document` {
    @Test(arguments: [
        (#"{"b":1,"a":2}"#, #"{"a":2e0,"b":1e0}"#),
        (" { \"a\" : [ 1 , 2.50 , -0.0 , 1E3, 0.007, 120 ] }\n", #"{"a":[1e0,25e-1,0,1e3,7e-3,12e1]}"#),
        (#"{"\u0061":"\u00e9\/\u0041\n\u001f"}"#, #"{"a":"é/A\n\u001f"}"#),
        (#"{"a":{"z":null,"y":[true,false]},"":""}"#, #"{"":"","a":{"y":[true,false],"z":null}}"#),
        (#"{"a":1,"a":2}"#, #"{"a":1e0,"a":2e0}"#),
        (#""\ud800""#, #""\ud800""#), (#""\ud83d\ude00""#, #""😀""#),
        ("12345678901234567890123.000", "12345678901234567890123e0"), ("-1e-5", "-1e-5"),
    ])
    func `has one spelling`(text: String, form: String) throws {
        #expect(try canonical(text) == form)
        #expect(try canonical(text) == canonical(text))
    }

    @Test(arguments: [
        ("1", "-1"), ("1", "10"), ("0.1", "0.01"), ("1", "true"), ("1", #""1""#), ("null", "false"), ("{}", "[]"),
        (#""a""#, #""A""#), (#""a ""#, #""a""#), (#"["a","b"]"#, #"["b","a"]"#), (#"["a","b"]"#, #"["a,b"]"#),
        (#"{"a":1,"a":2}"#, #"{"a":2,"a":1}"#), (#"{"a":1}"#, #"{"a":1,"a":1}"#),
        (#"{"a":{"b":1}}"#, #"{"a":1,"b":1}"#),
        (#""\ud800""#, #""\ud801""#), (#""\ud800""#, "\"\u{FFFD}\""),
        ("9007199254740993", "9007199254740992"), ("1e400", "1e401"), ("1e9999999999999", "1e9999999999998"),
        (#"{"a":null}"#, "{}"),
    ])
    func `is another where the meaning is`(one: String, other: String) throws {
        #expect(try canonical(one) != canonical(other))
    }

    @Test func `leaves out what it is told to, at the top alone`() throws {
        let tape = JSONTape()
        let text = #"{"user":"x","z":{"user":1},"stre\u0061m":true,"a":0}"#.utf8Span
        try tape.scan(text.span)
        var form = JSONCanonicalForm()
        let buffer = ByteBuffer()
        form.append(membersOf: tape.root(over: text.span), except: ["user", "stream"], to: buffer)
        #expect(buffer.text == #"{"a":0,"z":{"user":1e0}}"#)
    }

    @Test func `sorts many members as it sorts few`() throws {
        for count in [2, 23, 24, 25, 26, 300] {
            var random = SplitMix64(UInt64(count))
            let members = (0..<count).map { "\"k\($0 * 7919 % count)-\($0)\":\($0)" }
            let one = "{" + members.shuffled(using: &random).joined(separator: ",") + "}"
            let other = "{" + members.shuffled(using: &random).joined(separator: " , ") + "}"
            #expect(try canonical(one) == canonical(other), "\(count)")
        }
    }

    /// White space, spelling and the order of members never show; what a reader of JSON understands always does.
    @Test func `says what the document says, and nothing else`() throws {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let text = RandomJSON.document(using: &random).text
            let form = try canonical(text)
            #expect(try meaning(form) == meaning(text), "seed \(seed)")
            #expect(try canonical(form) == form, "seed \(seed)")
        }
    }

    private func canonical(_ text: String) throws -> String {
        let tape = JSONTape()
        let bytes = text.utf8Span
        try tape.scan(bytes.span)
        var form = JSONCanonicalForm()
        let buffer = ByteBuffer()
        form.append(tape.root(over: bytes.span), to: buffer)
        return buffer.text
    }

    private func meaning(_ text: String) throws -> String {
        let tape = JSONTape()
        let bytes = text.utf8Span
        try tape.scan(bytes.span)
        return Canonical.text(tape.root(over: bytes.span))
    }
}
