import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Written events` {
    func written(_ write: (ByteBuffer) -> Void) -> String {
        let buffer = ByteBuffer()
        write(buffer)
        return buffer.text
    }

    @Test(arguments: [
        ("{}", "data: {}\n\n"), ("", "data: \n\n"), ("a\nb", "data: a\ndata: b\n\n"),
        ("a\r\nb", "data: a\ndata: b\n\n"),
        ("a\rb", "data: a\ndata: b\n\n"), ("a\n", "data: a\ndata: \n\n"), ("\n\n", "data: \ndata: \ndata: \n\n"),
        ("a\n\rb", "data: a\ndata: \ndata: b\n\n"),
    ])
    func `have a line for each line of their data`(data: String, text: String) {
        #expect(written { EventWriter.data(data.bytes.span, into: $0) } == text)
    }

    @Test func `have names and comments that cannot start another field`() {
        #expect(written { EventWriter.event("ping", data: "1".bytes.span, into: $0) } == "event: ping\ndata: 1\n\n")
        #expect(
            written { EventWriter.event("a\r\ndata: x\n".bytes.span, data: "1".bytes.span, into: $0) }
                == "event: adata: x\ndata: 1\n\n")
        #expect(written { EventWriter.comment("a\ndata: b".bytes.span, into: $0) } == ": a\n: data: b\n\n")
        #expect(written { EventWriter.keepAlive(into: $0) } == ": keep-alive\n\n")
    }

    @Test func `are read back as they were, but for the kind of line end`() throws {
        let parts = ["a", "\n", "\r", "\r\n", "data: x", ":", " ", "\u{1F600}"]
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let data = (0..<Int.random(in: 0...8, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            let buffer = ByteBuffer()
            EventWriter.event("n", data: data.bytes.span, into: buffer)
            var parser = EventParser()
            var offset = 0
            let next = try parser.next(in: buffer.span, at: &offset)
            let event = try #require(next)
            #expect(offset == buffer.count, "seed \(seed)")
            let read = String(decoding: parser.data(of: event, in: buffer.span))
            let expected = PlainReader.lines(data.bytes + [ASCII.carriageReturn]).joined(separator: "\n")
            #expect(read == expected, "seed \(seed)")
        }
    }
}
