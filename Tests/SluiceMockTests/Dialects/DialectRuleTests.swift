import Foundation
import Testing

@testable import SluiceMock

/// What the providers refuse, and what goes wrong in their streams.
@Suite struct `Rules of other providers` {
    private static let headers = `Golden replies of other providers`.headers + ["x-goog-api-key: k"]

    private static func post(_ mock: TestMock, _ path: String, _ body: String, headers: [String] = headers) throws
        -> RawReply
    {
        try mock.exchange("POST", path, body, headers: headers)
    }

    @Test func `Anthropic's rules are kept`() throws {
        let mock = try TestMock()
        let user = #"{"role":"user","content":"Hi"}"#
        let bodies = [
            #"{"model":"m","messages":[\#(user)]}"#,
            #"{"model":"m","max_tokens":5,"messages":[]}"#,
            #"{"model":"m","max_tokens":5,"messages":[\#(user)],"seed":1}"#,
            #"{"model":"m","max_tokens":5,"messages":[\#(user)],"temperature":1.4}"#,
            #"{"model":"claude-opus-4-8","max_tokens":5,"messages":[\#(user)],"temperature":0.4}"#,
            #"{"model":"claude-sonnet-4-6","max_tokens":5,"messages":[\#(user),{"role":"assistant","content":"a"}]}"#,
            #"{"model":"m","max_tokens":5,"messages":[{"role":"assistant","content":"a"}]}"#,
            #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":" "}]}"#,
            #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"1"}]}]}"#,
            #"{"model":"m","max_tokens":5,"messages":[\#(user),{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},\#(user)]}"#,
            #"{"model":"m","max_tokens":5,"messages":[\#(user),{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"x"},{"type":"text","text":"a"}]},\#(user)]}"#,
            #"{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[\#(user)]}"#,
            #"{"model":"m","max_tokens":5,"messages":[\#(user)],"tools":[{"name":"f"}]}"#,
        ]
        for body in bodies {
            let reply = try Self.post(mock, "/anthropic/v1/messages", body)
            #expect(reply.status == 400, "\(body): \(reply.body)")
            #expect(try JSONThing(reply.body)["error"]?["type"]?.string == "invalid_request_error")
        }
        let signed = Seal.signature("t")
        let good =
            #"{"model":"m","max_tokens":5,"messages":[\#(user),{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"\#(signed)"},{"type":"text","text":"a"}]},\#(user)]}"#
        #expect(try Self.post(mock, "/anthropic/v1/messages", good).status == 200)
        let refused = ["x-api-key: sk-refused", "anthropic-version: 2023-06-01"]
        #expect(try Self.post(mock, "/anthropic/v1/messages", good, headers: refused).status == 401)
        let versionless = try Self.post(mock, "/anthropic/v1/messages", good, headers: ["x-api-key: k"])
        #expect(versionless.status == 400)
        let newer = #"{"model":"m","max_tokens":5,"temperature":1,"messages":[\#(user)]}"#
        #expect(
            try Self.post(
                mock, "/anthropic/v1/messages", newer, headers: ["x-api-key: k", "anthropic-version: 2026-10-21"]
            )
            .status == 400)
    }

    @Test func `Gemini wants the signature of the first call of the current turn back`() throws {
        let mock = try TestMock()
        func body(_ signature: String) -> String {
            #"{"contents":[{"role":"user","parts":[{"text":"W?"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}\#(signature)}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"3C"}}}]}]}"#
        }
        let path = "/gemini/v1beta/models/gemini-3-flash-preview:generateContent"
        #expect(try Self.post(mock, path, body("")).status == 400)
        #expect(try Self.post(mock, path, body(#","thoughtSignature":"eA==""#)).status == 400)
        #expect(
            try Self.post(mock, path, body(#","thoughtSignature":"skip_thought_signature_validator""#)).status == 200)
        #expect(try Self.post(mock, path, body(#","thoughtSignature":"\#(Seal.signature("f"))""#)).status == 200)
        #expect(try Self.post(mock, "/gemini/v1beta/models/gemini-2.5-flash:generateContent", body("")).status == 200)
        let unanswered =
            #"{"contents":[{"role":"user","parts":[{"text":"W?"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"text":"x"}]}]}"#
        #expect(try Self.post(mock, "/gemini/v1beta/models/m:generateContent", unanswered).status == 400)
        let array = try Self.post(
            mock, "/gemini/v1beta/models/m:streamGenerateContent", #"{"contents":[{"parts":[{"text":"a b c"}]}]}"#)
        #expect(try JSONThing(array.body).count == 4)
    }

    @Test func `Providers that vary OpenAI's refuse what their sheets say`() throws {
        let mock = try TestMock()
        let ask = #""model":"m","messages":[{"role":"user","content":"Hi"}]"#
        let cases: [(String, String, Int)] = [
            (
                "/deepseek/chat/completions",
                #"{"model":"m","messages":[{"role":"developer","content":"a"},{"role":"user","content":"Hi"}]}"#, 400
            ),
            ("/mistral/v1/chat/completions", "{\(ask),\"seed\":1}", 422),
            ("/zhipu/api/paas/v4/chat/completions", #"{\#(ask),"stop":"x"}"#, 400),
            (
                "/moonshot/v1/chat/completions",
                #"{"model":"kimi-k2.6","temperature":0.2,"messages":[{"role":"user","content":"Hi"}]}"#, 400
            ),
            ("/ark/api/v3/chat/completions", "{\(ask),\"max_tokens\":1,\"max_completion_tokens\":1}", 400),
            ("/groq/openai/v1/chat/completions", "{\(ask),\"logprobs\":true}", 400),
            ("/perplexity/chat/completions", "{\(ask),\"n\":1}", 400),
            (
                "/hunyuan/v1/chat/completions",
                #"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}"#, 400
            ),
            (
                "/qwen/compatible-mode/v1/chat/completions",
                #"{"model":"qwen3-32b","messages":[{"role":"user","content":"a"}]}"#, 400
            ),
            ("/azure/openai/deployments/d/chat/completions", "{\(ask)}", 404),
            ("/azure/openai/deployments/missing/chat/completions?api-version=2024-10-21", "{\(ask)}", 404),
            (
                "/openrouter/api/v1/chat/completions?x=1",
                #"{"model":"m+quota","messages":[{"role":"user","content":"Hi"}]}"#, 402
            ),
        ]
        for (path, body, status) in cases {
            let reply = try Self.post(mock, path, body)
            #expect(reply.status == status, "\(path): \(reply.body)")
        }
        let credential = "\(MockCredentials.tencent.id)/a/hunyuan/tc3_request"
        let extreme = try mock.exchange(
            "POST", "/hunyuan-native/", "{}",
            headers: [
                "x-tc-timestamp: -9223372036854775808",
                "authorization: TC3-HMAC-SHA256 Credential=\(credential), SignedHeaders=host, Signature=0",
            ])
        #expect(extreme.body.contains("AuthFailure"))
        for prefix in CompatibleTraits.prefixes
        where !["vllm", "sglang", "ollama", "llamacpp", "minimax"].contains(prefix) {
            let reply = try Self.post(mock, "/\(prefix)/v1/chat/completions", "{\(ask)}", headers: [])
            #expect([401, 404].contains(reply.status), "\(prefix): \(reply.body)")
        }
    }

    @Test func `Faults are told in each dialect's own way`() throws {
        let mock = try TestMock()
        func chat(_ words: String) -> String {
            #"{"model":"m+tokens=9+\#(words)","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#
        }
        let zhipu = try Self.post(mock, "/zhipu/api/paas/v4/chat/completions", chat("error-event=0.5"))
        #expect(zhipu.body.contains(#""finish_reason":"network_error""#))
        let vllm = try Self.post(mock, "/vllm/v1/chat/completions", chat("error-event=0.5"))
        #expect(vllm.body.contains("EngineCore died") && vllm.body.hasSuffix("data: [DONE]\n\n"))
        let router = try Self.post(mock, "/openrouter/api/v1/chat/completions", chat("error-event=0.5"))
        #expect(router.body.hasPrefix(": OPENROUTER PROCESSING\n\n") && router.body.contains("Provider disconnected"))
        let perplexity = try Self.post(mock, "/perplexity/chat/completions", chat("burst"))
        #expect(perplexity.body.contains("chat.completion.done") && !perplexity.body.contains("[DONE]"))
        let cut = try Self.post(mock, "/xai/v1/chat/completions", chat("cut=0.5"))
        #expect(!cut.hasProperEnd)
        let anthropic = try Self.post(
            mock, "/anthropic/v1/messages",
            #"{"model":"m+tokens=9+error-event=0.5","max_tokens":20,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#
        )
        #expect(anthropic.body.contains("event: error\ndata: {\"type\":\"error\""))
        let dash = try Self.post(
            mock, "/dashscope/api/v1/services/aigc/text-generation/generation",
            #"{"model":"qwen-max+error-event","input":{"messages":[{"role":"user","content":"Hi"}]},"parameters":{"result_format":"message"}}"#,
            headers: Self.headers + ["x-dashscope-sse: enable"])
        #expect(dash.body.contains("event:error\n:HTTP_STATUS/500\ndata:{\"code\""))
        let advised = try Self.post(
            mock, "/groq/openai/v1/chat/completions",
            #"{"model":"m+status=429+retry-after=3","messages":[{"role":"user","content":"Hi"}]}"#)
        #expect(advised.header("retry-after") == "3")
    }

    @Test func `A spoilt WebSocket handshake is refused, and unmasked frames close the connection`() throws {
        let mock = try TestMock()
        let plain = try mock.exchange("GET", "/spark-ws/v4.0/chat")
        #expect(plain.status == 401)
        let host = "mock"
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        func path(_ date: Date, secret: String = MockCredentials.spark.secret) -> String {
            let text = format.string(from: date)
            let signature = SparkSignature.signature(
                secret: secret, host: host, date: text, path: "/spark-ws/v4.0/chat")
            let origin =
                "api_key=\"\(MockCredentials.spark.id)\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\"\(signature)\""
            return
                "/spark-ws/v4.0/chat?authorization=\(PercentText.encode(SignedText.base64(Array(origin.utf8))))&date=\(PercentText.encode(text))&host=\(host)"
        }
        let upgrade = [
            "upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        let late = try mock.exchange("GET", path(Date(timeIntervalSinceNow: -400)), headers: upgrade)
        #expect(late.status == 403)
        #expect(try mock.exchange("GET", path(Date(), secret: "other"), headers: upgrade).status == 401)
        let client = try RawClient(port: mock.port)
        client.send("GET", path(Date()), "", headers: upgrade)
        let head = client.read(within: 2000) ?? ""
        #expect(head.hasPrefix("HTTP/1.1 101 "))
        #expect(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        #expect(head.contains("upgrade: websocket\r\nconnection: upgrade\r\n"))
        client.send("\u{01}\u{01}A")
        #expect(client.readToEnd().end == .closed)
    }
}
