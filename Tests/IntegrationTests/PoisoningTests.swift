import Foundation
import Testing

@Suite struct `Providers that lie about where an answer ends` {
    private static let poison = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\npoison"

    private static func head(_ fields: String, status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\n\(fields)\r\n\r\n"
    }

    private static let answer = #"{"is":"mine"}"#

    struct Lie: CustomTestStringConvertible {
        let testDescription: String
        let bytes: String
        /// Whether there is a whole answer in it.
        let isAnswer: Bool
    }

    static let lies = [
        Lie(testDescription: "a second answer", bytes: head("content-length: 13") + answer + poison, isAnswer: true),
        Lie(
            testDescription: "a second answer after chunks",
            bytes: head("transfer-encoding: chunked") + "d\r\n\(answer)\r\n0\r\n\r\n\(poison)",
            isAnswer: true),
        Lie(
            testDescription: "a line end too many",
            bytes: head("content-length: 13") + answer + "\r\n", isAnswer: true),
        Lie(testDescription: "a body with 204", bytes: head("x: y", status: "204 No Content") + poison, isAnswer: true),
        Lie(
            testDescription: "a body with 304", bytes: head("content-length: 6", status: "304 Not Modified") + "poison",
            isAnswer: true),
        Lie(testDescription: "102 and then nothing", bytes: "HTTP/1.1 102 Processing\r\n\r\n", isAnswer: false),
        Lie(
            testDescription: "101 before an answer",
            bytes: "HTTP/1.1 101 X\r\nupgrade: x\r\n\r\n" + head("content-length: 13") + answer, isAnswer: false),
        Lie(
            testDescription: "two different lengths", bytes: head("content-length: 13\r\ncontent-length: 6") + answer,
            isAnswer: false),
        Lie(
            testDescription: "length and chunks",
            bytes: head("content-length: 13\r\ntransfer-encoding: chunked") + answer, isAnswer: false),
        Lie(
            testDescription: "a chunk without its line end",
            bytes: head("transfer-encoding: chunked") + "d\r\n\(answer)0\r\n\r\n", isAnswer: false),
        Lie(
            testDescription: "no last chunk", bytes: head("transfer-encoding: chunked") + "d\r\n\(answer)\r\n",
            isAnswer: false),
        Lie(
            testDescription: "half a last chunk", bytes: head("transfer-encoding: chunked") + "d\r\n\(answer)\r\n0\r\n",
            isAnswer: false),
        Lie(
            testDescription: "a bare LF", bytes: "HTTP/1.1 200 OK\ncontent-length: 13\r\n\r\n" + answer, isAnswer: false
        ),
        Lie(
            testDescription: "a bare CR", bytes: head("x: y\rset-cookie: z\r\ncontent-length: 13") + answer,
            isAnswer: false),
        Lie(
            testDescription: "NUL in a value", bytes: head("x: y\u{0}z\r\ncontent-length: 13") + answer, isAnswer: false
        ),
        Lie(
            testDescription: "a folded line",
            bytes: head("x: y\r\n z\r\ncontent-length: 13") + answer, isAnswer: false),
        Lie(testDescription: "a space before the colon", bytes: head("content-length : 13") + answer, isAnswer: false),
        Lie(
            testDescription: "a length that overflows", bytes: head("content-length: 18446744073709551629") + answer,
            isAnswer: false),
        Lie(
            testDescription: "a head of 1 MB", bytes: head("x: " + String(repeating: "y", count: 1 << 20)) + answer,
            isAnswer: false),
        Lie(
            testDescription: "interim answers without end",
            bytes: String(repeating: "HTTP/1.1 103 E\r\n\r\n", count: 20_000), isAnswer: false),
    ]

    @Test(arguments: lies)
    func `do not get it past us, and the next answer is the right one`(lie: Lie) throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.target.hasSuffix("good") { return try connection.reply(#"{"is":"good"}"#) }
            try? connection.wire.send(lie.bytes)
            if !lie.isAnswer { connection.isOver = true }
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            for path in ["/v1/files/bad", "/v1/files/bad?again"] {
                if let reply = try whole(path, sluice) {
                    #expect(lie.isAnswer || reply.status == 502, "\(reply.head)")
                    #expect(reply.status != 200 || reply.text == Self.answer, "\(reply.text)")
                    #expect(!reply.text.contains("poison") && reply.values("set-cookie").isEmpty)
                } else {
                    #expect(!lie.isAnswer, "it was cut")
                }
                let next = try sluice.exchange("GET", "/v1/files/good")
                #expect(next.status == 200 && next.text == #"{"is":"good"}"#, "\(next.head) \(next.text)")
            }
        }
    }

    /// - Returns: `nil` if the reply was visibly cut.
    private func whole(_ path: String, _ sluice: SluiceProcess) throws -> HTTPMessage? {
        do {
            return try sluice.exchange("GET", path)
        } catch is Wire.Failure {
            return nil
        }
    }

    @Test func `an answer that nobody asked for is given to nobody`() throws {
        let poisoned = Recorder<Bool>()
        let go = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, request in
            try connection.reply(#"{"target":"\#(request.target)"}"#)
            guard request.target.hasSuffix("first") else { return }
            // When Sluice has taken the answer and put the connection aside.
            try go.count(1, "the application to have its answer")
            try? connection.wire.send(Self.poison)
            poisoned.record(true)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.exchange("GET", "/v1/files/first").json["target"].string == "/v1/files/first")
            go.record(1)
            try poisoned.first("the poison")
            for round in 1...5 {
                let reply = try wire.exchange("GET", "/v1/files/\(round)")
                #expect(reply.json["target"].string == "/v1/files/\(round)", "\(reply.text)")
            }
            #expect(upstream.connections.all.count == 2)
        }
    }

    @Test func `a stream that is followed by more is ended, and its connection not used again`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            // In one piece with the end: whoever sends it later may be answering the next request, for all that can be told.
            try connection.wire.send("0\r\n\r\n" + Self.poison)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...5 {
                try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
                let events = try ResponseStream(wire).rest()
                #expect(events == ["data: " + Sample.delta("a"), "data: " + Sample.finish, "data: [DONE]"])
            }
            #expect(upstream.connections.all.count == 5)
        }
    }
}
