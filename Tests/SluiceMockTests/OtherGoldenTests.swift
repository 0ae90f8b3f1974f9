import Foundation
import SluiceCore
import SluiceJSON
import Testing

@testable import SluiceMock

@Suite struct `Other endpoints and the goldens` {
    @Test(arguments: [(false, "G8-emb-resp.json"), (true, "G8-emb-resp-base64.json")])
    func `a vector is spelled as in the golden`(isBase64: Bool, golden: String) throws {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        EmbeddingReply.write([0.5, -0.25, 1, 0], 0, isBase64: isBase64, &json)
        #expect(try Golden.text(golden).contains(buffer.text))
    }

    @Test func `both spellings of an embedding are the same numbers`() throws {
        let request = try Golden.text("G8-emb-req.json")
        let float = try Making.json(.embeddings, request)
        #expect(float.covers(try Golden.json("G8-emb-resp.json")))
        let base64 = try Making.json(.embeddings, request.replacing(#""float""#, with: #""base64""#))
        let data = try #require(Data(base64Encoded: base64["data"]?[0]?["embedding"]?.string ?? ""))
        let numbers = stride(from: 0, to: data.count, by: 4).map { at in
            Float(bitPattern: data[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
        }
        #expect(numbers.map(Double.init) == float["data"]?[0]?["embedding"]?.elements.compactMap(\.double))
        #expect(numbers.count == 4)
    }

    @Test(arguments: [#""a""#, "[1,2]", "[[1],[2]]", #"["a","b"]"#])
    func `every kind of input is embedded`(input: String) throws {
        let ours = try Making.json(.embeddings, #"{"model":"m","input":\#(input)}"#)
        #expect(ours["data"]?[0]?["embedding"]?.count == 1536)
        #expect(ours["data"]?.count == (input.contains("],[") || input.contains(#"","#) ? 2 : 1))
    }

    @Test func `a response stream has the golden events`() throws {
        let ours = try Making.text(
            Making.reply(
                .responses, Golden.text("G9-resp-req.json"),
                "arguments=\(BehaviourGrammar.encoded(#"{"city":"Oslo"}"#))"))
        let golden = try Golden.text("G9-resp-stream.sse")
        func names(_ stream: String) -> [Substring] { stream.split(separator: "\n").filter { $0.hasPrefix("event:") } }
        #expect(names(ours) == names(golden))
        for (event, expected) in zip(try JSONThing.payloads(ours), try JSONThing.payloads(golden)) {
            // The golden repeats neither tools nor temperature as they were sent.
            let type = event["type"]?.string
            #expect(
                type == expected["type"]?.string && event["sequence_number"]?.int == expected["sequence_number"]?.int)
            #expect(expected.keys.isSubset(of: event.keys), "\(type ?? "")")
            let response = expected["response"]?.keys ?? []
            #expect(response.isSubset(of: event["response"]?.keys ?? []), "\(type ?? "")")
            #expect(event["delta"]?.string == expected["delta"]?.string)
            if let item = expected["item"] { #expect(event["item"]?.covers(item) == true) }
        }
    }

    @Test func `a response in text goes through all its events`() throws {
        let body = #"{"model":"m","input":"Hello there","stream":true}"#
        let events = try JSONThing.payloads(Making.text(Making.reply(.responses, body)))
        #expect(
            events.map { $0["type"]?.string ?? "" } == [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
                "response.content_part.done", "response.output_item.done", "response.completed",
            ])
        #expect(events.map { $0["sequence_number"]?.int } == Array(0..<10))
        #expect(events.last?["response"]?["output"]?[0]?["content"]?[0]?["text"]?.string == "Hello there")
        #expect(events.last?["response"]?["usage"]?["output_tokens"]?.int == 2)
    }

    @Test func `a response that is too long is incomplete`() throws {
        let ours = try Making.json(
            .responses, #"{"model":"m","input":[{"role":"user","content":"a b c"}],"max_output_tokens":1}"#)
        #expect(ours["status"]?.string == "incomplete")
        #expect(ours["incomplete_details"]?["reason"]?.string == "max_output_tokens")
    }

    @Test func `a completion stream is the golden one, byte for byte`() throws {
        // Two tokens that end for length; the golden's own limit of three is that of another tokeniser.
        let request = try Golden.text("G10-cmpl-req.json").replacing(#""max_tokens":3"#, with: #""max_tokens":2"#)
        let reply = try Making.reply(.completions, request, "text=%203%2C%204", hex: "G10", created: 1_764_000_008)
        #expect(try Making.text(reply) == Golden.text("G10-cmpl-stream.sse"))
    }

    @Test func `completions number their choices by prompt`() throws {
        let ours = try Making.json(.completions, #"{"model":"m","prompt":["a","b"],"n":2,"echo":true,"logprobs":1}"#)
        #expect(ours["choices"]?.elements.map { $0["text"]?.string } == ["aa", "aa", "bb", "bb"])
        #expect(ours["choices"]?.elements.map { $0["index"]?.int } == [0, 1, 2, 3])
        #expect(ours["choices"]?[0]?["logprobs"]?["tokens"]?.count == 1)
    }

    @Test func `text is flagged where it says so`() throws {
        let ours = try Making.json(.moderations, #"{"input":["fine","not [flag] fine"]}"#)
        #expect(ours["results"]?.elements.map { $0["flagged"]?.bool } == [false, true])
        #expect(ours["results"]?[1]?["categories"]?.count == 13)
    }

    @Test func `a picture is a PNG`() throws {
        let ours = try Making.json(.imageGenerations, #"{"model":"m","prompt":"x","n":2}"#)
        let png = try #require(Data(base64Encoded: ours["data"]?[1]?["b64_json"]?.string ?? ""))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let stream = try Making.text(
            Making.reply(.imageGenerations, #"{"model":"m","prompt":"x","stream":true,"partial_images":2}"#))
        #expect(
            stream.split(separator: "\n").filter { $0.hasPrefix("event:") } == [
                "event: image_generation.partial_image", "event: image_generation.partial_image",
                "event: image_generation.completed",
            ])
    }

    @Test func `speech is a WAV file of the length its head says`() throws {
        let reply = try Making.reply(.speech, #"{"model":"m","input":"x","voice":"alloy","response_format":"wav"}"#)
        guard case .script(let script) = reply.body else {
            Issue.record("not in pieces")
            return
        }
        let bytes = (0..<script.count).flatMap { index -> [UInt8] in
            Array(copying: script.buffer.span.extracting(script.range(of: index)))
        }
        #expect(bytes.prefix(4).elementsEqual("RIFF".utf8))
        let size = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(size + 8 == bytes.count)
        #expect("\(reply.contentType)" == "audio/wav")
    }
}
