import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Replies of Bedrock` {
    private let dialect = ConverseDialect()

    private func identity(_ name: String) throws -> ReplyIdentity {
        let expected = try Golden.text("Bedrock/\(name).oai-chat-resp.json")
        let object = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? [String: Any]
        return ReplyIdentity(requestID: name, created: 1_764_000_000, model: object?["model"] as? String ?? "", seed: 1)
    }

    private func chat(_ assembly: ReplyAssembly, _ identity: ReplyIdentity) -> String {
        let body = ByteBuffer()
        var identity = identity
        ChatReplyBody.write(assembly, &identity, into: body)
        return body.text
    }

    @Test(arguments: [("B1", "B1"), ("B3", "B3"), ("B5", "B5"), ("B5-2", "B5"), ("B7", "B7"), ("B8", "B8")])
    func `are those of the sheet as chat completions`(name: String, reply: String) throws {
        let given = try Golden.text("Bedrock/\(name).bedrock-resp.json").replacingOccurrences(
            of: "verdict", with: "sluice_structured_answer")
        let body = chat(try Transcoder.whole(given, from: dialect), try identity(reply))
        // Nothing written to a cache is not said; the seal of reasoning is.
        var expected = try Golden.text("Bedrock/\(reply).oai-chat-resp.json").replacingOccurrences(
            of: #","cache_write_tokens":0"#, with: "")
        expected = expected.replacingOccurrences(
            of: #""reasoning_content":"17*20=340, 17*3=51.""#,
            with:
                #""reasoning_content":"17*20=340, 17*3=51.","reasoning_details":[{"type":"reasoning.text","text":"17*20=340, 17*3=51.","signature":"EqQBsig==","format":"amazon-bedrock-v1","index":0}]"#
        )
        #expect(isSame(body, expected), "\(body)")
    }

    @Test func `are read from the very bytes of the sheet`() throws {
        let base64 =
            "AAAAgQAAAFJswXaTCzpldmVudC10eXBlBwAMbWVzc2FnZVN0YXJ0DTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29uDTptZXNzYWdlLXR5cGUHAAVldmVudHsicCI6ImFiY2QiLCJyb2xlIjoiYXNzaXN0YW50In31EqAF"
        let line = #"{"event":"messageStart","payload":{"p":"abcd","role":"assistant"}}"#
        let sheet = [UInt8](try #require(Data(base64Encoded: base64)))
        #expect(sheet.count == 129)
        #expect(try FrameTranscoder.frames(line).count == 129, "our frames are made like those of the sheet")
    }

    @Test(arguments: ["B2", "B4"])
    func `are those of the sheet as streams, however they are cut`(name: String) throws {
        let bytes = try FrameTranscoder.frames(try Golden.text("Bedrock/\(name).bedrock-stream.txt"))
        let expected = data(ofEvents: try Golden.text("Bedrock/\(name).oai-chat-stream.txt"))
        let identity = ReplyIdentity(
            requestID: name, created: 1_764_000_000, model: name == "B2" ? "amazon.nova-lite-v1:0" : "m", seed: 1)
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let writer = ChatStreamWriter(identity, showsUsage: name == "B2")
            #expect(try FrameTranscoder.stream(FrameTranscoder.pieces(bytes, &random), into: writer))
            writer.finishStream()
            #expect(data(ofEvents: writer.output.text) == expected, "seed \(seed): \(writer.output.text)")
        }
    }

    @Test func `seal their reasoning when its block ends`() throws {
        var transcript = try Golden.text("Bedrock/B7.bedrock-stream.txt")
        transcript = transcript.replacingOccurrences(
            of: #"{"event":"contentBlockDelta","payload":{"contentBlockIndex":1"#,
            with:
                #"{"event":"contentBlockDelta","payload":{"contentBlockIndex":5,"delta":{"reasoningContent":{"redactedContent":"cg=="}}}}"#
                + "\n"
                + #"{"event":"contentBlockStop","payload":{"contentBlockIndex":5}}"# + "\n"
                + #"{"event":"contentBlockDelta","payload":{"contentBlockIndex":1"#)
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: false)
        #expect(try FrameTranscoder.stream([FrameTranscoder.frames(transcript)], into: writer))
        writer.finishStream()
        let found = FoldedChat(writer.output.text)
        #expect(found.reasoning == "17*20=340, 17*3=51." && found.content == "391" && found.finish == "stop")
        let text: [String: Any] = [
            "type": "reasoning.text", "text": "17*20=340, 17*3=51.", "signature": "EqQBsig==",
            "format": "amazon-bedrock-v1", "index": 0,
        ]
        let encrypted: [String: Any] = [
            "type": "reasoning.encrypted", "data": "cg==", "format": "amazon-bedrock-v1", "index": 1,
        ]
        #expect(found.details == [text as NSObject, encrypted as NSObject], "\(found)")
    }

    @Test func `have the structured answer as text, piece by piece`() throws {
        let transcript = [
            #"{"event":"contentBlockStart","payload":{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"sluice_structured_answer"}}}}"#,
            #"{"event":"contentBlockDelta","payload":{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":"}}}}"#,
            #"{"event":"contentBlockDelta","payload":{"contentBlockIndex":0,"delta":{"toolUse":{"input":"1}"}}}}"#,
            #"{"event":"messageStop","payload":{"stopReason":"tool_use"}}"#,
        ].joined(separator: "\n")
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: false)
        #expect(try FrameTranscoder.stream([FrameTranscoder.frames(transcript)], into: writer))
        writer.finishStream()
        let found = FoldedChat(writer.output.text)
        #expect(found.content == #"{"a":1}"# && found.calls.isEmpty && found.finish == "stop")
    }

    @Test func `that fail within the stream are faults`() throws {
        let bytes = try FrameTranscoder.frames(try Golden.text("Bedrock/B9.bedrock-stream-error.txt"))
        let writer = ChatStreamWriter(
            ReplyIdentity(requestID: "B9", created: 1_764_000_000, model: "m", seed: 1), showsUsage: false)
        #expect(try FrameTranscoder.stream([bytes], into: writer))
        let fault = try #require(writer.fault)
        #expect(
            fault.status == 429 && fault.code == "rate_limit_exceeded" && fault.type == "requests" && fault.isRetryable)
        let expected = data(ofEvents: try Golden.text("Bedrock/B9.oai-chat-stream-error.txt")).dropLast()
        #expect(data(ofEvents: writer.output.text) == Array(expected))
    }

    @Test func `that end without a stop reason were cut`() throws {
        let transcript = try Golden.text("Bedrock/B4.bedrock-stream.txt").split(separator: "\n").dropLast(2).joined(
            separator: "\n")
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: false)
        #expect(try !FrameTranscoder.stream([FrameTranscoder.frames(transcript)], into: writer))
    }

    // MARK: Errors

    private func fault(_ status: Status, _ type: String?, _ body: String) throws -> ProviderFault {
        var fields = HeaderFields()
        if let type { fields.append(name: "x-amzn-ErrorType".utf8Span.span, value: type.utf8Span.span) }
        let bytes = ByteBuffer(body)
        let tape = JSONTape()
        let head = ResponseHead(status, fields: fields)
        guard (try? tape.scan(bytes.span)) != nil else { return dialect.fault(head, nil, text: bytes.span) }
        return dialect.fault(head, tape.root(over: bytes.span), text: bytes.span)
    }

    @Test func `that are errors are read by their type`() throws {
        let throttled = try fault(
            429, "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            try Golden.text("Bedrock/B9.bedrock-error.json"))
        #expect(throttled.status == 429 && throttled.type == "requests" && throttled.code == "rate_limit_exceeded")
        #expect(throttled.message == "Too many requests, please wait before trying again.")
        let long = try fault(400, "ValidationException", try Golden.text("Bedrock/B9-2.bedrock-error.json"))
        #expect(
            long.status == 400 && long.code == "context_length_exceeded" && long.param == "messages"
                && !long.isRetryable)
    }

    @Test(arguments: [
        ("AccessDeniedException", 403, 403, "permission_denied"),
        ("UnrecognizedClientException", 403, 401, "invalid_api_key"),
        ("ExpiredTokenException", 403, 401, "invalid_api_key"),
        ("ResourceNotFoundException", 404, 404, "model_not_found"),
        ("ModelTimeoutException", 408, 504, "timeout"), ("ModelNotReadyException", 429, 503, "server_is_overloaded"),
        ("ServiceQuotaExceededException", 400, 429, "insufficient_quota"),
        ("ModelErrorException", 424, 502, "model_error"),
        ("InternalServerException", 500, 500, "internal_error"), ("NewException", 418, 418, "NewException"),
        ("ValidationException", 400, 400, "invalid_request"),
    ])
    func `that are errors have a status and a code`(type: String, status: UInt16, expected: Int, code: String) throws {
        for found in [
            try fault(Status(status), type, #"{"Message":"m"}"#),
            try fault(Status(status), nil, #"{"__type":"com.x#\#(type)","message":"m"}"#),
        ] {
            #expect(Int(found.status.code) == expected && found.code == code && found.message == "m")
            #expect(
                (found.key == .refused) == (expected == 401)
                    && (found.key == .exhausted) == (code == "insufficient_quota"))
        }
        #expect(try fault(502, nil, "<html>").code == "upstream_error")
    }

    @Test func `that are damaged trap nowhere`() throws {
        let streams = try ["B4", "B7"].map { try Golden.text("Bedrock/\($0).bedrock-stream.txt") }
        let wholes = try ["B1", "B3", "B7"].map { try Golden.text("Bedrock/\($0).bedrock-resp.json") }
        for seed in SplitMix64.seeds(1000) {
            var random = SplitMix64(seed)
            let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
            var bytes: [UInt8] = []
            for line in streams[Int(random.next() % 2)].split(separator: "\n") {
                let mutated = String(decoding: Transcoder.mutated(String(line), &random), as: UTF8.self)
                bytes += (try? FrameTranscoder.frames(mutated)) ?? []
            }
            try FrameTranscoder.stream(FrameTranscoder.pieces(bytes, &random), into: writer)
            writer.finishStream()
            #expect(FoldedChat(writer.output.text).isDone, "seed \(seed)")
            let whole = String(decoding: Transcoder.mutated(wholes[Int(random.next() % 3)], &random), as: UTF8.self)
            if let reply = try? Transcoder.whole(whole, from: dialect) {
                #expect(JSONSerialization.isValid(chat(reply, Transcoder.identity)), "seed \(seed)")
            }
        }
    }
}
