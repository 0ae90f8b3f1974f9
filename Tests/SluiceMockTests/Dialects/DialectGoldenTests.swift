import Foundation
internal import SluiceCore
import Testing

@testable import SluiceMock

/// Every member that a sheet's golden has, the mock has too, and of the same kind.
@Suite struct `Golden replies of other providers` {
    private static let tool =
        #"{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}"#
    private static let ask = #"[{"role":"user","content":"Hi"}]"#

    private static func chat(_ model: String, _ more: String = "") -> String {
        #"{"model":"\#(model)","messages":\#(ask)\#(more)}"#
    }

    private static func anthropic(_ model: String, _ more: String = "") -> String {
        #"{"model":"\#(model)","max_tokens":3000,"messages":\#(ask)\#(more)}"#
    }

    private static func gemini(_ more: String = "") -> String {
        #"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]\#(more)}"#
    }

    private struct Case {
        let golden: String
        let path: String
        let body: String
        var status = 200
    }

    private static let cases: [Case] = [
        Case(
            golden: "anthropic-A1", path: "/anthropic/v1/messages",
            body: anthropic("claude-mock", #","stop_sequences":["i"]"#)),
        Case(
            golden: "anthropic-A3", path: "/anthropic/v1/messages",
            body: anthropic(
                "claude-mock",
                #","tools":[{"name":"get_weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]"#
            )),
        Case(
            golden: "anthropic-A5", path: "/anthropic/v1/messages",
            body: anthropic("claude-opus-4-8", #","thinking":{"type":"adaptive"}"#)),
        Case(
            golden: "anthropic-A8", path: "/anthropic/v1/messages",
            body: anthropic("claude-mock+tokens=0+content-filter")),
        Case(
            golden: "anthropic-A9", path: "/anthropic/v1/messages", body: anthropic("claude-mock+status=529"),
            status: 529),
        Case(
            golden: "gemini-G1",
            path: "/gemini/v1beta/models/gemini-2.5-flash+cached-tokens=1+reasoning-tokens=1:generateContent",
            body: gemini()),
        Case(
            golden: "gemini-error", path: "/gemini/v1beta/models/m:generateContent?key=sk-refused", body: gemini(),
            status: 400),
        Case(
            golden: "gemini-G9", path: "/gemini/v1beta/models/m+status=429:generateContent", body: gemini(), status: 429
        ),
        Case(golden: "bedrock-B1", path: "/bedrock/model/m/converse", body: bedrock()),
        Case(
            golden: "bedrock-B7", path: "/bedrock/model/m/converse",
            body: bedrock(#","additionalModelRequestFields":{"thinking":{"type":"adaptive"}}"#)),
        Case(golden: "baidu-G6", path: "/baidu/v2/chat/completions", body: chat("ernie-4.5-turbo-128k")),
        Case(golden: "baidu-G7", path: "/baidu/v2/chat/completions", body: chat("ernie+status=429"), status: 429),
        Case(golden: "spark-G1", path: "/spark/v1/chat/completions", body: chat("lite")),
        Case(golden: "spark-G3", path: "/spark/v1/chat/completions", body: chat("lite", #","tools":[\#(tool)]"#)),
        Case(
            golden: "dashscope-G3", path: "/dashscope/api/v1/services/aigc/text-generation/generation",
            body: dashScope()),
        Case(
            golden: "dashscope-G6", path: "/dashscope/api/v1/services/aigc/text-generation/generation",
            body: dashScope(#","tools":[\#(tool)]"#)),
        Case(
            golden: "qwen-G7", path: "/qwen/compatible-mode/v1/chat/completions", body: chat("m+content-filter=refuse"),
            status: 400),
        Case(golden: "hunyuan-G6", path: "/hunyuan/v1/chat/completions", body: chat("hunyuan-lite")),
        Case(
            golden: "azure-Z1", path: "/azure/openai/deployments/my-gpt4o/chat/completions?api-version=2024-10-21",
            body: #"{"messages":\#(ask)}"#),
        Case(
            golden: "azure-Z4", path: "/azure-v1/openai/v1/chat/completions", body: chat("m+content-filter=refuse"),
            status: 400),
        Case(
            golden: "azure-Z7", path: "/azure-v1/openai/v1/chat/completions?key=sk-refused", body: chat("m+status=401"),
            status: 401),
        Case(
            golden: "ollama-C8", path: "/ollama/v1/chat/completions",
            body: chat("qwen3:8b+reasoning=Hm", #","tools":[\#(tool)]"#)),
        Case(golden: "zhipu-ZG1", path: "/zhipu/api/paas/v4/chat/completions", body: chat("glm-4.5")),
        Case(
            golden: "zhipu-ZG3", path: "/zhipu/api/paas/v4/chat/completions", body: chat("glm-4.5+status=503"),
            status: 503),
        Case(golden: "moonshot-KG3", path: "/moonshot/v1/chat/completions", body: chat("m+status=429"), status: 429),
        Case(golden: "deepseek-DG3", path: "/deepseek/chat/completions", body: chat("m+quota"), status: 402),
        Case(golden: "minimax-MG2", path: "/minimax/v1/chat/completions", body: chat("m+status=429")),
        Case(golden: "minimax-MG4", path: "/minimax/v1/chat/completions", body: chat("MiniMax-M3")),
        Case(golden: "ark-AG1", path: "/ark/api/v3/chat/completions", body: chat("ep-1")),
        Case(golden: "ark-AG3", path: "/ark/api/v3/chat/completions", body: chat("ep-1+status=429"), status: 429),
    ]

    private static func bedrock(_ more: String = "") -> String {
        #"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]\#(more)}"#
    }

    private static func dashScope(_ more: String = "") -> String {
        #"{"model":"qwen-max","input":{"messages":\#(ask)},"parameters":{"result_format":"message"\#(more)}}"#
    }

    static let headers = [
        "authorization: Bearer sk-any", "x-api-key: sk-any", "api-key: sk-any", "anthropic-version: 2023-06-01",
    ]

    @Test func `Whole replies and errors have the members of the sheets' goldens`() throws {
        let mock = try TestMock()
        for one in Self.cases {
            var headers = Self.headers
            if !one.path.contains("key=") { headers.append("x-goog-api-key: k") }
            let reply = try mock.exchange("POST", one.path, one.body, headers: headers)
            #expect(reply.status == one.status, "\(one.golden): \(reply.body)")
            let golden = try Golden.json("Dialects/\(one.golden).json")
            let isCovered = try JSONThing(reply.body).covers(golden)
            #expect(isCovered, "\(one.golden): \(reply.body)")
        }
    }

    @Test func `A stream of Anthropic's has the events of the golden, each with its members`() throws {
        let mock = try TestMock()
        let body = Self.anthropic("claude-mock+text=Hi%20there", #","stream":true"#)
        let reply = try mock.exchange("POST", "/anthropic/v1/messages", body, headers: Self.headers)
        func events(_ text: String) throws -> [(String, JSONThing)] {
            try JSONThing.events(text).filter { !$0.contains("ping") }.map { event in
                let lines = event.split(separator: "\n")
                return (String(lines[0]), try JSONThing(String(lines[1].dropFirst(6))))
            }
        }
        let (given, golden) = (try events(reply.body), try events(try Golden.text("Dialects/anthropic-A2.sse")))
        #expect(given.map(\.0) == golden.map(\.0))
        for (one, wanted) in zip(given, golden) { #expect(one.1.covers(wanted.1), "\(one.1)") }
        #expect(reply.body.contains("event: ping"))
    }

    @Test func `Legacy Baidu answers with status 200 whatever happens`() throws {
        let mock = try TestMock()
        let token = try JSONThing(
            mock.exchange("POST", "/baidu-v1/oauth/2.0/token?grant_type=client_credentials&client_id=a&client_secret=b")
                .body)
        let access = try #require(token["access_token"]?.string)
        let root = "/baidu-v1/rpc/2.0/ai_custom/v1/wenxinworkshop"
        func post(_ path: String, _ body: String, token: String) throws -> RawReply {
            try mock.exchange("POST", "\(root)/\(path)?access_token=\(token)", body)
        }
        let ask = #"{"messages":\#(Self.ask)}"#
        let whole = try post("chat/completions_pro", ask, token: access)
        #expect(try JSONThing(whole.body).covers(Golden.json("Dialects/baidu-v1-G1.json")), "\(whole.body)")
        let functions =
            #"{"messages":\#(Self.ask),"functions":[{"name":"get_weather","parameters":{"type":"object"}}]}"#
        let called = try JSONThing(post("chat/completions", functions, token: access).body)
        #expect(called["function_call"]?["name"]?.string == "get_weather")
        #expect(called["finish_reason"]?.string == "function_call")
        let unknown = try post("chat/completions_pro", ask, token: "24.9999999999.0")
        #expect(unknown.status == 200)
        #expect(try JSONThing(unknown.body)["error_code"]?.int == 110)
        let expired = try post("chat/completions_pro", ask, token: Seal.token("24", now: 1000, lifetime: 10))
        #expect(try JSONThing(expired.body)["error_code"]?.int == 111)
        let even = #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#
        #expect(try JSONThing(post("chat/completions_pro", even, token: access).body)["error_code"]?.int == 336_003)
        #expect(
            called.covers(try Golden.json("Dialects/baidu-v1-G3.json").without("sentence_id", "is_end")), "\(called)")
        let vectors = try JSONThing(post("embeddings/embedding-v1", #"{"input":["alpha","beta"]}"#, token: access).body)
        #expect(vectors["object"]?.string == "embedding_list")
        #expect(vectors["data"]?.count == 2)
    }

    @Test func `Tencent's native replies are those of the goldens, once the signature is right`() throws {
        let mock = try TestMock()
        func post(_ body: String, secret: String = MockCredentials.tencent.secret) throws -> JSONThing {
            let now = Int(Date().timeIntervalSince1970)
            let canonical =
                "POST\n/hunyuan-native/\n\ncontent-type:application/json\nhost:mock\n\ncontent-type;host\n\(SignedText.sha256(body))"
            let signature = TC3.signature(secret, timestamp: now, canonical: canonical)
            let credential = "\(MockCredentials.tencent.id)/\(TC3.day(now))/hunyuan/tc3_request"
            let reply = try mock.exchange(
                "POST", "/hunyuan-native/", body,
                headers: [
                    "x-tc-action: ChatCompletions", "x-tc-version: 2023-09-01", "x-tc-timestamp: \(now)",
                    "authorization: TC3-HMAC-SHA256 Credential=\(credential), SignedHeaders=content-type;host, Signature=\(signature)",
                ])
            #expect(reply.status == 200)
            return try JSONThing(reply.body)
        }
        func ask(_ model: String, _ more: String = "") -> String {
            #"{"Model":"\#(model)","Messages":[{"Role":"user","Content":"Hi"}]\#(more)}"#
        }
        let tool = #"{"Type":"function","Function":{"Name":"get_weather","Parameters":"{\"type\":\"object\"}"}}"#
        #expect(try post(ask("hunyuan-lite")).covers(Golden.json("Dialects/hunyuan-G1.json")))
        let called = try post(ask("hunyuan-lite", #","Tools":[\#(tool)],"ToolChoice":"custom","CustomTool":\#(tool)"#))
        #expect(called.covers(try Golden.json("Dialects/hunyuan-G3.json")), "\(called)")
        #expect(try post(ask("hunyuan-lite+status=503")).covers(Golden.json("Dialects/hunyuan-G4.json")))
        let refused = try post(ask("hunyuan-lite"), secret: "other")
        #expect(refused["Response"]?["Error"]?["Code"]?.string == "AuthFailure.SignatureFailure")
        let unknown = try post(ask("hunyuan-lite", #","max_tokens":5"#))
        #expect(unknown["Response"]?["Error"]?["Code"]?.string == "UnknownParameter")
    }

    @Test func `Frames of Spark's WebSocket form are those of the goldens`() throws {
        func frames(_ more: String = "", domain: String = "4.0Ultra") throws -> [JSONThing] {
            let text =
                #"{"header":{"app_id":"a"},"parameter":{"chat":{"domain":"\#(domain)"}},"payload":{"message":{"text":[{"role":"user","content":"Hi"}]}\#(more)}}"#
            let turn = DialectTurn(
                identity: ReplyIdentity(number: 1, seed: 1, created: 1, model: ""), behaviour: Behaviour())
            let script = try SparkSocketDialect().script(Array(text.utf8), ["v4.0", "chat"], turn)
            return try (0..<script.count - 1).map { index in
                let bytes = Array(copying: script.buffer.span.extracting(script.range(of: index)))
                let isLong = bytes[1] == 126
                return try JSONThing(String(decoding: bytes.dropFirst(isLong ? 4 : 2), as: UTF8.self))
            }
        }
        let whole = try frames()
        #expect(whole.count == 2)
        #expect(whole[1].covers(try Golden.json("Dialects/spark-ws-G4.json")))
        let called = try frames(#","functions":{"text":[{"name":"get_weather","parameters":{"type":"object"}}]}"#)
        #expect(called.count == 1)
        #expect(called[0].covers(try Golden.json("Dialects/spark-ws-G5.json")))
        #expect(throws: DialectFailure.self) { try frames(domain: "lite") }
        let failure = try #require(DialectFailure(BehaviourGrammar.list("quota", over: Behaviour())))
        let turn = DialectTurn(
            identity: ReplyIdentity(number: 1, seed: 1, created: 1, model: ""), behaviour: Behaviour())
        let told = try JSONThing(SparkSocketDialect.error(failure, turn).jsonText)
        #expect(told.covers(try Golden.json("Dialects/spark-ws-G6.json")))
        #expect(told["header"]?["code"]?.int == 11200)
    }
}

extension JSONThing {
    /// The object without some members.
    fileprivate func without(_ names: String...) -> JSONThing {
        JSONThing((value as? [String: Any] ?? [:]).filter { !names.contains($0.key) })
    }
}
