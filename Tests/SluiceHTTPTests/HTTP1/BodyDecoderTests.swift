import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Bodies` {
    struct Read: Equatable {
        var body = ""
        var trailers: [String]?
        var consumed = 0
        var isComplete = false
    }

    /// Feeds a body in pieces that end at `cuts`, and at its end.
    func read(_ text: String, _ framing: BodyFraming = .chunked, cuts: [Int] = [], limits: HeadLimits = HeadLimits())
        throws -> Read
    {
        var decoder = BodyDecoder(framing, limits: limits)
        var read = Read()
        let bytes = text.bytes
        for end in cuts + [bytes.count] {
            let piece = bytes.span.extracting(read.consumed..<end)
            var offset = 0
            while let event = try decoder.next(in: piece, at: &offset) {
                switch event {
                case .bytes(let range):
                    #expect(!range.isEmpty)
                    read.body += String(decoding: piece.extracting(range))
                case .end(let trailers):
                    read.trailers = trailers.map { Message.Fields($0).lines }
                    read.isComplete = true
                    #expect(decoder.isComplete)
                }
            }
            read.consumed += offset
            if read.isComplete { break }
            #expect(read.consumed == end)
        }
        return read
    }

    @Test func `of a known length end there, and leave what follows`() throws {
        #expect(try read("hello, next", .known(5)) == Read(body: "hello", consumed: 5, isComplete: true))
        #expect(try read("hel", .known(5)) == Read(body: "hel", consumed: 3, isComplete: false))
        #expect(try read("GET", .known(0)) == Read(isComplete: true))
        #expect(try read("GET", .none) == Read(isComplete: true))
        #expect(try read("abc", .untilClose) == Read(body: "abc", consumed: 3, isComplete: false))
    }

    @Test func `are chunked as RFC 9112 and Wikipedia show`() throws {
        let text = "4\r\nWiki\r\n7\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\n\r\nGET"
        #expect(
            try read(text) == Read(body: "Wikipedia in \r\nchunks.", consumed: text.utf8.count - 3, isComplete: true))
    }

    @Test func `may have trailers, without those that come too late`() throws {
        let read = try read(
            "0\r\nX-Checksum: 1\r\nContent-Length: 7\r\nAuthorization: x\r\nHost: b\r\nTransfer-Encoding: chunked\r\n"
                + "Etag: \"2\"\r\n\r\n"
        )
        #expect(read.trailers == ["x-checksum: 1", "etag: \"2\""] && read.isComplete)
        #expect(try self.read("0\r\nHost: b\r\n\r\n").trailers == nil)
    }

    @Test(arguments: [
        "5;a\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5 ; a = b ; c\r\nhello\r\n0;x\r\n\r\n",
        "5;a=\"b;\\\"c\u{E9}\"\r\nhello\r\n0\r\n\r\n",
        "0000000000000005\r\nhello\r\n00\r\n\r\n", "5;\t a;b=\"\"\r\nhello\r\n000;y\r\n\r\n",
        "5;a=\"b\" ;c\r\nhello\r\n0\r\n\r\n",
    ])
    func `tolerate chunk extensions that are well formed`(text: String) throws {
        #expect(try read(text) == Read(body: "hello", consumed: text.utf8.count, isComplete: true))
    }

    static let refused: [(String, BodyError)] = [
        ("g\r\n", .invalidChunkSize), ("-1\r\n", .invalidChunkSize), (" 1\r\n", .invalidChunkSize),
        ("\r\n", .invalidChunkSize),
        ("0x5\r\n", .invalidChunkSize), ("+5\r\n", .invalidChunkSize), ("5\n", .invalidChunkSize),
        ("5\rhello", .invalidChunkSize),
        ("5\r\rhello", .invalidChunkSize), ("5_\r\n", .invalidChunkSize), ("5,\r\n", .invalidChunkSize),
        ("\n5\r\n", .invalidChunkSize),
        ("5\u{B}\r\n", .invalidChunkSize), ("5\0\r\n", .invalidChunkSize), (";a\r\n", .invalidChunkSize),
        ("00000000000000005\r\n", .chunkTooLarge), ("8000000000000000\r\n", .chunkTooLarge),
        ("FFFFFFFFFFFFFFFF\r\n", .chunkTooLarge),
        ("10000000000000000\r\n", .chunkTooLarge), ("fffffffffffffffff\r\n", .chunkTooLarge),
        ("5 \r\nhello", .invalidChunkExtension), ("5;\r\n", .invalidChunkExtension),
        ("5;a\n\r\n", .invalidChunkExtension),
        ("5;a\nb\r\n", .invalidChunkExtension), ("5;a\rb", .invalidChunkSize), ("5;a=\r\n", .invalidChunkExtension),
        ("5;=b\r\n", .invalidChunkExtension), ("5;a b\r\n", .invalidChunkExtension),
        ("5;a=b c\r\n", .invalidChunkExtension),
        ("5;a=\"b\r\n", .invalidChunkExtension), ("5;a=\"b\n\"\r\n", .invalidChunkExtension),
        ("5;a=\"b\"c\r\n", .invalidChunkExtension),
        ("5;a=\"\\\n\"\r\n", .invalidChunkExtension), ("5;\0\r\n", .invalidChunkExtension),
        ("5;a \r\n", .invalidChunkExtension),
        ("5\r\nhello0\r\n\r\n", .chunkNotEnded), ("5\r\nhello\n", .chunkNotEnded), ("5\r\nhello\rx", .chunkNotEnded),
        ("5\r\nhello!\r\n", .chunkNotEnded), ("0\r\nX: 1\n\r\n", .trailers(.bareLineFeed)),
        ("0\r\n\n", .trailers(.bareLineFeed)),
        ("0\r\nX : 1\r\n\r\n", .trailers(.spaceBeforeColon)), ("0\r\nX: 1\r\n Y\r\n\r\n", .trailers(.foldedLine)),
        ("0\r\nX\r\n\r\n", .trailers(.invalidFieldName)), ("0\r\nX: \0\r\n\r\n", .trailers(.invalidFieldValue)),
        ("0\r\nX: 1\rY: 2\r\n\r\n", .trailers(.bareCarriageReturn)),
        ("0\r\nGET / HTTP/1.1\r\n\r\n", .trailers(.invalidFieldName)),
    ]

    @Test func `with anything doubtful in their chunks are refused for what is wrong`() {
        for (text, error) in Self.refused {
            #expect(throws: error, "\(text)") { try read(text) }
            #expect(throws: error, "\(text), dripped") { try read(text, cuts: Array(0..<text.utf8.count)) }
            #expect(error.status == 400)
        }
    }

    @Test func `have bounds on extensions and trailers`() {
        let one = "1;" + String(repeating: "a", count: 1000) + "\r\nx\r\n"
        #expect(throws: BodyError.chunkExtensionsTooLong) { try read(String(repeating: one, count: 17)) }
        #expect((try? read(String(repeating: one, count: 16)))?.body.count == 16)
        let field = "X: " + String(repeating: "x", count: 1000) + "\r\n"
        #expect(throws: BodyError.trailers(.headTooLarge)) { try read("0\r\n" + String(repeating: field, count: 66)) }
        #expect(throws: BodyError.trailers(.headTooLarge)) {
            try read("0\r\nX: " + String(repeating: "x", count: 66_000))
        }
        #expect(throws: BodyError.trailers(.tooManyFields)) {
            try read("0\r\n" + String(repeating: "X: 1\r\n", count: 201) + "\r\n")
        }
        #expect(BodyError.trailers(.headTooLarge).status == 431)
    }

    @Test func `whose trailers drip in cost time in proportion to their size`() throws {
        let text = "0\r\nX: " + String(repeating: "x", count: 60_000) + "\r\n\r\n"
        #expect(try read(text, cuts: Array(0..<text.utf8.count)).trailers?.first?.utf8.count == 60_003)
    }

    @Test func `that stop early are never whole`() throws {
        for framing in [BodyFraming.known(5), .chunked] {
            var decoder = BodyDecoder(framing)
            #expect(throws: BodyError.truncated) { try decoder.inputEnded() }
        }
        var decoder = BodyDecoder(.untilClose)
        #expect(try decoder.inputEnded() != nil)
        #expect(try decoder.inputEnded() == nil)
        var empty = BodyDecoder(.none)
        #expect(try empty.inputEnded() != nil)
    }

    @Test func `say the same however they arrive`() throws {
        let text = "4;a=\"b\"\r\nWiki\r\n00a\r\n0123456789\r\n0\r\nEtag: 1\r\nX-Y: 2\r\n\r\nGET / HTTP/1.1\r\n"
        let whole = try read(text)
        #expect(whole.body == "Wiki0123456789" && whole.trailers == ["etag: 1", "x-y: 2"])
        for cut in 0..<text.utf8.count { #expect(try read(text, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(try read(text, cuts: Array(0..<text.utf8.count)) == whole)
    }

    @Test func `that the writer chunked come back as they were`() throws {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let buffer = ByteBuffer()
            var expected = ""
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let part = String(repeating: "ab", count: Int.random(in: 1...300, using: &random))
                MessageWriter.chunkHead(part.utf8.count, into: buffer)
                buffer.append(part)
                MessageWriter.chunkTail(into: buffer)
                expected += part
            }
            MessageWriter.lastChunk(into: buffer)
            let cuts = (0..<4).map { _ in Int.random(in: 0...buffer.count, using: &random) }.sorted()
            #expect(
                try read(buffer.text, cuts: cuts) == Read(body: expected, consumed: buffer.count, isComplete: true),
                "seed \(seed)")
        }
    }
}
