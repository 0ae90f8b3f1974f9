import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Written messages` {
    func fields(_ lines: [(String, String)]) -> HeaderFields {
        var fields = HeaderFields()
        for (name, value) in lines { fields.append(name: name.bytes.span, value: value.bytes.span) }
        return fields
    }

    func request(
        _ method: Method = .post, _ lines: [(String, String)] = [], _ framing: BodyFraming = .none, keeps: Bool = true,
        target: String = "/a?b",
        host: String = "h:1"
    ) throws -> String {
        let buffer = ByteBuffer()
        try MessageWriter.request(
            method, target: target.bytes.span, host: host.bytes.span, fields: fields(lines), framing: framing,
            keepsConnection: keeps,
            into: buffer)
        return buffer.text
    }

    func response(
        _ status: Status, _ lines: [(String, String)] = [], _ framing: BodyFraming? = .known(2),
        to version: HTTPVersion = .http11,
        keeps: Bool = true, date: String = ""
    ) -> String {
        let buffer = ByteBuffer()
        MessageWriter.response(
            ResponseHead(status, fields: fields(lines)), framing: framing, to: version, keepsConnection: keeps,
            date: date.bytes, into: buffer)
        return buffer.text
    }

    @Test(arguments: [
        (0, 0, "0"), (7, 0, "7"), (-120, 0, "-120"), (.max, 0, "9223372036854775807"), (.min, 0, "-9223372036854775808"),
        (0, 3, "0.000"), (7, 3, "0.007"), (42_042, 3, "42.042"), (1000, 3, "1.000"), (-5, 1, "-0.5"),
        (.min, 18, "-9.223372036854775808"), (.max, 3, "9223372036854775.807"),
    ])
    func `have numbers with as many places as are asked for`(number: Int, places: Int, text: String) {
        var fields = HeaderFields()
        fields.append(lowercaseName: "x-number", decimal: number, places: places)
        #expect(String(decoding: fields.value(at: 0)) == text)
    }

    @Test func `are requests with one host and one framing`() throws {
        let hopByHop = [
            ("Host", "evil"), ("Connection", "close"), ("Content-Length", "9"), ("Transfer-Encoding", "chunked"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"), ("HTTP2-Settings", "x"), ("Keep-Alive", "1"), ("Proxy-Connection", "x"), ("X-A", "1"),
        ]
        #expect(
            try request(.post, hopByHop, .known(5))
                == "POST /a?b HTTP/1.1\r\nhost: h:1\r\nx-a: 1\r\ncontent-length: 5\r\n\r\n")
        #expect(
            try request(.post, hopByHop, .chunked)
                == "POST /a?b HTTP/1.1\r\nhost: h:1\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n")
        #expect(try request(.get, [], keeps: false) == "GET /a?b HTTP/1.1\r\nhost: h:1\r\nconnection: close\r\n\r\n")
        #expect(try request(.put) == "PUT /a?b HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n")
        #expect(try request(.delete) == "DELETE /a?b HTTP/1.1\r\nhost: h:1\r\n\r\n")
    }

    @Test(arguments: ["/a\r\nX: 1", "/a b", "", "/\0", "/caf\u{E9}", "/\t"])
    func `never have a target or host that ends the line`(text: String) {
        #expect(throws: MessageWriter.Refused.target) { try request(target: text) }
        #expect(throws: MessageWriter.Refused.host) { try request(host: text) }
    }

    @Test func `are responses with one framing and the connection's fate`() {
        #expect(
            response(200, [("Content-Type", "a/b")])
                == "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 2\r\n\r\n")
        #expect(response(200, [], .chunked) == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        #expect(response(200, [], BodyFraming.none) == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        #expect(response(200, [], nil) == "HTTP/1.1 200 OK\r\n\r\n")
        #expect(response(200, [], .untilClose, to: .http10) == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        #expect(
            response(200, [], to: .http10) == "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n")
        #expect(
            response(502, [], keeps: false)
                == "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\nconnection: close\r\n\r\n")
        #expect(
            response(204) == "HTTP/1.1 204 No Content\r\n\r\n"
                && response(304, [], BodyFraming.none) == "HTTP/1.1 304 Not Modified\r\n\r\n")
        #expect(response(304) == "HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n")
        #expect(response(103, [("Link", "x")], keeps: false) == "HTTP/1.1 103 Status\r\nlink: x\r\n\r\n")
        #expect(
            response(200, [("Date", "old")], nil, date: "Sun, 06 Nov 1994 08:49:37 GMT")
                == "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n")
    }

    @Test func `leave out every field that cannot be written, and count them`() {
        for byte in UInt8.min...UInt8.max {
            var head = ResponseHead(200)
            head.fields.append(.server, [UInt8(ascii: "a"), byte, UInt8(ascii: "b")].span)
            head.fields.append(name: [UInt8(ascii: "x"), byte].span, value: "1".bytes.span)
            let buffer = ByteBuffer()
            let refused = MessageWriter.response(head, framing: nil, to: .http11, keepsConnection: true, into: buffer)
            let isValue = byte >= 0x20 && byte != 0x7F || byte == 9
            let isName =
                byte < 0x80 && (byte.isASCIILetter || byte.isDecimalDigit || "!#$%&'*+-.^_`|~".utf8.contains(byte))
            #expect(refused == (isValue ? 0 : 1) + (isName ? 0 : 1), "byte \(byte)")
            var parser = HeadParser()
            let count = try? parser.response(in: buffer.span)?.head.fields.count
            #expect(count == 2 - refused, "byte \(byte)")
        }
    }

    @Test func `have chunks and trailers as RFC 9112 writes them`() {
        for (count, text) in [
            (1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (255, "ff\r\n"), (65_536, "10000\r\n"),
            (Int.max, "7fffffffffffffff\r\n"),
        ] {
            let buffer = ByteBuffer()
            MessageWriter.chunkHead(count, into: buffer)
            #expect(buffer.text == text)
        }
        let buffer = ByteBuffer()
        let trailers = fields([("Etag", "1"), ("Content-Length", "5"), ("X", "a\r\nb")])
        #expect(MessageWriter.lastChunk(trailers: trailers, into: buffer) == 1)
        MessageWriter.continue(into: buffer)
        #expect(buffer.text == "0\r\netag: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (Int.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `have dates in the format of HTTP`(seconds: Int, text: String) {
        #expect(HTTPDate.bytes(secondsSince1970: seconds).text == text)
    }
}
