import Foundation
import Testing

@Suite struct `Bedrock behind OpenAI's chat` {
    private func configuration(_ upstream: ScriptedUpstream) -> Configuration {
        var configuration = Configuration()
        configuration.providers = [
            #"aws: {dialect: "bedrock", base_url: "http://127.0.0.1:\#(upstream.port)", api_key: "\#(Secrets.provider)"}"#
        ]
        configuration.defaultProvider = "aws"
        return configuration
    }

    private static let model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
    private static func chat(_ messages: String, _ rest: String = "") -> String {
        #"{"model":"\#(model)","messages":[\#(messages)]\#(rest)}"#
    }

    private static let question = #"{"role":"user","content":"?"}"#
    private static let text =
        #"{"output":{"message":{"role":"assistant","content":[{"text":"Hi!"}]}},"stopReason":"end_turn","usage":{"inputTokens":8,"outputTokens":3,"totalTokens":31,"cacheReadInputTokens":20},"metrics":{"latencyMs":412}}"#

    /// A frame of `application/vnd.amazon.eventstream` (section 7 of the Bedrock sheet), by a CRC that is not the proxy's.
    private static func frame(_ headers: [(String, String)], _ payload: String) -> [UInt8] {
        func bigEndian(_ number: UInt32) -> [UInt8] {
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        }
        func checksum(_ bytes: [UInt8]) -> UInt32 {
            ~bytes.reduce(~0) { crc, byte in
                (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
            }
        }
        var head: [UInt8] = []
        for (name, value) in headers {
            head += [UInt8(name.utf8.count)] + Array(name.utf8) + [7, 0, UInt8(value.utf8.count)] + Array(value.utf8)
        }
        var frame = bigEndian(UInt32(16 + head.count + payload.utf8.count)) + bigEndian(UInt32(head.count))
        frame += bigEndian(checksum(frame))
        frame += head + Array(payload.utf8)
        return frame + bigEndian(checksum(frame))
    }

    private static func event(_ name: String, _ payload: String) -> [UInt8] {
        frame([(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload)
    }

    /// Golden B4 of the sheet.
    private static let transcript: [UInt8] =
        event("messageStart", #"{"role":"assistant"}"#)
        + event("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"text":"Looking."},"p":"abc"}"#)
        + event("contentBlockStop", #"{"contentBlockIndex":0}"#)
        + event(
            "contentBlockStart",
            #"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"get_weather"}}}"#)
        + event("contentBlockDelta", #"{"contentBlockIndex":1,"delta":{"toolUse":{"input":""}}}"#)
        + event("contentBlockDelta", #"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"city\": "}}}"#)
        + event("contentBlockDelta", #"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"\"Oslo\"}"}}}"#)
        + event("contentBlockStop", #"{"contentBlockIndex":1}"#)
        + event(
            "contentBlockStart", #"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"tooluse_2","name":"now"}}}"#)
        + event("contentBlockStop", #"{"contentBlockIndex":2}"#) + event("messageStop", #"{"stopReason":"tool_use"}"#)
        + event(
            "metadata",
            #"{"usage":{"inputTokens":300,"outputTokens":60,"totalTokens":360},"metrics":{"latencyMs":1200}}"#)

    private static func startStream(_ connection: UpstreamConnection) throws {
        try connection.wire.send(
            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\nx-amzn-RequestId: aws-1\r\n\r\n"
        )
    }

    @Test func `is asked and answers in its own words`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Self.text, ["x-amzn-RequestId: aws-1"])
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(Self.chat(Self.question, #","seed":1,"max_tokens":9"#), ["x-request-id: b1"])
            #expect(
                reply.status == 200 && reply.json["choices"][0]["message"]["content"].string == "Hi!", "\(reply.text)")
            #expect(reply.json["usage"]["prompt_tokens"].int == 28 && reply.json["model"].string == Self.model)
            #expect(reply["x-sluice-dropped-fields"] == "seed" && reply["x-upstream-request-id"] == "aws-1")
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "POST /model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse HTTP/1.1")
            #expect(request["authorization"] == "Bearer \(Secrets.provider)")
            #expect(
                request.text
                    == #"{"messages":[{"role":"user","content":[{"text":"?"}]}],"inferenceConfig":{"maxTokens":9}}"#)
        }
    }

    @Test(arguments: [1, 7, 4096])
    func `streams, however its frames are cut, and takes its calls' results in the next turn`(pieceBytes: Int) throws {
        let upstream = try ScriptedUpstream { connection, request in
            if !request.target.hasSuffix("-stream") { return try connection.reply(Self.text) }
            try Self.startStream(connection)
            for start in stride(from: 0, to: Self.transcript.count, by: pieceBytes) {
                try connection.chunk(Array(Self.transcript[start..<min(Self.transcript.count, start + pieceBytes)]))
            }
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let tools =
                #","tools":[{"type":"function","function":{"name":"get_weather"}},{"type":"function","function":{"name":"now"}}]"#
            let events = try sluice.stream(
                Self.chat(Self.question, tools + #","stream":true,"stream_options":{"include_usage":true}"#)
            ).rest()
            let request = try upstream.requests.first("the request")
            #expect(
                request.target.hasSuffix("/converse-stream")
                    && request["accept"] == "application/vnd.amazon.eventstream")
            let deltas = events.map { JSON($0.dropFirst(6))["choices"][0]["delta"] }
            #expect(deltas.compactMap { $0["content"].string }.joined() == "Looking.")
            let calls = deltas.map { $0["tool_calls"][0] }.filter(\.isValid)
            #expect(calls.compactMap { $0["id"].string } == ["tooluse_1", "tooluse_2"])
            #expect(calls.map { $0["index"].int } == [0, 0, 0, 1, 1])
            #expect(calls.map { $0["function"]["arguments"].string } == ["", #"{"city": "#, #""Oslo"}"#, "", "{}"])
            #expect(events.last == "data: [DONE]" && events.contains { $0.contains(#""total_tokens":360"#) })
            let turn =
                #"{"role":"assistant","content":"Looking.","tool_calls":[{"id":"tooluse_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Oslo\"}"}},{"id":"tooluse_2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"tooluse_1","content":"3"},{"role":"tool","tool_call_id":"tooluse_2","content":"noon"}"#
            let reply = try sluice.chat(Self.chat(Self.question + "," + turn, tools))
            #expect(reply.json["choices"][0]["message"]["content"].string == "Hi!", "\(reply.text)")
            let second = try #require(upstream.requests.all.last)
            #expect(
                second.text.contains(
                    #"{"role":"assistant","content":[{"text":"Looking."},{"toolUse":{"toolUseId":"tooluse_1","name":"get_weather","input":{"city": "Oslo"}}},{"toolUse":{"toolUseId":"tooluse_2","name":"now","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_1","content":[{"text":"3"}],"status":"success"}},{"toolResult":{"toolUseId":"tooluse_2","content":[{"text":"noon"}],"status":"success"}}]}"#
                ),
                "\(second.text)")
        }
    }

    @Test(arguments: [
        (
            "429 Too Many Requests", "ThrottlingException:http://x/", #"{"message":"Slow down."}"#, 429,
            "rate_limit_exceeded"
        ),
        (
            "400 Bad Request", "ValidationException", #"{"message":"Input is too long for requested model."}"#, 400,
            "context_length_exceeded"
        ),
        (
            "403 Forbidden", "UnrecognizedClientException", #"{"message":"The security token is invalid."}"#, 401,
            "invalid_api_key"
        ),
        ("500 Internal Server Error", "InternalServerException", "", 500, "internal_error"),
    ])
    func `has its errors told as OpenAI's`(status: String, type: String, body: String, expected: Int, code: String)
        throws
    {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(body, status: status, ["x-amzn-ErrorType: \(type)"])
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for rest in ["", #","stream":true"#] {
                let reply = try sluice.chat(Self.chat(Self.question, rest))
                #expect(reply.status == expected && reply.json["error"]["code"].string == code, "\(reply.text)")
            }
        }
    }

    struct End: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let code: String
    }

    private static let ends = [
        End(
            testDescription: "exception",
            bytes: frame(
                [(":exception-type", "throttlingException"), (":message-type", "exception")],
                #"{"message":"Slow down."}"#),
            code: "rate_limit_exceeded"),
        End(
            testDescription: "exception without JSON",
            bytes: frame([(":exception-type", "modelStreamErrorException"), (":message-type", "exception")], "oops"),
            code: "model_error"),
        End(
            testDescription: "error",
            bytes: frame(
                [(":message-type", "error"), (":error-code", "InternalFailure"), (":error-message", "Broken.")], ""),
            code: "internal_error"),
        End(testDescription: "cut", bytes: [], code: "upstream_truncated"),
        End(
            testDescription: "cut within a frame", bytes: Array(event("messageStop", "{}").dropLast()),
            code: "upstream_truncated"),
        End(
            testDescription: "damaged",
            bytes: event("messageStop", "{}").dropLast() + [event("messageStop", "{}").last! ^ 1],
            code: "upstream_malformed"),
    ]

    @Test(arguments: ends)
    func `ends a stream that fails or is cut with an error`(end: End) throws {
        let hasArrived = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            try Self.startStream(connection)
            try connection.chunk(Self.event("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"text":"Hel"}}"#))
            _ = hasArrived.wait(timeout: .now() + 20)
            if !end.bytes.isEmpty { try connection.chunk(end.bytes) }
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(Self.chat(Self.question, #","stream":true"#))
            let first = try [stream.next(), stream.next()]
            hasArrived.signal()
            let (events, isClean) = try stream.untilAnyEnd()
            #expect(!isClean && first[1]?.contains("Hel") == true && !events.contains("data: [DONE]"))
            #expect(JSON(events.last?.dropFirst(6) ?? "")["error"]["code"].string == end.code, "\(events)")
        }
    }

    @Test func `tells an error that is the first event with a status`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try Self.startStream(connection)
            try connection.chunk(Self.event("messageStart", #"{"role":"assistant"}"#) + Self.ends[0].bytes)
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(Self.chat(Self.question, #","stream":true"#))
            #expect(reply.status == 429 && reply.json["error"]["message"].string == "Slow down.", "\(reply.text)")
        }
    }
}
