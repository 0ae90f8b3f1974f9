import Foundation
import SluiceCore
internal import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Replies as responses` {
    private func echo(_ request: String = #"{"model":"m","input":"hi"}"#) throws -> ResponsesEcho {
        let bytes = ByteBuffer(request)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        return ResponsesEcho(of: tape.root(over: bytes.span))
    }

    private func writer(byteCountMax: Int = 1 << 20) throws -> ResponsesStreamWriter {
        ResponsesStreamWriter(Transcoder.identity, try echo(), byteCountMax: byteCountMax)
    }

    private func stream(_ pieces: [[UInt8]], from dialect: any ChatDialect) throws -> String {
        let writer = try writer()
        #expect(try Transcoder.stream(pieces, from: dialect, into: writer))
        writer.finishStream()
        return writer.output.text
    }

    private func stream(_ text: String, from dialect: any ChatDialect = OpenAIDialect()) throws -> String {
        try stream([Array(text.utf8)], from: dialect)
    }

    private func events(_ stream: String) -> [[String: Any]] {
        data(ofEvents: stream).compactMap { $0 as? [String: Any] }
    }

    private func types(_ stream: String) -> [String] { events(stream).map { $0["type"] as? String ?? "" } }

    private func chunks(_ deltas: String..., finish: String = "stop") -> String {
        (deltas.map { #"data: {"id":"c","model":"up","choices":[{"index":0,"delta":\#($0)}]}"# + "\n\n" }.joined())
            + #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"\#(finish)"}]}"# + "\n\ndata: [DONE]\n\n"
    }

    /// The output items of the last event, without their ids.
    private func output(_ stream: String) -> [NSDictionary] {
        let response = events(stream).last?["response"] as? [String: Any]
        return withoutIDs(response?["output"])
    }

    private func withoutIDs(_ output: Any?) -> [NSDictionary] {
        (output as? [[String: Any]] ?? []).map { $0.filter { $0.key != "id" } as NSDictionary }
    }

    /// Whether all that one value says is said by another, but for names of things that are made up.
    private func says(_ one: Any?, _ expected: Any?) -> Bool {
        if let expected = expected as? [String: Any] {
            guard let one = one as? [String: Any] else { return false }
            return expected.allSatisfy { key, value in
                ["id", "item_id", "created_at", "completed_at", "tools", "temperature", "top_p"].contains(key)
                    || says(one[key], value)
            }
        }
        if let expected = expected as? [Any] {
            guard let one = one as? [Any], one.count == expected.count else { return false }
            return zip(one, expected).allSatisfy { says($0, $1) }
        }
        return (one as? NSObject) == (expected as? NSObject)
    }

    // MARK: Streams

    @Test func `are the stream of the sheet`() throws {
        let written = events(try stream(Golden.text("Responses/G9.oai-chat-stream.txt")))
        let expected = events(try Golden.text("Responses/G9.oai-resp-stream.txt"))
        #expect(written.count == expected.count)
        for (one, other) in zip(written, expected) { #expect(says(one, other), "\(one)\n\(other)") }
    }

    @Test func `name every event twice and count them`() throws {
        let text = try stream(chunks(#"{"content":"a"}"#))
        let names = text.components(separatedBy: "\n").filter { $0.hasPrefix("event: ") }.map {
            String($0.dropFirst(7))
        }
        #expect(names == types(text))
        #expect(events(text).map { $0["sequence_number"] as? Int } == Array(0..<names.count))
        #expect(
            names == [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ])
    }

    @Test func `show reasoning as a summary, then text and a refusal in one message`() throws {
        let text = try stream(
            chunks(
                #"{"reasoning_content":"Th\u0069nk"}"#, #"{"content":"a"}"#, #"{"content":"b"}"#, #"{"refusal":"no"}"#))
        let expected = [
            #"{"type":"reasoning","summary":[{"type":"summary_text","text":"Think"}]}"#,
            #"{"type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ab","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"no"}]}"#,
        ]
        let items = try expected.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary }
        #expect(output(text) == items, "\(text)")
        let places = events(text).filter { $0["content_index"] != nil }.map { $0["content_index"] as? Int ?? -1 }
        #expect(places == [0, 0, 0, 0, 0, 1, 1, 1, 1])
        #expect(
            types(text)[3...6] == [
                "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
                "response.reasoning_summary_text.done", "response.reasoning_summary_part.done",
            ])
    }

    @Test func `have calls side by side, also when their pieces take turns`() throws {
        func call(_ index: Int, _ id: String) -> String {
            #"{"tool_calls":[{"index":\#(index),"id":"\#(id)","function":{"name":"f\#(index)","arguments":""}}]}"#
        }
        func piece(_ index: Int, _ text: String) -> String {
            #"{"tool_calls":[{"index":\#(index),"function":{"arguments":"\#(text)"}}]}"#
        }
        let inOrder = chunks(
            call(0, "a"), piece(0, "{}"), call(1, "b"), piece(1, #"{\"x\":"#), piece(1, "1}"), call(2, "c"))
        let inTurns = chunks(
            call(0, "a"), call(1, "b"), piece(1, #"{\"x\":"#), piece(0, "{}"), piece(1, "1}"), call(2, "c"))
        let items = output(try stream(inOrder))
        #expect(items.map { $0["arguments"] as? String } == ["{}", #"{"x":1}"#, "{}"])
        #expect(items.map { $0["call_id"] as? String } == ["a", "b", "c"])
        #expect(output(try stream(inTurns)) == items)
        #expect(
            types(try stream(inOrder)).firstIndex(of: "response.output_item.done") == 5,
            "a call ends before the next begins")
    }

    @Test(arguments: [("length", "max_output_tokens"), ("content_filter", "content_filter")])
    func `say why they are incomplete`(finish: String, reason: String) throws {
        let text = try stream(chunks(#"{"content":"a"}"#, finish: finish))
        let last = try #require(events(text).last)
        #expect(last["type"] as? String == "response.incomplete")
        let response = last["response"] as? [String: Any]
        #expect(response?["incomplete_details"] as? [String: String] == ["reason": reason])
        #expect(output(text)[0]["status"] as? String == "incomplete")
    }

    @Test func `fail with what there is so far`() throws {
        let writer = try writer()
        _ = try Transcoder.stream(
            [Array(#"data: {"choices":[{"index":0,"delta":{"content":"a"}}]}"#.utf8) + [10, 10]], from: OpenAIDialect(),
            into: writer)
        writer.fail(code: "upstream_error", message: "It \"broke\".", param: nil)
        let found = events(writer.output.text)
        #expect(found.map { $0["sequence_number"] as? Int } == Array(0..<found.count))
        #expect(found.suffix(2).map { $0["type"] as? String } == ["error", "response.failed"])
        #expect(
            found[found.count - 2]["message"] as? String == "It \"broke\"." && found[found.count - 2]["error"] == nil)
        let response = found.last?["response"] as? [String: Any]
        #expect(response?["status"] as? String == "failed")
        #expect(response?["error"] as? [String: String] == ["code": "upstream_error", "message": "It \"broke\"."])
    }

    @Test func `do not become longer than allowed`() throws {
        let writer = try writer(byteCountMax: 1000)
        let word = String(repeating: "w", count: 300).utf8Span
        for _ in 0..<5 { writer.text(ReplyText(word.span)) }
        #expect(writer.fault?.status == 502)
        #expect(writer.output.count < 4000)
    }

    // MARK: Both ways

    @Test func `repeat what was asked for`() throws {
        let request =
            #"{"model":"m","input":"hi","instructions":"I","temperature":0.5,"store":true,"tools":[{"type":"function","name":"f"}],"metadata":{"a":"b"},"text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low"}}"#
        let writer = ResponsesStreamWriter(Transcoder.identity, try echo(request), byteCountMax: 1000)
        writer.finishStream()
        let response = try #require(events(writer.output.text).last?["response"] as? [String: Any])
        let expected =
            #"{"object":"response","status":"completed","error":null,"incomplete_details":null,"model":"m","output":[],"usage":null,"background":false,"instructions":"I","max_output_tokens":null,"max_tool_calls":null,"metadata":{"a":"b"},"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":"low","summary":null},"safety_identifier":null,"service_tier":null,"store":false,"temperature":0.5,"top_p":null,"user":null,"text":{"format":{"type":"json_object"}},"tool_choice":"auto","tools":[{"type":"function","name":"f"}],"top_logprobs":0,"truncation":"disabled"}"#
        var found = response
        #expect(
            found.removeValue(forKey: "id") as? String == "resp_1" && found.removeValue(forKey: "created_at") != nil)
        let wanted = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSDictionary
        #expect(found as NSDictionary == wanted)
    }

    private func transcripts() throws -> [(String, any ChatDialect)] {
        [
            (try Golden.text("Responses/G9.oai-chat-stream.txt"), OpenAIDialect()),
            (
                chunks(#"{"reasoning_content":"Th\u0069nk"}"#, #"{"content":"é"}"#, #"{"refusal":"no"}"#),
                OpenAIDialect()
            ),
            (try Golden.text("Anthropic/A2.anthropic-stream.txt"), AnthropicDialect()),
            (try Golden.text("Anthropic/A4.anthropic-stream.txt"), AnthropicDialect()),
        ]
    }

    @Test func `say the same whole and in a stream`() throws {
        for (transcript, dialect) in try transcripts() {
            let assembly = ReplyAssembly()
            try Transcoder.stream([Array(transcript.utf8)], from: dialect, into: assembly)
            let body = ByteBuffer()
            var identity = Transcoder.identity
            ResponsesReplyBody.write(assembly, &identity, try echo(), into: body)
            let whole = try #require(try JSONSerialization.jsonObject(with: Data(body.text.utf8)) as? [String: Any])
            let text = try stream(transcript, from: dialect)
            #expect(withoutIDs(whole["output"]) == output(text), "\(body.text)\n\(text)")
            let last = events(text).last?["response"] as? [String: Any]
            #expect(whole["usage"] as? NSDictionary == last?["usage"] as? NSDictionary)
            #expect(whole["status"] as? String == last?["status"] as? String)
        }
    }

    @Test func `do not depend on how the provider's bytes were cut`() throws {
        for (transcript, dialect) in try transcripts() {
            let expected = try stream(transcript, from: dialect)
            for seed in SplitMix64.seeds(60) {
                var random = SplitMix64(seed)
                #expect(try stream(Transcoder.pieces(transcript, &random), from: dialect) == expected, "seed \(seed)")
            }
        }
    }

    @Test func `are JSON whatever the provider sends`() throws {
        for (transcript, dialect) in try transcripts() {
            for seed in SplitMix64.seeds(200) {
                var random = SplitMix64(seed)
                let writer = try writer()
                _ = try? Transcoder.stream([Transcoder.mutated(transcript, &random)], from: dialect, into: writer)
                writer.finishStream()
                let lines = writer.output.text.components(separatedBy: "\n").filter { $0.hasPrefix("data: ") }
                #expect(lines.count == events(writer.output.text).count, "seed \(seed)")
            }
        }
    }

    /// The second turn of a conversation with tools gives its provider back what it sealed.
    @Test func `bring an Anthropic provider's thinking through the second turn`() throws {
        let reply = try Transcoder.whole(
            #"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"T\n","signature":"s/+="},{"type":"redacted_thinking","data":"r"},{"type":"text","text":"Looking."},{"type":"tool_use","id":"t1","name":"get","input":{"city":"Oslo"}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}"#,
            from: AnthropicDialect())
        let body = ByteBuffer()
        var identity = Transcoder.identity
        ResponsesReplyBody.write(reply, &identity, try echo(), into: body)
        let first = try #require(try JSONSerialization.jsonObject(with: Data(body.text.utf8)) as? [String: Any])
        let items = try #require(first["output"] as? [Any])
        let result: [String: Any] = ["type": "function_call_output", "call_id": "t1", "output": "3C"]
        let input: [Any] = [["role": "user", "content": "Weather?"]] + items + [result]
        let request = try JSONSerialization.data(
            withJSONObject: ["model": "m", "max_output_tokens": 9, "input": input] as [String: Any])
        let bytes = ByteBuffer(String(decoding: request, as: UTF8.self))
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let chat = ByteBuffer()
        var report = FieldReport()
        try ResponsesRequest.write(tape.root(over: bytes.span), for: .init(isOpenAI: false), into: chat, &report)
        let second = try Transcoder.request(chat.text, to: AnthropicDialect()).body
        let sent = try #require(try JSONSerialization.jsonObject(with: Data(second.utf8)) as? [String: Any])
        let messages = try #require(sent["messages"] as? [[String: Any]])
        let expected =
            #"[{"type":"thinking","thinking":"T\n","signature":"s/+="},{"type":"redacted_thinking","data":"r"},{"type":"text","text":"Looking."},{"type":"tool_use","id":"t1","name":"get","input":{"city":"Oslo"}}]"#
        #expect(
            messages[1]["content"] as? NSArray
                == (try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSArray), "\(second)")
    }

    @Test func `have pictures as items`() throws {
        let type = "image/png".utf8Span
        let data = "AA==".utf8Span
        let image = ReplyImage(mediaType: ReplyText(type.span), base64: ReplyText(data.span))
        let writer = try writer()
        let assembly = ReplyAssembly()
        for sink in [writer, assembly] as [any ReplySink] { sink.image(image) }
        writer.finishStream()
        let body = ByteBuffer()
        var identity = Transcoder.identity
        ResponsesReplyBody.write(assembly, &identity, try echo(), into: body)
        let whole = try JSONSerialization.jsonObject(with: Data(body.text.utf8)) as? [String: Any]
        let expected: NSDictionary = ["type": "image_generation_call", "status": "completed", "result": "AA=="]
        #expect(output(writer.output.text) == [expected] && withoutIDs(whole?["output"]) == [expected])
    }

    @Test func `carry the signature of a call in an item before it`() throws {
        let text = try stream(
            chunks(
                #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}}]}"#
            ))
        let items = output(text)
        #expect(items.map { $0["type"] as? String } == ["reasoning", "function_call"])
        #expect(items[0]["encrypted_content"] as? String == "sluice-1:google-gemini-v1:call:g")
    }
}
