import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Heads of requests` {
    func request(_ text: String, limits: HeadLimits = HeadLimits()) throws -> (head: RequestHead, byteCount: Int)? {
        var parser = HeadParser(limits: limits)
        return try parser.request(in: text.bytes.span)
    }

    @Test func `are read as RFC 9112 shows them`() throws {
        let text =
            "GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\n"
            + "Accept-Language: en, mi\r\n\r\n"
        let parsed = try #require(try request(text + "next"))
        #expect(parsed.byteCount == text.utf8.count)
        #expect(parsed.head.method == .get && parsed.head.version == .http11)
        #expect(parsed.head.target.text == "/hello.txt")
        #expect(parsed.head.authority.text == "www.example.com")
        #expect(
            Message.Fields(parsed.head.fields).lines
                == ["user-agent: curl/7.64.1", "host: www.example.com", "accept-language: en, mi"])
        #expect(parsed.head.fields.text(.acceptLanguage) == "en, mi")
    }

    @Test func `keep values as they are, without the space around them`() throws {
        let parsed = try #require(
            try request("GET / HTTP/1.1\r\nHost:a\r\nX_1.b~:\t a\t b \t\r\nX-Empty:\r\nX-Raw: caf\u{E9}\r\n\r\n"))
        #expect(
            Message.Fields(parsed.head.fields).lines == ["host: a", "x_1.b~: a\t b", "x-empty: ", "x-raw: caf\u{E9}"])
    }

    @Test func `know every field name in any case, and no other`() throws {
        for field in FieldName.allCases where field != .other && field != .host {
            let name = "\(field.name)"
            for spelling in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()] {
                let head = try #require(try request("GET / HTTP/1.1\r\n\(spelling): 1\r\nHost: a\r\n\r\n")).head
                #expect(head.fields.field(at: 0) == field && head.fields.name(at: 0).equals(field.name))
            }
            let almost = String(name.dropLast()) + "_"
            #expect(
                try #require(try request("GET / HTTP/1.1\r\n\(almost): 1\r\nHost: a\r\n\r\n")).head.fields.field(at: 0)
                    == .other)
            let flipped = String(
                decoding: name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
            if flipped == name { continue }
            #expect(
                try #require(try request("GET / HTTP/1.1\r\n\(flipped): 1\r\nHost: a\r\n\r\n")).head.fields.field(at: 0)
                    == .other)
        }
    }

    @Test func `may stand after one empty line, not two`() throws {
        #expect(try request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")?.byteCount == 29)
        #expect(throws: HeadError.malformedRequestLine) { try request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(throws: HeadError.malformedRequestLine) {
            try request("\nGET / HTTP/1.1\nHost: a\r\n\r\n").map(\.byteCount)
        }
        #expect(throws: HeadError.bareCarriageReturn) {
            try request("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n").map(\.byteCount)
        }
    }

    @Test func `come from HTTP 1.0 without a host`() throws {
        let head = try #require(try request("HEAD /a HTTP/1.0\r\n\r\n")).head
        #expect(head.version == .http10 && head.method == .head && head.authority.isEmpty)
    }

    static let refused: [(String, HeadError)] = [
        // The request line
        (" GET / HTTP/1.1", .malformedRequestLine), ("GET  / HTTP/1.1", .malformedRequestLine),
        ("GET /  HTTP/1.1", .malformedVersion), ("GET / HTTP/1.1 ", .malformedVersion),
        ("GET /", .malformedRequestLine),
        ("GET", .malformedRequestLine), ("GET\t/ HTTP/1.1", .malformedRequestLine),
        ("G@T / HTTP/1.1", .malformedRequestLine),
        ("GET /\tHTTP/1.1", .malformedRequestLine), ("GET / http/1.1", .malformedVersion),
        ("GET / HTTP/1", .malformedVersion),
        ("GET / HTTP/1.1.1", .malformedVersion), ("GET / HTTP/01.1", .malformedVersion),
        ("GET / HTTP/1,1", .malformedVersion),
        ("GET / HTTP/+1.1", .malformedVersion), ("GET / HTTPS/1.1", .malformedVersion),
        ("GET / HTTP/1.x", .malformedVersion),
        ("GET / HTTP/1.2", .unsupportedVersion), ("GET / HTTP/2.0", .unsupportedVersion),
        ("GET / HTTP/0.9", .unsupportedVersion),
        ("get / HTTP/1.1", .unknownMethod), ("BREW / HTTP/1.1", .unknownMethod),
        ("GET\0 / HTTP/1.1", .malformedRequestLine),
        ("CONNECT a:443 HTTP/1.1", .connectRefused), ("GET /\u{7F} HTTP/1.1", .malformedRequestLine),
        // The target
        ("GET a HTTP/1.1", .invalidTarget), ("GET a/b HTTP/1.1", .invalidTarget), ("GET /a#b HTTP/1.1", .invalidTarget),
        ("GET /a\"b HTTP/1.1", .invalidTarget), ("GET /<a> HTTP/1.1", .invalidTarget),
        ("GET /a|b HTTP/1.1", .invalidTarget),
        ("GET /a\\b HTTP/1.1", .invalidTarget), ("GET /a^b HTTP/1.1", .invalidTarget),
        ("GET /{a} HTTP/1.1", .invalidTarget),
        ("GET /caf\u{E9} HTTP/1.1", .invalidTarget), ("GET /%4 HTTP/1.1", .invalidTarget),
        ("GET /%zz HTTP/1.1", .invalidTarget),
        ("GET /?a=%x0 HTTP/1.1", .invalidTarget), ("GET /[a] HTTP/1.1", .invalidTarget),
        ("GET * HTTP/1.1", .asteriskWithoutOptions),
        ("OPTIONS ** HTTP/1.1", .invalidTarget), ("GET a:443 HTTP/1.1", .invalidTarget),
        ("GET ftp://a/ HTTP/1.1", .invalidTarget),
        ("GET http:/a/ HTTP/1.1", .invalidTarget), ("GET http:///a HTTP/1.1", .invalidTarget),
        ("GET http://u@a/ HTTP/1.1", .invalidTarget), ("GET http://a#/ HTTP/1.1", .invalidTarget),
        ("GET http://b/ HTTP/1.1", .hostDisagreesWithTarget), ("GET http://a:8080/ HTTP/1.1", .hostDisagreesWithTarget),
        ("GET http://a:443/ HTTP/1.1", .hostDisagreesWithTarget),
        // Lines and fields
        ("GET / HTTP/1.1\nX: 1", .bareLineFeed), ("GET / HTTP/1.1\rX: 1", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nX: 1\nY: 2", .bareLineFeed),
        ("GET / HTTP/1.1\r\nX: 1\rY: 2", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nX: 1\r\r\nY: 2", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nX: a\0b", .invalidFieldValue), ("GET / HTTP/1.1\r\nX: a\u{1}b", .invalidFieldValue),
        ("GET / HTTP/1.1\r\nX: a\u{B}b", .invalidFieldValue), ("GET / HTTP/1.1\r\nX: a\u{7F}b", .invalidFieldValue),
        ("GET / HTTP/1.1\r\n X: 1", .foldedLine), ("GET / HTTP/1.1\r\nX: 1\r\n folded", .foldedLine),
        ("GET / HTTP/1.1\r\nX: 1\r\n\tfolded", .foldedLine), ("GET / HTTP/1.1\r\nX : 1", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nX\t: 1", .spaceBeforeColon), ("GET / HTTP/1.1\r\nX Y: 1", .invalidFieldName),
        ("GET / HTTP/1.1\r\n: 1", .invalidFieldName), ("GET / HTTP/1.1\r\nX", .invalidFieldName),
        ("GET / HTTP/1.1\r\nX(: 1", .invalidFieldName),
        ("GET / HTTP/1.1\r\nX\0: 1", .invalidFieldName), ("GET / HTTP/1.1\r\nX\u{E9}: 1", .invalidFieldName),
        ("GET / HTTP/1.1\r\nX\n: 1", .bareLineFeed), ("GET / HTTP/1.1\r\nX\r\n: 1", .invalidFieldName),
        // Host
        ("GET / HTTP/1.1\r\nHost: b", .repeatedHost), ("GET / HTTP/1.1\r\nHost: a", .repeatedHost),
        ("GET / HTTP/1.0\r\nHost: a", .repeatedHost),
    ]

    @Test func `with anything doubtful are refused for what is wrong`() {
        for (start, error) in Self.refused {
            #expect(throws: error, "\(start)") { try request("\(start)\r\nHost: a\r\n\r\n").map(\.byteCount) }
        }
    }

    @Test func `need one host that is one`() throws {
        #expect(throws: HeadError.missingHost) { try request("GET / HTTP/1.1\r\nX: 1\r\n\r\n").map(\.byteCount) }
        let valid = [
            "a", "a:80", "a:", "127.0.0.1:4010", "[::1]", "[fe80::1]:8080", "[::ffff:1.2.3.4]", "A-b_c.example",
            "a%20b",
        ]
        for host in valid {
            #expect(try request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")?.head.authority.text == host)
        }
        let invalid = [
            "", "x/#@y", "a b", "a,b\"", "u@a", "a:b", "a:65536", "a:123456", "a:1:2", "[::1", "[a]", "[::1]a", "[]",
            "[::g]", ":80", "a/b",
            "a?b", "a#b", "a\\b", "%zz", "caf\u{E9}", "<a>", String(repeating: "a", count: 256),
        ]
        for host in invalid {
            #expect(throws: HeadError.invalidHost, "\(host)") {
                try request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").map(\.byteCount)
            }
        }
    }

    @Test(arguments: [
        ("GET http://a", "a", "/"), ("GET http://a/", "a", "/"), ("GET http://a/b?c=d", "a", "/b?c=d"),
        ("GET http://a?c", "a", "/?c"),
        ("GET HTTP://A:80/b", "a", "/b"), ("GET http://a/b", "A:80", "/b"), ("GET https://a:443/b", "a:443", "/b"),
        ("GET https://a:443/b", "a", "/b"), ("GET http://[::1]:8080/b", "[::1]:8080", "/b"),
        ("OPTIONS http://a", "a", "*"),
        ("OPTIONS http://a/", "a", "/"), ("OPTIONS *", "a", "*"), ("GET /a?b[]=c&d=%20", "a", "/a?b[]=c&d=%20"),
        ("GET /v1/a:b@c;d,e/~'()!$&*+=", "a", "/v1/a:b@c;d,e/~'()!$&*+="), ("GET //a", "b", "//a"),
    ])
    func `have their targets put in origin form`(line: String, host: String, target: String) throws {
        let head = try #require(try request("\(line) HTTP/1.1\r\nHost: \(host)\r\n\r\n")).head
        #expect(head.target.text == target && head.authority.text == host)
    }

    @Test func `that are too large are refused by size, fields or target`() throws {
        var limits = HeadLimits()
        limits.headBytesMax = 300
        limits.fieldCountMax = 3
        limits.targetBytesMax = 100
        let fits = "GET /" + String(repeating: "a", count: 99) + " HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n"
        #expect(try request(fits, limits: limits)?.byteCount == fits.utf8.count)
        #expect(throws: HeadError.targetTooLong) {
            try request(fits.replacing("GET /", with: "GET /a"), limits: limits).map(\.byteCount)
        }
        #expect(throws: HeadError.tooManyFields) {
            try request(fits.replacing("A: b", with: "A: b\r\nE: f"), limits: limits).map(\.byteCount)
        }
        let large = fits.replacing("A: b", with: "A: " + String(repeating: "b", count: 200))
        #expect(throws: HeadError.headTooLarge) { try request(large, limits: limits).map(\.byteCount) }
        #expect(throws: HeadError.headTooLarge) {
            try request(String(large.prefix(300)), limits: limits).map(\.byteCount)
        }
        #expect(throws: HeadError.targetTooLong) {
            try request("GET /" + String(repeating: "a", count: 300), limits: limits).map(\.byteCount)
        }
        #expect(throws: HeadError.targetTooLong) { try dripped("GET /" + String(repeating: "a", count: 400), limits) }
        #expect(throws: HeadError.headTooLarge) { try dripped(large, limits) }
    }

    @Test func `of exactly the largest size are accepted, dripped or at once`() throws {
        var limits = HeadLimits()
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 100))\r\n\r\n"
        limits.headBytesMax = text.utf8.count
        #expect(try request(text + "more", limits: limits)?.byteCount == text.utf8.count)
        #expect(try dripped(text, limits) == text.utf8.count)
        limits.headBytesMax -= 1
        #expect(throws: HeadError.headTooLarge) { try request(text + "more", limits: limits).map(\.byteCount) }
        #expect(throws: HeadError.headTooLarge) { try dripped(text, limits) }
    }

    func dripped(_ text: String, _ limits: HeadLimits) throws -> Int? {
        var parser = HeadParser(limits: limits)
        let bytes = text.bytes
        for end in 0...bytes.count {
            if let parsed = try parser.request(in: bytes.span.extracting(0..<end)) { return parsed.byteCount }
        }
        return nil
    }

    @Test func `say the same however they arrive`() throws {
        let text =
            "\r\nPOST /v1/a?b=c HTTP/1.1\r\nHost: a\r\nX-Long-Name-Of-A-Field: \t value \r\n"
            + "Content-Length: 3\r\n\r\nabcGET"
        let whole = Message.request(text.bytes)
        #expect(whole.whole?.body.text == "abc" && whole.whole?.byteCount == text.utf8.count - 3)
        for cut in 0..<text.utf8.count { #expect(Message.request(text.bytes, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(Message.request(text.bytes, cuts: Array(0..<text.utf8.count)) == whole)
    }

    @Test func `that drip in cost time in proportion to their size`() throws {
        // Sixty thousand calls: searching again from the start each time would take minutes.
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 60_000) + "\r\n\r\n"
        #expect(try dripped(text, HeadLimits()) == text.utf8.count)
    }

    @Test func `have an error for every reason, with a status that fits`() {
        #expect(HeadError.unsupportedVersion.status == 505 && HeadError.unknownMethod.status == 501)
        #expect(
            HeadError.targetTooLong.status == 414 && HeadError.headTooLarge.status == 431
                && HeadError.tooManyFields.status == 431)
        #expect(HeadError.connectRefused.status == 405 && HeadError.missingHost.status == 400)
    }
}

@Suite struct `Heads of responses` {
    func response(_ text: String) throws -> (head: ResponseHead, version: HTTPVersion, byteCount: Int)? {
        var parser = HeadParser()
        return try parser.response(in: text.bytes.span)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK", 200, HTTPVersion.http11), ("HTTP/1.1 404 ", 404, .http11), ("HTTP/1.0 503", 503, .http10),
        ("HTTP/1.1 100 Continue", 100, .http11), ("HTTP/1.1 599 caf\u{E9}\tau lait", 599, .http11),
    ])
    func `give status and version and forget the reason`(line: String, code: Int, version: HTTPVersion) throws {
        let text = line + "\r\nServer: x\r\n\r\n"
        let parsed = try #require(try response(text + "body"))
        #expect(
            Int(parsed.head.status.code) == code && parsed.version == version && parsed.byteCount == text.utf8.count)
        #expect(parsed.head.fields.text(.server) == "x")
    }

    @Test(arguments: [
        "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/1.1 099 x",
        "HTTP/1.1 600 x",
        "HTTP/1.1 +20 x", "HTTP/2.0 200 OK", "ICY 200 OK", "\r\nHTTP/1.1 200 OK", "HTTP/1.1 200 a\0b",
        "HTTP/1.1 200 OK\nX: 1",
        "HTTP/1.1 200 OK\rX: 1", "HTTP/1.1 200 OK\r\n X: 1", "HTTP/1.1 200 OK\r\nX : 1",
        "HTTP/1.1 200 OK\r\nX: 1\r\n Y", " HTTP/1.1 200 OK",
        "HTTP/1.1\t200 OK", "<html>",
    ])
    func `that are malformed become 502`(start: String) {
        #expect(start.isEmpty || Message.response((start + "\r\nServer: x\r\n\r\n").bytes) == .refused)
        do {
            _ = try response(start + "\r\nServer: x\r\n\r\n")
        } catch {
            #expect((error as? MalformedResponse)?.status == 502)
        }
    }

    @Test func `of a megabyte are refused`() {
        let text = "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 1_000_000) + "\r\n\r\n"
        #expect(throws: MalformedResponse.head(.headTooLarge)) { try response(text).map(\.byteCount) }
    }

    @Test func `say the same however they arrive`() {
        let text =
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "4\r\nWiki\r\n0\r\nEtag: 1\r\n\r\nHTTP"
        let whole = Message.response(text.bytes)
        #expect(whole.whole?.body.text == "Wiki" && whole.whole?.trailers?.lines == ["etag: 1"])
        for cut in 0..<text.utf8.count { #expect(Message.response(text.bytes, cuts: [cut]) == whole, "cut at \(cut)") }
        #expect(Message.response(text.bytes, cuts: Array(0..<text.utf8.count)) == whole)
    }
}
