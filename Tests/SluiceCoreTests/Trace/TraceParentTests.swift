import SluiceCore
import TestSupport
import Testing

@Suite struct `traceparent (W3C Trace Context, level 1)` {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    private static func read(_ text: String) -> TraceParent? { TraceParent(text.utf8Span.span) }

    @Test func `the Recommendation's examples are read`() throws {
        let sampled = try #require(Self.read("00-\(Self.trace)-\(Self.span)-01"))
        #expect(sampled.traceID.text == Self.trace)
        #expect(sampled.spanID.text == Self.span)
        #expect(sampled.isSampled)
        let unsampled = try #require(Self.read("00-\(Self.trace)-\(Self.span)-00"))
        #expect(!unsampled.isSampled)
    }

    @Test(arguments: [
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "01-12345678901234567890123456789012-1234567890123456-01-",
        "00-12345678901234567890123456789012-1234567890123456-ff",
    ])
    func `what a later version adds is not looked at`(text: String) throws {
        let parent = try #require(Self.read(text))
        #expect(parent.traceID.text == "12345678901234567890123456789012")
        #expect(parent.spanID.text == "1234567890123456")
        #expect(parent.isSampled)
    }

    /// Those of the W3C's own test suite among them (github.com/w3c/trace-context, test/test.py).
    @Test(arguments: [
        "", "00", "00-", "-",
        "ff-12345678901234567890123456789012-1234567890123456-01",
        ".0-12345678901234567890123456789012-1234567890123456-01",
        "0.-12345678901234567890123456789012-1234567890123456-01",
        "000-12345678901234567890123456789012-1234567890123456-01",
        "0000-12345678901234567890123456789012-1234567890123456-01",
        "00-12345678901234567890123456789012-1234567890123456-01.",
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "00-12345678901234567890123456789012-1234567890123456-01-",
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
        "00-00000000000000000000000000000000-1234567890123456-01",
        "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01",
        "00-123456789012345678901234567890123-1234567890123456-01",
        "00-1234567890123456789012345678901-1234567890123456-01",
        "00-12345678901234567890123456789012-0000000000000000-01",
        "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01",
        "00-12345678901234567890123456789012-12345678901234567-01",
        "00-12345678901234567890123456789012-123456789012345-01",
        "00-12345678901234567890123456789012-1234567890123456-.0",
        "00-12345678901234567890123456789012-1234567890123456-0.",
        "00-12345678901234567890123456789012-1234567890123456-001",
        "00-12345678901234567890123456789012-1234567890123456-1",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        " 0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])
    func `what is none is refused`(text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test func `what is written is read again, and has no flags but the one that is known`() throws {
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let parent = TraceParent(TraceID(using: &random), SpanID(using: &random), isSampled: Bool.random(using: &random))
            let written = parent.text
            let read = TraceParent(written.span)
            #expect(read == parent, "seed \(seed)")
            let text = String(decoding: written.span)
            #expect(text.hasPrefix("00-\(parent.traceID.text)-\(parent.spanID.text)-0"), "seed \(seed)")
        }
    }

    @Test func `no bytes make it trap, and one changed byte is another parent or none`() throws {
        let sound = Array("00-\(Self.trace)-\(Self.span)-01".utf8)
        let known = try #require(Self.read("00-\(Self.trace)-\(Self.span)-01"))
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            var bytes = sound
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let before = bytes[place]
            bytes[place] = UInt8.random(in: 0...255, using: &random)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            let read = TraceParent(bytes.span)
            // The version and the unknown flags do not count.
            let counts = 3..<52 ~= place && bytes.count == sound.count && bytes[place] != before
            if counts { #expect(read != known, "seed \(seed)") }
            if bytes.count < TraceParent.byteCount { #expect(read == nil, "seed \(seed)") }
        }
    }

    @Test func `a step's children have ids of their own, the same each time`() {
        var random = SplitMix64(7)
        let span = SpanID(using: &random)
        let children = (1...100).map { span.child($0) }
        #expect(Set(children).count == 100)
        #expect(children == (1...100).map { span.child($0) })
        #expect(!children.contains(span))
    }

    @Test func `ids are bytes in the order of their digits`() throws {
        let read = (trace: TraceID(Self.trace.utf8Span.span), span: SpanID(Self.span.utf8Span.span))
        let trace = try #require(read.trace)
        let bytes = trace.bytes
        #expect(bytes[0] == 0x4B && bytes[1] == 0xF9 && bytes[8] == 0xA3 && bytes[15] == 0x36)
        let span = try #require(read.span)
        let short = span.bytes
        #expect(short[0] == 0 && short[1] == 0xF0 && short[7] == 0xB7)
        let none = (TraceID("0".utf8Span.span), SpanID("0000000000000000".utf8Span.span))
        #expect(none.0 == nil)
        #expect(none.1 == nil)
    }
}
