import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Body framing` {
    func request(_ fields: String, version: String = "1.1") throws -> BodyFraming {
        var parser = HeadParser()
        let text = "POST / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n\r\n"
        return try BodyFraming.request(try #require(try parser.request(in: text.bytes.span)).head)
    }

    func response(_ fields: String, status: Int = 200, version: String = "1.1", to method: Method = .get) throws
        -> BodyFraming
    {
        var parser = HeadParser()
        let text = "HTTP/\(version) \(status) x\r\n\(fields)\(fields.isEmpty ? "" : "\r\n")\r\n"
        let parsed = try #require(try parser.response(in: text.bytes.span))
        return try BodyFraming.response(parsed.head, version: parsed.version, to: method)
    }

    @Test func `of requests is a length, chunks or nothing`() throws {
        #expect(try request("X: 1") == .none)
        #expect(try request("Content-Length: 0") == .known(0))
        #expect(try request("Content-Length: 42") == .known(42))
        #expect(try request("Content-Length: \(Int.max)") == .known(.max))
        #expect(try request("Transfer-Encoding: chunked") == .chunked)
        #expect(try request("transfer-encoding:\tChUnKeD ") == .chunked)
        #expect(try request("Content-Length: 7", version: "1.0") == .known(7))
    }

    @Test(arguments: [
        ("", FramingError.invalidContentLength), ("+5", .invalidContentLength), ("-5", .invalidContentLength),
        ("5 5", .invalidContentLength),
        ("0x5", .invalidContentLength), ("5.0", .invalidContentLength), ("5;", .invalidContentLength),
        ("five", .invalidContentLength),
        ("5, 5", .repeatedContentLength), ("5,6", .repeatedContentLength), ("5,", .repeatedContentLength),
        ("9223372036854775808", .contentLengthTooLarge), ("18446744073709551621", .contentLengthTooLarge),
        ("99999999999999999999999999", .contentLengthTooLarge), ("5\r\nContent-Length: 5", .repeatedContentLength),
        ("5\r\nContent-Length: 6", .repeatedContentLength), ("5\r\ncontent-length: 5", .repeatedContentLength),
    ])
    func `refuses a content length that is not one number`(value: String, error: FramingError) {
        #expect(throws: error) { try request("Content-Length: \(value)") }
        #expect(throws: MalformedResponse.framing(error)) { try response("Content-Length: \(value)") }
        #expect(error.status == 400)
    }

    /// What requests say, in ways that some readers take for `Transfer-Encoding: chunked` and others do not.
    static let obfuscated = [
        "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding:\u{B}chunked",
        "Transfer-Encoding: \u{C}chunked",
        "Transfer-Encoding: chunked\u{B}", "Transfer-Encoding: \0chunked", "Transfer-Encoding: chunked\0",
        " Transfer-Encoding: chunked",
        "X: X\r\n Transfer-Encoding: chunked", "X: X\nTransfer-Encoding: chunked", "X: X\rTransfer-Encoding: chunked",
        "Transfer-Encoding\r\n: chunked", "Transfer-Encoding\n: chunked", "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\n chunked",
        "Transfer-Encoding\t: chunked", "Transfer-Encoding\u{B}: chunked", "Transfer-Encoding: chunked,",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: , chunked", "Transfer-Encoding: chunked;", "Transfer-Encoding: chunked; q=1",
        "Transfer-Encoding: chunked;ext=1",
        "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'", "Transfer-Encoding: chunked chunked",
        "Transfer-Encoding: chunk",
        "Transfer-Encoding: chunked identity", "Transfer-Encoding: identity", "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: deflate;q=0.5, chunked", "Transfer-Encoding:", "Transfer-Encoding: ",
        "Transfer-Encoding: cow",
        "Transfer-Encoding: =chunked", "Transfer-Encoding: chunked=1", "Transfer-Encoding: (chunked)",
        "Transfer-Encoding: \u{FF}chunked",
        "Transfer-Encoding: chunked\u{A0}", "Transfer-Encoding: chun\tked", "Transfer-Encoding: chun ked",
        "Transfer-Encoding: CHUNKED\u{212A}",
        "Transfer\u{E9}Encoding: chunked", "\u{1}Transfer-Encoding: chunked", "Transfer-Encoding\0: chunked",
        "Transfer-Encoding; chunked",
        "Transfer-Encoding: chunked\r", "Transfer-Encoding: chunked\r\n\tidentity",
    ]

    @Test func `refuses every disguise of chunked, with a length beside it or not`() {
        for line in Self.obfuscated {
            for beside in ["", "\r\nContent-Length: 5", "\r\nContent-Length: 0"] {
                let error = #expect(throws: (any Error).self, "\(line)") { try request(line + beside) }
                let status = (error as? HeadError)?.status ?? (error as? FramingError)?.status
                #expect(status == 400 || status == 501, "\(line)")
            }
        }
    }

    @Test(arguments: [
        ("gzip", 501), ("identity", 501), ("gzip, chunked", 501), ("xchunked", 501), ("chunked, chunked", 400),
        ("chunked, gzip", 400),
        ("", 400), ("chunked,", 400), ("chunked;q=1", 400), ("\"chunked\"", 400),
    ])
    func `tells a coding that is unknown from one that is malformed`(value: String, code: Int) throws {
        let error = #expect(throws: FramingError.self) { try request("Transfer-Encoding: \(value)") }
        #expect(error?.status.code == UInt16(code))
    }

    @Test func `refuses two framings, and chunks in HTTP 1.0`() {
        #expect(throws: FramingError.bothLengthAndCoding) {
            try request("Content-Length: 5\r\nTransfer-Encoding: chunked")
        }
        #expect(throws: FramingError.bothLengthAndCoding) {
            try request("Transfer-Encoding: chunked\r\nContent-Length: 5")
        }
        #expect(throws: FramingError.bothLengthAndCoding) {
            try request("Transfer-Encoding: gzip\r\nContent-Length: 0")
        }
        #expect(throws: FramingError.codingInHTTP10) { try request("Transfer-Encoding: chunked", version: "1.0") }
        #expect(throws: MalformedResponse.framing(.bothLengthAndCoding)) {
            try response("Content-Length: 5\r\nTransfer-Encoding: chunked")
        }
        #expect(throws: MalformedResponse.framing(.codingInHTTP10)) {
            try response("Transfer-Encoding: chunked", version: "1.0")
        }
        #expect(throws: MalformedResponse.framing(.unknownCoding)) { try response("Transfer-Encoding: gzip, chunked") }
    }

    @Test func `of responses depends on the request and the status`() throws {
        #expect(try response("") == .untilClose)
        #expect(try response("Content-Length: 3") == .known(3))
        #expect(try response("Transfer-Encoding: chunked") == .chunked)
        #expect(try response("Content-Length: 3", to: .head) == .none)
        #expect(try response("Transfer-Encoding: chunked", to: .head) == .none)
        for status in [100, 101, 103, 204, 304] { #expect(try response("Content-Length: 3", status: status) == .none) }
        #expect(try response("", status: 500, version: "1.0") == .untilClose)
        #expect(throws: MalformedResponse.framing(.invalidContentLength)) {
            try response("Content-Length: x", to: .head)
        }
    }

    @Test func `for sending suits the peer`() {
        #expect(
            BodyFraming.sending(.none, to: .http11) == .none && BodyFraming.sending(.known(5), to: .http10) == .known(5)
        )
        #expect(
            BodyFraming.sending(.unknown, to: .http11) == .chunked
                && BodyFraming.sending(.unknown, to: .http10) == .untilClose)
        #expect(BodyFraming.chunked.length == .unknown && BodyFraming.known(4).length == .known(4))
    }

    @Test(arguments: [
        ("", true, false), ("close", false, false), ("Close", false, false), ("keep-alive", true, true),
        ("Keep-Alive, TE", true, true),
        ("te , close", false, false), ("keep-alive, close", false, false), ("closed", true, false),
    ])
    func `leaves the connection as version and fields say`(value: String, kept11: Bool, kept10: Bool) {
        var fields = HeaderFields()
        if !value.isEmpty { fields.append(.connection, value) }
        #expect(fields.keepsConnection(.http11) == kept11)
        #expect(fields.keepsConnection(.http10) == kept10)
    }
}
