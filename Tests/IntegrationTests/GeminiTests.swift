import Foundation
import Testing

/// A provider whose base URL and key are as Google's.
private func configuration(_ upstream: ScriptedUpstream, dialect: String = "gemini") -> Configuration {
    var configuration = Configuration()
    let path = dialect == "vertex" ? "/v1/projects/p/locations/l" : "/v1beta"
    configuration.providers = [
        #"google: {dialect: "\#(dialect)", base_url: "http://127.0.0.1:\#(upstream.port)\#(path)", api_key: "\#(Secrets.provider)", auth: "header:x-goog-api-key"}"#
    ]
    configuration.defaultProvider = "google"
    return configuration
}

@Suite struct `Gemini behind OpenAI's chat` {
    private let text =
        #"{"candidates":[{"content":{"parts":[{"text":"Seven."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":14,"candidatesTokenCount":2,"totalTokenCount":40,"thoughtsTokenCount":24},"modelVersion":"gemini-2.5-flash","responseId":"G1resp"}"#

    @Test(arguments: [
        ("gemini", "/v1beta/models/m:generateContent"),
        ("vertex", "/v1/projects/p/locations/l/publishers/google/models/m:generateContent"),
    ])
    func `is asked and answers in its own words`(dialect: String, target: String) throws {
        let upstream = try ScriptedUpstream(reply: text)
        try withSluice(configuration(upstream, dialect: dialect), upstream) { sluice in
            let reply = try sluice.chat(
                #"{"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":"Hello"}],"max_tokens":5,"user":"u"}"#
            )
            #expect(
                reply.status == 200 && reply.json["choices"][0]["message"]["content"].string == "Seven.",
                "\(reply.text)")
            #expect(reply.json["id"].string == "G1resp" && reply.json["usage"]["completion_tokens"].int == 26)
            #expect(reply["x-sluice-dropped-fields"] == "user")
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "POST \(target) HTTP/1.1")
            #expect(request["x-goog-api-key"] == Secrets.provider && request["authorization"] == nil)
            #expect(
                request.text
                    == #"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}],"systemInstruction":{"parts":[{"text":"S"}]},"generationConfig":{"maxOutputTokens":5}}"#
            )
        }
    }

    private let chunks = [
        #"{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true}],"role":"model"},"index":0}],"modelVersion":"g","responseId":"S"}"#,
        #"{"candidates":[{"content":{"parts":[{"text":"Checking."}],"role":"model"},"index":0}]}"#,
        #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"now","args":{}}}],"role":"model"},"index":0}]}"#,
        #"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":60,"candidatesTokenCount":20,"totalTokenCount":108,"thoughtsTokenCount":28}}"#,
    ]

    @Test func `streams, and takes its calls' results and signatures in the next turn`() throws {
        let (chunks, text) = (chunks, text)
        let upstream = try ScriptedUpstream { connection, request in
            if !request.target.contains("stream") { return try connection.reply(text) }
            try connection.startStream()
            for chunk in chunks { try connection.chunk("data: \(chunk)\r\n\r\n") }
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let tools =
                #""tools":[{"type":"function","function":{"name":"get_weather"}},{"type":"function","function":{"name":"now"}}]"#
            let question = #"{"role":"user","content":"?"}"#
            let events = try sluice.stream(
                #"{"model":"m","messages":[\#(question)],\#(tools),"stream":true,"stream_options":{"include_usage":true}}"#
            ).rest()
            #expect(
                try upstream.requests.first("the request").target == "/v1beta/models/m:streamGenerateContent?alt=sse")
            #expect(events.last == "data: [DONE]")
            let deltas = events.map { JSON($0.dropFirst(6))["choices"][0]["delta"] }
            #expect(deltas.compactMap { $0["content"].string }.joined() == "Checking.")
            #expect(deltas.compactMap { $0["reasoning_content"].string } == ["Hm."])
            let calls = deltas.map { $0["tool_calls"][0] }.filter(\.isValid)
            let starts = calls.filter { $0["id"].string != nil }
            #expect(starts.map { $0["function"]["name"].string } == ["get_weather", "now"])
            let signature = starts[0]["extra_content"]["google"]["thought_signature"].string
            #expect(signature == "c2ln" && !starts[1]["extra_content"].isValid)
            #expect(
                events.contains { $0.contains(#""finish_reason":"tool_calls""#) }
                    && events.contains { $0.contains(#""total_tokens":108"#) })
            let ids = starts.map { $0["id"].string ?? "" }
            let turn =
                #"{"role":"assistant","content":"Checking.","tool_calls":[{"id":"\#(ids[0])","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},{"id":"\#(ids[1])","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"\#(ids[1])","content":"noon"},{"role":"tool","tool_call_id":"\#(ids[0])","content":"3"}"#
            let reply = try sluice.chat(#"{"model":"m","messages":[\#(question),\#(turn)],\#(tools)}"#)
            #expect(reply.json["choices"][0]["message"]["content"].string == "Seven.", "\(reply.text)")
            let second = try #require(upstream.requests.all.last)
            #expect(
                second.text.contains(
                    #"{"role":"model","parts":[{"text":"Checking."},{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}},"thoughtSignature":"c2ln"},{"functionCall":{"name":"now","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"output":"3"}}},{"functionResponse":{"name":"now","response":{"output":"noon"}}}]}"#
                ),
                "\(second.text)")
        }
    }

    @Test(arguments: [
        (
            "400 Bad Request",
            #"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            401, "invalid_api_key", ""
        ),
        (
            "429 Too Many Requests",
            #"{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}"#,
            429, "rate_limit_exceeded", "37"
        ),
        (
            "503 Service Unavailable", #"[{"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}}]"#, 503,
            "server_is_overloaded", "1"
        ),
        ("200 OK", #"{"error":{"code":500,"message":"Internal.","status":"INTERNAL"}}"#, 500, "internal_error", ""),
    ])
    func `has its errors told as OpenAI's`(status: String, body: String, expected: Int, code: String, wait: String)
        throws
    {
        let upstream = try ScriptedUpstream { connection, _ in try connection.reply(body, status: status) }
        try withSluice(configuration(upstream), upstream) { sluice in
            for request in [Sample.chat, Sample.streamedChat] {
                let reply = try sluice.chat(request)
                #expect(reply.status == expected && reply.json["error"]["code"].string == code, "\(reply.text)")
                #expect((reply["retry-after"] ?? "") == wait)
            }
        }
    }

    @Test(arguments: [
        ("data: {\"error\":{\"code\":500,\"message\":\"Broken.\",\"status\":\"INTERNAL\"}}\n\n", "internal_error"),
        (
            "{\n  \"error\": {\n    \"code\": 500,\n    \"message\": \"Broken.\",\n    \"status\": \"INTERNAL\"\n  }\n}\n",
            "internal_error"
        ),
        (
            "[{\n  \"error\": {\n    \"code\": 500,\n    \"message\": \"Broken.\",\n    \"status\": \"INTERNAL\"\n  }\n}]\n\n",
            "internal_error"
        ),
        ("", "upstream_truncated"), ("data: {\"candidates\":", "upstream_truncated"),
        ("{\"error\":", "upstream_truncated"),
    ])
    func `ends a stream that fails or is cut with an error`(end: String, code: String) throws {
        let chunk = chunks[1]
        let hasArrived = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(chunk)
            _ = hasArrived.wait(timeout: .now() + 20)
            if !end.isEmpty { try connection.chunk(end) }
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(Sample.streamedChat)
            let first = try [stream.next(), stream.next()]
            hasArrived.signal()
            let (events, isClean) = try stream.untilAnyEnd()
            #expect(!isClean && first[1]?.contains("Checking.") == true && !events.contains("data: [DONE]"))
            #expect(JSON(events.last?.dropFirst(6) ?? "")["error"]["code"].string == code, "\(events)")
        }
    }

    @Test func `leaves out what it cannot say, and names it`() throws {
        let upstream = try ScriptedUpstream(reply: text)
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(#"{"model":"m","messages":[],"n":3}"#)
            #expect(reply.status == 200 && reply["x-sluice-dropped-fields"] == "n", "\(reply.text)")
        }
    }
}

@Suite struct `Embeddings of another dialect` {
    private let vectors = #"{"embeddings":[{"values":[0.6,0.8]},{"values":[1,0]}]}"#

    @Test func `are translated both ways`() throws {
        let upstream = try ScriptedUpstream(reply: vectors)
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange(
                "POST", "/v1/embeddings", [], #"{"model":"e","input":["a","b"],"dimensions":2,"user":"u"}"#)
            #expect(
                reply.text
                    == #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,0.8]},{"object":"embedding","index":1,"embedding":[1,0]}],"model":"e","usage":{"prompt_tokens":15,"total_tokens":15}}"#,
                "\(reply.text)")
            #expect(reply["x-sluice-dropped-fields"] == "user")
            let request = try upstream.requests.first("the request")
            #expect(
                request.target == "/v1beta/models/e:batchEmbedContents" && request.json["requests"].array.count == 2)
            let base64 = try sluice.exchange(
                "POST", "/v1/embeddings", [], #"{"model":"e","input":"a","encoding_format":"base64"}"#)
            #expect(base64.json["data"][0]["embedding"].string == "mpkZP83MTD8=", "\(base64.text)")
        }
    }

    @Test(arguments: [(#"[1,2,3]"#, "unsupported_value"), ("[]", "unsupported_value")])
    func `of what is no text are refused before the call`(input: String, code: String) throws {
        let upstream = try ScriptedUpstream(reply: vectors)
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", "/v1/embeddings", [], #"{"model":"e","input":\#(input)}"#)
            #expect(
                reply.status == 400 && reply.json["error"]["code"].string == code
                    && reply.json["error"]["param"].string == "input")
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `that fail are errors`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            let isBad = request.text.contains("bad")
            try connection.reply(
                isBad ? "{}" : #"{"error":{"code":404,"message":"No.","status":"NOT_FOUND"}}"#,
                status: isBad ? "200 OK" : "404 Not Found")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let bad = try sluice.exchange("POST", "/v1/embeddings", [], #"{"model":"e","input":"bad"}"#)
            #expect(bad.status == 502 && bad.json["error"]["code"].string == "upstream_malformed")
            let missing = try sluice.exchange("POST", "/v1/embeddings", [], #"{"model":"e","input":"x"}"#)
            #expect(missing.status == 404 && missing.json["error"]["code"].string == "model_not_found")
        }
    }

    @Test func `and operations that a provider has not are refused before any call`() throws {
        for dialect in ["gemini", "vertex", "bedrock"] {
            let upstream = try ScriptedUpstream(reply: vectors)
            try withSluice(configuration(upstream, dialect: dialect), upstream) { sluice in
                let form = "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nw\r\n--x--\r\n"
                var asked: [(String, String, [String], String?)] = [
                    ("POST", "/v1/completions", [], #"{"model":"m","prompt":"x"}"#),
                    ("POST", "/v1/moderations", [], #"{"model":"m","input":"x"}"#),
                    ("POST", "/v1/images/generations", [], #"{"model":"m","prompt":"x"}"#),
                    ("POST", "/v1/audio/speech", [], #"{"model":"m","input":"x"}"#),
                    ("POST", "/v1/audio/transcriptions", ["content-type: multipart/form-data; boundary=x"], form),
                    ("GET", "/v1/files", [], nil), ("POST", "/v1/batches", [], "{}"),
                    ("GET", "/v1/chat/completions/c1", [], nil),
                ]
                if dialect != "gemini" { asked.append(("POST", "/v1/embeddings", [], #"{"model":"m","input":"x"}"#)) }
                for (method, target, fields, body) in asked {
                    let reply = try sluice.exchange(method, target, fields, body)
                    let error = reply.json["error"]
                    #expect(
                        reply.status == 400 && error["code"].string == "unsupported_operation",
                        "\(target): \(reply.text)")
                    #expect(
                        error["message"].string?.contains("google") == true
                            && error["message"].string?.contains("/v1/") == true)
                }
                let model = try sluice.exchange("GET", "/v1/models/nobody-knows", [])
                #expect(model.status == 404 && model.json["error"]["code"].string == "model_not_found", "\(model.text)")
                #expect(upstream.requests.all.isEmpty)
            }
        }
    }
}
