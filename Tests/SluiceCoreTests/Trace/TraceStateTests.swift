import SluiceCore
import TestSupport
import Testing

@Suite struct `tracestate (W3C Trace Context, level 1)` {
    private static func read(_ fields: String...) -> String? { read(fields) }

    private static func read(_ fields: [String]) -> String? {
        var state = TraceState()
        for field in fields { state.add(field.utf8Span.span) }
        return state.text
    }

    @Test(arguments: [
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "foo=1", "foo=1,bar=2", "a-b/c*d_1=x", "fw529a3039@dt=FfAAA",
        "0tenant@sys=v", "foo=a b", "z=\(String(repeating: "v", count: 256))", "\(String(repeating: "z", count: 200))=1",
    ])
    func `what keeps to the grammar is passed on as it came`(text: String) {
        #expect(Self.read(text) == text)
    }

    @Test func `several fields are one list, and blanks around members are no part of them`() {
        #expect(Self.read("foo=1", "bar=2") == "foo=1,bar=2")
        #expect(Self.read("foo=1", "", "bar=2") == "foo=1,bar=2")
        #expect(Self.read("foo=1 \t , \t bar=2, \t baz=3") == "foo=1,bar=2,baz=3")
        #expect(Self.read(",,foo=1,,") == "foo=1")
    }

    /// Those of the W3C's own test suite among them.
    @Test(arguments: [
        "foo", "=1", "foo=", "foo =1", "FOO=1", "foo.bar=1", "foo@=1,bar=2", "@foo=1,bar=2", "foo@@bar=1", "foo@bar@baz=1",
        "1foo=1", "foo=bar=baz", "foo=,bar=3", "foo=\u{1}", "foo=\u{E9}", "foo@1sys=1",
        "\(String(repeating: "z", count: 257))=1", "\(String(repeating: "t", count: 242))@v=1", "t@\(String(repeating: "v", count: 15))=1",
        "z=\(String(repeating: "v", count: 257))",
    ])
    func `what breaks the grammar is passed on by nobody`(text: String) {
        #expect(Self.read(text) == nil)
        #expect(Self.read("sound=1", text) == nil)
    }

    @Test func `32 members are passed on, and 33 are not`() {
        let members = (1...33).map { "bar\($0 < 10 ? "0" : "")\($0)=\($0)" }
        #expect(Self.read(members.prefix(32).joined(separator: ",")) == members.prefix(32).joined(separator: ","))
        #expect(Self.read(members.joined(separator: ",")) == nil)
        #expect(Self.read(Array(members)) == nil)
    }

    @Test func `what is too long loses its longest members, then its last ones`() throws {
        let long = "long=\(String(repeating: "x", count: 200))"
        let short = (1...20).map { "k\($0)=\(String(repeating: "y", count: 20))" }
        let text = try #require(Self.read(([long] + short).joined(separator: ",")))
        #expect(text.utf8.count <= TraceState.byteCountMax)
        #expect(!text.contains("long="))
        #expect(text.hasPrefix("k1="))
        #expect(short.joined(separator: ",").hasPrefix(text))
    }

    @Test func `no bytes make it trap, and what comes out goes in again`() {
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            let alphabet = Array("ab1=,@ \t_-*/X.\u{7F}".utf8)
            let fields = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            }
            var state = TraceState()
            for field in fields { state.add(field.span) }
            guard let text = state.text else { continue }
            #expect(Self.read(text) == text, "seed \(seed)")
        }
    }
}
