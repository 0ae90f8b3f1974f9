import Foundation
import Testing

@Suite struct `Responses of a provider that has none` {
    private let path = "/v1/responses"
    private let translated = #"responses: "translated""#

    private func events(_ names: [String]) -> [String] {
        names.map { $0.split(separator: "\n").first.map { String($0.dropFirst(7)) } ?? "" }
    }

    private func stream(_ sluice: SluiceProcess, _ body: String, _ fields: [String] = []) throws -> ResponseStream {
        let wire = try sluice.connect()
        try wire.ask("POST", path, fields, body)
        return try ResponseStream(wire)
    }

    @Test func `are made of its chat completions`() throws {
        let completion =
            #"{"id":"c","model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#
        let upstream = try ScriptedUpstream(reply: completion)
        try withSluice(Configuration(upstream, translated), upstream) { sluice in
            let reply = try sluice.exchange(
                "POST", path, ["x-request-id: req_r1"],
                #"{"model":"m","input":"Hi","instructions":"Be brief.","store":true}"#)
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "POST /v1/chat/completions HTTP/1.1")
            #expect(
                request.text
                    == #"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}"#
            )
            #expect(reply.status == 200 && reply["x-sluice-dropped-fields"] == "store")
            #expect(reply.json["id"].string == "resp_r1" && reply.json["status"].string == "completed")
            #expect(reply.text.contains(#""text":"Hi.""#) && reply.json["usage"]["input_tokens"].int == 5)
            #expect(reply.json["instructions"].string == "Be brief." && reply.json["model"].string == "up")
            let line = try sluice.exchangeLine("req_r1")
            #expect(line["gen_ai.usage.output_tokens"].int == 2 && line["url.path"].string == "/v1/responses")
        }
    }

    @Test func `are made by a provider of another dialect too, as a stream`() throws {
        let upstream = try AnthropicSample.streaming(AnthropicSample.stream)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, #"{"model":"m","input":"Hi","max_output_tokens":9,"stream":true}"#)
            let (found, isClean) = try stream.untilAnyEnd()
            #expect(isClean)
            #expect(try upstream.requests.first("the request").target == "/v1/messages")
            #expect(
                events(found) == [
                    "response.created", "response.in_progress", "response.output_item.added",
                    "response.content_part.added",
                    "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
                    "response.content_part.done", "response.output_item.done", "response.completed",
                ], "\(found)")
            #expect(found.last?.contains(#""text":"Héllo""#) == true)
        }
    }

    @Test func `end honestly when their stream is cut`() throws {
        let upstream = try AnthropicSample.streaming(Array(AnthropicSample.stream.dropLast(2)))
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, #"{"model":"m","input":"Hi","stream":true}"#)
            let (found, isClean) = try stream.untilAnyEnd()
            #expect(!isClean && events(found).suffix(2) == ["error", "response.failed"], "\(found)")
            let error = JSON(found.dropLast().last?.split(separator: "\n").last?.dropFirst(6) ?? "")
            #expect(
                error["message"].string?.contains("mock") == true && error["sequence_number"].int == found.count - 2)
        }
    }

    @Test func `fail as replies do`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(
                #"{"error":{"message":"Slow down.","type":"requests","code":"rate_limit_exceeded"}}"#,
                status: "429 Too Many", ["retry-after: 3"])
        }
        try withSluice(Configuration(upstream, translated), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, [], #"{"model":"m","input":"Hi","stream":true}"#)
            #expect(reply.status == 429 && reply["retry-after"] == "3")
            #expect(reply.json["error"]["code"].string == "rate_limit_exceeded")
        }
    }

    @Test func `have no memory`() throws {
        let upstream = try ScriptedUpstream(reply: "{}")
        try withSluice(Configuration(upstream, translated), upstream) { sluice in
            let reply = try sluice.exchange(
                "POST", path, [], #"{"model":"m","input":"Hi","previous_response_id":"resp_1"}"#)
            #expect(reply.status == 400 && reply.json["error"]["param"].string == "previous_response_id")
            #expect(reply.json["error"]["code"].string == "unsupported_parameter")
            for (method, target) in [
                ("GET", path + "/resp_1"), ("DELETE", path + "/resp_1"), ("POST", "/v1/conversations"),
            ] {
                let stored = try sluice.exchange(method, target, [], method == "POST" ? "{}" : nil)
                #expect(
                    stored.status == 404 && stored.json["error"]["code"].string == "unsupported_operation", "\(method)")
            }
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `pass as they are where the provider has them`() throws {
        let body = #"{ "model":"m", "input":"Hi", "previous_response_id":"resp_1" }"#
        let upstream = try ScriptedUpstream(reply: #"{"id":"resp_2","object":"response"}"#)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, [], body)
            let request = try upstream.requests.first("the request")
            let stored = try sluice.exchange("GET", path + "/resp_2")
            #expect(
                reply.text == #"{"id":"resp_2","object":"response"}"# && request.text == body && stored.status == 200)
        }
    }
}
