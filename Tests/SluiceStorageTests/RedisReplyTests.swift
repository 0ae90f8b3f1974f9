import SluiceCore
import TestSupport
import Testing

@testable import SluiceStorage

@Suite struct `Redis replies` {
    /// The examples of the protocol's specification, and what they say.
    static let examples: [(String, RedisReply)] = [
        ("+OK\r\n", .status("OK")),
        ("-Error message\r\n", .error("Error message")),
        ("-WRONGTYPE Operation against a key\r\n", .error("WRONGTYPE Operation against a key")),
        (":0\r\n", .integer(0)),
        (":1000\r\n", .integer(1000)),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$5\r\nhello\r\n", .bytes(Array("hello".utf8))),
        ("$0\r\n\r\n", .bytes([])),
        ("$4\r\n\r\n\r\n\r\n", .bytes(Array("\r\n\r\n".utf8))),
        ("$-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*-1\r\n", .null),
        ("*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", .array([.bytes(Array("hello".utf8)), .bytes(Array("world".utf8))])),
        ("*3\r\n:1\r\n:2\r\n:3\r\n", .array([.integer(1), .integer(2), .integer(3)])),
        (
            "*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n",
            .array([
                .array([.integer(1), .integer(2), .integer(3)]), .array([.status("Hello"), .error("World")]),
            ])
        ),
        (
            "*3\r\n$5\r\nhello\r\n$-1\r\n*1\r\n*0\r\n",
            .array([.bytes(Array("hello".utf8)), .null, .array([.array([])])])
        ),
    ]

    @Test func `the examples of the specification say what they say, one after the other`() throws {
        let reader = RedisReplyReader()
        try reader.feed(Self.examples.map(\.0).joined().utf8Span.span)
        for (text, expected) in Self.examples { #expect(try reader.next() == expected, "\(text.debugDescription)") }
        #expect(try reader.next() == nil)
    }

    @Test func `where the bytes are cut changes nothing`() throws {
        let bytes = Array(Self.examples.map(\.0).joined().utf8)
        for step in 1...bytes.count {
            let reader = RedisReplyReader()
            var replies: [RedisReply] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                try reader.feed(bytes.span.extracting(start..<min(start + step, bytes.count)))
                while let reply = try reader.next() { replies.append(reply) }
            }
            #expect(replies == Self.examples.map(\.1), "cut every \(step) bytes")
        }
    }

    @Test(arguments: [
        "?\r\n", "hello\r\n", ":abc\r\n", ":99999999999999999999\r\n", "$-2\r\n", "$abc\r\n", "*-2\r\n",
        "*4294967296\r\n", "*262145\r\n", "*2147483647\r\n", "%1\r\n+a\r\n+b\r\n", "HTTP/1.1 400 Bad Request\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    ])
    func `what is no reply is an error for good`(text: String) throws {
        let reader = RedisReplyReader()
        try reader.feed(text.utf8Span.span)
        #expect(throws: RedisReplyReader.Malformed.self) { try reader.next() }
        #expect(throws: RedisReplyReader.Malformed.self) {
            try reader.feed("+OK\r\n".utf8Span.span)
            _ = try reader.next()
        }
    }

    @Test func `a reply that is too long is given up before it is held`() throws {
        let reader = RedisReplyReader()
        try reader.feed("$\(Int.max)\r\n".utf8Span.span)
        #expect(try reader.next() == nil)
        let piece = [UInt8](repeating: 0x41, count: 65_536)
        var fed = 0
        #expect(throws: RedisReplyReader.Malformed.self) {
            while fed < 64 << 20 {
                try reader.feed(piece.span)
                fed += piece.count
                _ = try reader.next()
            }
        }
        #expect(fed < RedisReplyReader.replyByteCountMax)
    }

    @Test func `many replies of one read do not count as a long one`() throws {
        let reader = RedisReplyReader()
        let value = "$65536\r\n" + String(repeating: "v", count: 65_536) + "\r\n"
        for _ in 0..<400 {
            try reader.feed(value.utf8Span.span)
            #expect(try reader.next() != nil)
        }
    }

    @Test func `noise is read as something or refused, whatever it is`() {
        let pieces = [
            "*", "$", ":", "+", "-", "\r\n", "1", "3", "-1", "abc", "0", "\r", "\n", "*2\r\n", "$3\r\nabc\r\n",
        ]
        for seed in SplitMix64.seeds(3000) {
            var random = SplitMix64(seed)
            let reader = RedisReplyReader()
            var count = 0
            do {
                for _ in 0..<Int.random(in: 1...40, using: &random) {
                    var bytes = Array(pieces.randomElement(using: &random)!.utf8)
                    if Int.random(in: 0..<8, using: &random) == 0 {
                        bytes[0] = UInt8.random(in: 0...255, using: &random)
                    }
                    try reader.feed(bytes.span)
                    while try reader.next() != nil { count += 1 }
                }
            } catch {
                #expect(!error.message.isEmpty, "seed \(seed)")
            }
            #expect(count <= 40, "seed \(seed)")
        }
    }

    @Test func `an error's first word is its kind`() {
        #expect(RedisReply.error("OOM command not allowed").errorKind == "OOM")
        #expect(RedisReply.status("OOM").errorKind == nil)
        #expect(RedisReply.error("").errorKind == "")
    }
}
