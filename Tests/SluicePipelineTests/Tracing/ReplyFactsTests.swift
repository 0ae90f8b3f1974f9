import SluiceCore
import SluiceHTTP
import SluiceJSON
import TestSupport
import Testing

@testable import SluicePipeline

@Suite struct `What a reply says of itself` {
    private static func notes(_ body: String, isStream: Bool, chunk: Int = 64) -> SpanNotes {
        let notes = SpanNotes(TraceSettings())
        var fields = HeaderFields()
        fields.append(.contentType, isStream ? "text/event-stream" : "application/json")
        notes.began(ResponseHead(200, fields: fields))
        if !isStream {
            notes.passed(sharing: ByteBuffer(body))
        } else {
            let bytes = Array(body.utf8)
            for start in stride(from: 0, to: bytes.count, by: chunk) {
                notes.passed(bytes[start..<min(start + chunk, bytes.count)].span)
            }
        }
        return notes
    }

    private static func facts(_ body: String, isStream: Bool, chunk: Int = 64) -> ReplyFacts {
        ReplyFacts(notes(body, isStream: isStream, chunk: chunk), tape: JSONTape())
    }

    @Test(arguments: [
        #"{"id":"c-1","model":"m-1","choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}"#,
        #"{"id":"c-1","model":"m-1","stop_reason":"end_turn","content":[]}"#,
        #"{"id":"c-1","object":"response","model":"m-1","status":"completed"}"#,
    ])
    func `whole, in any dialect`(body: String) {
        let facts = Self.facts(body, isStream: false)
        #expect(facts.id == "c-1")
        #expect(facts.model == "m-1")
        #expect([["stop", "length"], ["end_turn"], ["completed"]].contains(facts.finishReasons))
    }

    @Test func `as a stream, however long it is and however it was split`() {
        let middle = (0..<2000).map { "data: {\"id\":\"c-1\",\"choices\":[{\"delta\":{\"content\":\"w\($0)\"},\"finish_reason\":null}]}\n\n" }
        let openAI =
            "data: {\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n" + middle.joined()
            + "data: {\"id\":\"c-1\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
            + "data: {\"id\":\"c-1\",\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n\n"
        let anthropic =
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"c-1\",\"model\":\"m-1\",\"stop_reason\":null}}\n\n"
            + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
            + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
        for (body, reason) in [(openAI, "stop"), (anthropic, "end_turn")] {
            for chunk in [1, 7, 64, 4096, 1 << 20] {
                let facts = Self.facts(body, isStream: true, chunk: chunk)
                #expect(facts.id == "c-1", "\(chunk)")
                #expect(facts.model == "m-1", "\(chunk)")
                #expect(facts.finishReasons == [reason], "\(chunk)")
            }
        }
    }

    @Test func `of a stream little is kept`() {
        let notes = Self.notes(String(repeating: "data: {}\n\n", count: 100_000), isStream: true)
        #expect(notes.beginning.count + notes.end.count < 8192)
    }

    @Test func `no reply makes it trap`() {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let stream = RandomStream(using: &random)
            let bytes = stream.bytes(using: &random)
            let facts = Self.facts(String(decoding: bytes, as: UTF8.self), isStream: true, chunk: Int.random(in: 1...99, using: &random))
            #expect(facts.finishReasons.count <= 16, "seed \(seed)")
        }
    }
}
