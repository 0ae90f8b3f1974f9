import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

/// What a stream said, in a form that can be compared.
struct Seen: Equatable, CustomStringConvertible {
    var kind: EventParser.Event.Kind
    var name: String
    var data: String
    var id: String?
    var retry: Int?

    init(_ kind: EventParser.Event.Kind, _ data: String = "", name: String = "", id: String? = nil, retry: Int? = nil) {
        (self.kind, self.name, self.data, self.id, self.retry) = (kind, name, data, id, retry)
    }

    var description: String { "\(kind) \(name) \(data) \(id ?? "-") \(retry ?? -1)" }
}

@Suite struct `Event streams` {
    struct Result: Equatable {
        var events: [Seen] = []
        var raw: [UInt8] = []
        var isCut = false
    }

    /// Reads a stream that arrives in pieces which end at `cuts`, and relays all of it into `raw`.
    func read(_ bytes: [UInt8], cuts: [Int] = [], bytesMax: Int = 1_048_576) throws -> Result {
        var parser = EventParser(eventBytesMax: bytesMax)
        var result = Result()
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            var relayed = 0
            while let event = try parser.next(in: piece, at: &offset) {
                let raw = parser.raw(event, in: piece)
                for index in raw.indices { result.raw.append(raw[index]) }
                if !event.isCarried {
                    #expect(relayed == 0 || event.range.lowerBound == relayed, "untouched events stand side by side")
                    relayed = event.range.upperBound
                    #expect(offset == relayed)
                } else {
                    relayed = offset
                }
                result.events.append(
                    Seen(
                        event.kind, String(decoding: parser.data(of: event, in: piece)),
                        name: String(decoding: parser.name(of: event, in: piece)),
                        id: event.hasID ? String(decoding: parser.id(of: event, in: piece)) : nil,
                        retry: event.retryMilliseconds))
            }
            #expect(offset == piece.count)
            start = end
        }
        result.isCut = parser.isInsideEvent
        return result
    }

    func events(_ text: String) throws -> [Seen] { try read(text.bytes).events }

    @Test func `are read as the standard's examples say`() throws {
        #expect(
            try events("data: YHOO\ndata: +2\ndata: 10\n\n") == [Seen(.message, "YHOO\n+2\n10")])
        #expect(
            try events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n")
                == [
                    Seen(.comment), Seen(.message, "first event", id: "1"), Seen(.message, "second event", id: ""),
                    Seen(.message, " third event"),
                ])
        let last = try read("data\n\ndata\ndata\n\ndata:".bytes)
        #expect(last.events == [Seen(.message, ""), Seen(.message, "\n")] && last.isCut)
        #expect(try events("data:test\n\ndata: test\n\n") == [Seen(.message, "test"), Seen(.message, "test")])
        #expect(
            try events("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n")
                == [Seen(.message, "73857293", name: "add"), Seen(.message, "2153", name: "remove")])
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func `may end lines in three ways`(end: String) throws {
        let text = ["event: a", "data: 1", ": x", "data: 2", "", "data: 3", "", "", "retry: 10", ""].map { $0 + end }
            .joined()
        let expected = [Seen(.message, "1\n2", name: "a"), Seen(.message, "3"), Seen(.blank), Seen(.fields, retry: 10)]
        let whole = try read(text.bytes)
        #expect(whole.events == expected && whole.raw == text.bytes && !whole.isCut)
    }

    @Test func `have fields that mean something only when they are right`() throws {
        #expect(
            try events("id: a\0b\nretry: 1x\nretry:\nretry: -1\nDATA: 1\n data: 2\ndatax: 3\ndat: 4\n\n") == [
                Seen(.fields)
            ])
        #expect(
            try events("id: 1\nid: 2\nevent: a\nevent: b\nretry: 1\nretry: 20\ndata\n\n") == [
                Seen(.message, name: "b", id: "2", retry: 20)
            ])
        #expect(try events("data: a: b\nunknown: c\n:\n\n") == [Seen(.message, "a: b")])
        #expect(try events("data:\t1 \n\n") == [Seen(.message, "\t1 ")])
        #expect(try events("retry: 99999999999999999999\n\n") == [Seen(.fields)])
    }

    @Test func `may start with one byte order mark`() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = "data: 1\n\n".bytes
        for cuts in [[], [1], [2], [3], [1, 2, 3], [0, 0, 2, 5]] {
            let read = try read(mark + text, cuts: cuts)
            #expect(read.events == [Seen(.message, "1")] && read.raw == text, "\(cuts)")
        }
        for cuts in [[], [1], [1, 2], [2], [3]] {
            #expect(try read([0xEF, 0xBB] + text, cuts: cuts).events == [Seen(.fields)], "\(cuts)")
            #expect(try read(mark + mark + text, cuts: cuts).events == [Seen(.fields)], "\(cuts)")
        }
        #expect(try read([0xEF, 0xBB]).isCut)
    }

    static let samples = [
        "data: {\"a\":1}\n\ndata: {\"a\":2}\n\n: keep-alive\n\nevent: x\ndata: 1\ndata: 2\n\ndata: [DONE]\n\n",
        "data: a\r\n\r\nevent: b\r\ndata: c\r\ndata: d\r\n\r\n\r\n\r\nid: 1\r\n\r\n",
        "data: a\r\rdata: b\rdata: c\r\r\rretry: 5\r\r",
        "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\rdata: e\n\n", "\n\r\r\n\ndata: 1\n\ndata: cut",
    ]

    @Test func `say the same however they arrive`() throws {
        for sample in Self.samples {
            let whole = try read(sample.bytes)
            for cuts in (0..<sample.utf8.count).map({ [$0] }) + [Array(0..<sample.utf8.count)] {
                let pieces = try read(sample.bytes, cuts: cuts)
                // An LF that comes in a later read than its CR is reported as a blank of its own; that says nothing.
                #expect(
                    pieces.events.filter { $0.kind != .blank } == whole.events.filter { $0.kind != .blank },
                    "\(sample) cut at \(cuts)")
                #expect(pieces.isCut == whole.isCut)
                #expect(pieces.raw == whole.raw, "\(sample) cut at \(cuts)")
            }
        }
    }

    @Test func `that are random say the same however they arrive, and as a plain reader says`() throws {
        let parts = [
            "data: a", "data", "data:", "event: e", "id: 1", ": c", "x", "\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n",
            "\t", "\u{E9}",
        ]
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            let text = (0..<Int.random(in: 1...14, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined()
            let cuts = (0..<3).map { _ in Int.random(in: 0...text.utf8.count, using: &random) }.sorted()
            let pieces = try read(text.bytes, cuts: cuts).events.filter { $0.kind == .message }
            let expected = PlainReader.messages(text)
            #expect(pieces.map { [$0.name, $0.data] } == expected, "seed \(seed)")
            #expect(
                try read(text.bytes).events.filter { $0.kind == .message }.map { [$0.name, $0.data] } == expected,
                "seed \(seed)")
        }
    }

    @Test func `have a bound on one event, the same however it arrives`() throws {
        let fits = "data: \(String(repeating: "x", count: 92))\n\n"
        #expect(try read(fits.bytes, bytesMax: 100).events.count == 1)
        #expect(try read(fits.bytes, cuts: Array(0..<100), bytesMax: 100).events.count == 1)
        let long = fits.replacing("data", with: "data: ")
        for cuts in [[], [50], Array(0..<100)] {
            #expect(throws: EventParser.EventTooLong.self) { try read(long.bytes, cuts: cuts, bytesMax: 100) }
        }
        #expect(throws: EventParser.EventTooLong.self) {
            try read(String(repeating: "x", count: 101).bytes, bytesMax: 100)
        }
    }

    @Test func `that end early can still be looked at`() throws {
        var parser = EventParser()
        let bytes = "data: 1\n\ndata: [DONE]\r".bytes
        var offset = 0
        let first = try parser.next(in: bytes.span, at: &offset)
        #expect(first?.kind == .message && !parser.isInsideEvent)
        let second = try parser.next(in: bytes.span, at: &offset)
        #expect(second == nil && parser.isInsideEvent && parser.carriedByteCount == 13)
        let unfinished = parser.unfinished()
        let event = try #require(unfinished)
        let data = String(decoding: parser.data(of: event, in: bytes.span))
        let raw = String(decoding: parser.raw(event, in: bytes.span))
        #expect(data == "[DONE]" && raw == "data: [DONE]\r" && event.kind == .message)
        let none = parser.unfinished()
        #expect(none == nil)
    }

    @Test func `of hostile line ends cost time in proportion to their size`() throws {
        let result = try read([UInt8](repeating: 13, count: 100_000))
        #expect(result.events.count == 100_000)
        let tabs = "data: " + String(repeating: "\t", count: 200_000) + "\n\n"
        #expect(try read(tabs.bytes, cuts: Array(stride(from: 0, to: 200_000, by: 1000))).events.count == 1)
    }
}

/// The standard's algorithm, line by line, over text that is all there.
enum PlainReader {
    static func messages(_ text: String) -> [[String]] {
        var messages: [[String]] = []
        var name = ""
        var data: [String] = []
        for line in lines(text.bytes) {
            if line.isEmpty {
                if !data.isEmpty { messages.append([name, data.joined(separator: "\n")]) }
                (name, data) = ("", [])
                continue
            }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            var value = parts.count > 1 ? String(parts[1]) : ""
            if value.hasPrefix(" ") { value.removeFirst() }
            if parts[0] == "data" { data.append(value) }
            if parts[0] == "event" { name = value }
        }
        return messages
    }

    /// The lines that have ended.
    static func lines(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 13 || bytes[index] == 10 {
                lines.append(line.text)
                line = []
                if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 { index += 1 }
            } else {
                line.append(bytes[index])
            }
            index += 1
        }
        return lines
    }
}
