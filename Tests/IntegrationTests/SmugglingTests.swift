import Foundation
import Testing

/// Bytes of an application that another reader might cut into messages elsewhere.
struct Attack: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let statuses: Set<Int>

    init(_ name: String, _ text: String, _ statuses: Set<Int> = [400]) {
        testDescription = name
        bytes = Array(text.utf8)
        self.statuses = statuses
    }

    /// A chat request with these fields instead of those that frame it.
    static func post(_ fields: String, _ body: String, _ statuses: Set<Int> = [400], version: String = "1.1") -> Attack
    {
        let head = "POST /v1/chat/completions HTTP/\(version)\r\nhost: a\r\n\(fields)\r\n\r\n"
        return Attack("\(fields) \(body)".debugDescription, head + body, statuses)
    }

    static func get(_ fields: String, _ statuses: Set<Int> = [400]) -> Attack {
        Attack(fields.debugDescription, "GET /v1/files HTTP/1.1\r\n\(fields)\r\n\r\n", statuses)
    }

    /// The request that is hidden in most of them.
    static let hidden = "GET /v1/files/hidden HTTP/1.1\r\nhost: a\r\n\r\n"
}

@Suite struct `Requests that two readers could read differently` {
    static let lengthsAndCodings: [Attack] = [
        .post("content-length: 6\r\ntransfer-encoding: chunked", "0\r\n\r\nG"),
        .post("transfer-encoding: chunked\r\ncontent-length: 4", "2d\r\n\(Attack.hidden)\r\n0\r\n\r\n"),
        .post("transfer-encoding: chunked\r\ncontent-length: 0", "0\r\n\r\n"),
        .post("transfer-encoding: chunked\r\ntransfer-encoding: chunked", "0\r\n\r\n", [400, 501]),
        .post("transfer-encoding: chunked\r\ntransfer-encoding: identity", "0\r\n\r\n", [400, 501]),
        .post("transfer-encoding: chunked", "0\r\n\r\n", version: "1.0"),
        .post("connection: content-length\r\ncontent-length: 1\r\ntransfer-encoding: chunked", "0\r\n\r\n"),
        .post("content-length: 3\r\ncontent-length: 3", "abc"),
        .post("content-length: 3\r\ncontent-length: 5", "abcde"),
        .post("content-length: 3, 3", "abc"), .post("content-length: 3,5", "abcde"), .post("content-length: +3", "abc"),
        .post("content-length: -1", "abc"), .post("content-length: 0x3", "abc"), .post("content-length: 3 3", "abc"),
        .post("content-length: 3.0", "abc"), .post("content-length: 3e0", "abc"), .post("content-length: ", "abc"),
        .post("content-length: \"3\"", "abc"), .post("content-length: 3;", "abc"), .post("content-length: ٣", "abc"),
        .post("content-length: 9223372036854775808", "abc"), .post("content-length: 18446744073709551619", "abc"),
        .post("content-length: 4294967299", "abc", [413]), .post("content-length : 3", "abc"),
        .post("content-length\u{B}: 3", "abc"), .post("content-length: 3\u{B}", "abc"),
        .post("content-length: \n3", "abc"),
        .post("content-length: 3\rx: y", "abc"),
    ]

    /// Each is `chunked` to some reader, and none of it to another.
    static let codings: [Attack] = [
        "transfer-encoding: xchunked", "transfer-encoding: chunkedx", "transfer-encoding: x",
        "transfer-encoding: identity",
        "transfer-encoding: identity, chunked", "transfer-encoding: chunked, identity",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked", "transfer-encoding: chunked,", "transfer-encoding: ,chunked",
        "transfer-encoding: chunked;", "transfer-encoding: chunked;q=1", "transfer-encoding: chunked; x=y",
        "transfer-encoding: \"chunked\"", "transfer-encoding: 'chunked'", "transfer-encoding: chun ked",
        "transfer-encoding: chunked chunked", "transfer-encoding: ", "transfer-encoding: chunked\u{B}",
        "transfer-encoding: \u{B}chunked", "transfer-encoding: \u{C}chunked", "transfer-encoding: chunked\u{0}",
        "transfer-encoding: \u{A0}chunked", "transfer-encoding: cow\r\ntransfer-encoding: chunked",
        "transfer-encoding:\r\n chunked", "transfer-encoding:\r\n\tchunked", "transfer-encoding:\n chunked",
        "transfer-encoding:\nchunked", "transfer-encoding: chunked\n", " transfer-encoding: chunked",
        "transfer-encoding : chunked", "transfer-encoding\t: chunked", "transfer-encoding\u{0}: chunked",
        "x: y\ntransfer-encoding: chunked", "x: y\rtransfer-encoding: chunked",
        "transfer-encoding: ChunKed\r\nTransfer-Encoding: x",
        "transfer-encoding: \u{212A}chunked",
    ].map { .post($0, "0\r\n\r\n\(Attack.hidden)", [400, 501]) }

    static let chunks: [Attack] = [
        "x\r\n", "-1\r\n", "+1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n0\r\n\r\n", " 1\r\na\r\n0\r\n\r\n", "1\na\r\n0\r\n\r\n",
        "1\ra\r\n0\r\n\r\n",
        "\r\n", "1\r\r\na\r\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "3\r\na\r\n0\r\n\r\nGET", "1\r\na\n0\r\n\r\n",
        "1\r\na\r0\r\n\r\n", "1\r\na0\r\n\r\n",
        "10000000000000001\r\na\r\n0\r\n\r\n", "8000000000000000\r\na", "ffffffffffffffff\r\na",
        "00000000000000001\r\na\r\n0\r\n\r\n",
        "1;\n\r\na\r\n0\r\n\r\n", "1;a\nb\r\na\r\n0\r\n\r\n", "1;a\rb\r\na\r\n0\r\n\r\n",
        "1;a=\"\n\"\r\na\r\n0\r\n\r\n", "1;a\u{0}\r\na\r\n0\r\n\r\n",
        "1;=\r\na\r\n0\r\n\r\n", "1;\r\na\r\n0\r\n\r\n", "1 x\r\na\r\n0\r\n\r\n", "1_0\r\na", "1,1\r\na\r\n0\r\n\r\n",
        "0\r\n\n", "0\n\r\n", "0\r\nx: y\n\r\n",
        "0\r\n folded\r\n\r\n", "0\r\nx y: z\r\n\r\n", "0\r\n: z\r\n\r\n",
    ].map { .post("transfer-encoding: chunked", $0 + Attack.hidden) }

    static let longExtensions: [Attack] = [
        .post("transfer-encoding: chunked", "1;" + String(repeating: "x", count: 20_000) + "\r\na\r\n0\r\n\r\n"),
        .post(
            "transfer-encoding: chunked",
            String(repeating: "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n \r\n", count: 1000) + "0\r\n\r\n"),
        .post(
            "transfer-encoding: chunked", "0\r\nx: " + String(repeating: "y", count: 70_000) + "\r\n\r\n", [400, 431]),
        .post("transfer-encoding: chunked", "0\r\n" + String(repeating: "x: y\r\n", count: 300) + "\r\n", [400, 431]),
    ]

    static let lines: [Attack] = [
        Attack("bare LF after the request line", "GET /v1/files HTTP/1.1\nhost: a\r\n\r\n"),
        Attack("bare CR in the request line", "GET /v1/files\rx HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("NUL in the target", "GET /v1/fi\u{0}les HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("two spaces", "GET  /v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a tab", "GET\t/v1/files\tHTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a space in the target", "GET /v1/files HTTP/1.1 HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("no version", "GET /v1/files\r\nhost: a\r\n\r\n"),
        Attack("lower case", "GET /v1/files http/1.1\r\nhost: a\r\n\r\n"),
        Attack("another version", "GET /v1/files HTTP/1.01\r\nhost: a\r\n\r\n"),
        Attack("a version too new", "GET /v1/files HTTP/1.2\r\nhost: a\r\n\r\n", [505]),
        Attack("two empty lines", "\r\n\r\nGET /v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a space before the method", " GET /v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a letter that is none", "G\u{CB}T /v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("an unknown method", "GIT /v1/files HTTP/1.1\r\nhost: a\r\n\r\n", [501]),
        Attack("a fragment", "GET /v1/files#x HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a backslash", "GET \\v1\\files HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("half an escape", "GET /v1/files/%2 HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("raw bytes above 127", "GET /v1/files/\u{E9} HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a star", "GET * HTTP/1.1\r\nhost: a\r\n\r\n"),
        Attack("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n"),
        Attack("CONNECT", "CONNECT provider:443 HTTP/1.1\r\nhost: provider:443\r\n\r\n", [405]),
        Attack("CONNECT to a path", "CONNECT /v1/files HTTP/1.1\r\nhost: a\r\n\r\n", [400, 405]),
        .get("host: a\nx: y"), .get("host: a\r\n x: y"), .get("host: a\r\nx: y\r\n\tz"), .get("host: a\r\nx\u{0}: y"),
        .get("host: a\r\nx: y\u{0}z"), .get("host: a\r\nx: y\rz: q"), .get("host: a\r\nx: \u{8}"),
        .get("host: a\r\nx: \u{7F}"),
        .get("host: a\r\nx y: z"), .get("host: a\r\n: z"), .get("host: a\r\nnocolon"), .get("host: a\r\nx : z"),
        .get("host: a\r\nx(y): z"), .get("host: a\r\n\"x\": z"), .get("host: a\r\nx\u{E9}: z"), .get(" host: a"),
    ]

    static let hosts: [Attack] =
        [
            "", "x/#@y", "a@b", "user:pass@a", "a b", "a/b", "a?b", "a#b", "a\\b", "a:80:80", "a:99999", "a:-1", "a:x",
            "[::1", "::1]",
            "[::1]x", "[v1.x]", "\"a\"", "a%2", "<a>", "a\u{E9}",
        ].map { .get("host: \($0)") } + [
            .get("x: y"), .get("host: a\r\nhost: a"), .get("host: a\r\nHost: b"), .get("host: a, b"), .get("host : a"),
            Attack("another host in the target", "GET http://b/v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
            Attack("another port in the target", "GET http://a:81/v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
            Attack("a user in the target", "GET http://a@a/v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
            Attack("no host in the target", "GET http:///v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
            Attack("another scheme", "GET ftp://a/v1/files HTTP/1.1\r\nhost: a\r\n\r\n"),
            Attack("only an authority", "GET a:80 HTTP/1.1\r\nhost: a\r\n\r\n"),
        ]

    struct Group: CustomTestStringConvertible {
        let testDescription: String
        let attacks: [Attack]
    }

    static let groups = [
        Group(testDescription: "lengths and codings", attacks: lengthsAndCodings),
        Group(testDescription: "spellings of chunked", attacks: codings),
        Group(testDescription: "chunks", attacks: chunks),
        Group(testDescription: "long extensions and trailers", attacks: longExtensions),
        Group(testDescription: "lines", attacks: lines), Group(testDescription: "hosts", attacks: hosts),
    ]

    @Test(arguments: groups)
    func `are refused, their connection is closed, and the provider sees nothing`(group: Group) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for attack in group.attacks {
                let wire = try sluice.connect()
                try wire.send(attack.bytes + Array(Attack.hidden.utf8))
                let reply = try wire.readResponse(to: "GET")
                #expect(attack.statuses.contains(reply.status), "\(attack.testDescription): \(reply.head)")
                #expect(reply["connection"] == "close", "\(attack.testDescription)")
                #expect(reply.json["error"]["message"].string != nil, "\(attack.testDescription)")
                #expect(try wire.takeRest().isEmpty, "\(attack.testDescription): something else was answered")
            }
            #expect(upstream.requests.all.map(\.head) == [])
            #expect(try sluice.chat().text == Sample.completion)
            #expect(upstream.requests.all.count == 1)
            for line in sluice.process.output.lines.all {
                #expect(
                    !line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, "\(line.debugDescription)")
            }
        }
    }

    @Test func `a body that turns out malformed ends what the provider was sent, and does not complete it`() throws {
        let complete = Recorder<String>()
        let upstream = try ScriptedUpstream(readsBodies: false) { connection, request in
            var pieces: [String] = []
            while let chunk = try connection.wire.readChunk() { pieces.append(String(decoding: chunk, as: UTF8.self)) }
            complete.record(pieces.joined())
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            for (round, attack) in Self.chunks.enumerated() {
                let wire = try sluice.connect()
                try wire.send("POST /v1/files HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
                try upstream.requests.count(round + 1, "heads")
                let body = attack.bytes[(attack.bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? 0)...]
                try wire.send(Array(body))
                let reply = try wire.readResponse()
                #expect(reply.status == 400, "\(attack.testDescription): \(reply.head)")
                #expect(try wire.takeRest().isEmpty, "\(attack.testDescription)")
            }
            try upstream.ends.count(0, "ends")
            #expect(complete.all.isEmpty)
        }
    }
}
