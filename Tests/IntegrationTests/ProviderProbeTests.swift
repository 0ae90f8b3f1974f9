import Foundation
import Testing

@Suite struct `A provider's health` {
    private static let refusal =
        #"{"error":{"message":"Incorrect API key provided: \#(Secrets.provider)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#

    private func ask(_ method: String, _ path: String, _ sluice: SluiceProcess, _ field: String = "") throws
        -> HTTPMessage
    {
        let wire = try Wire(port: sluice.adminPort)
        try wire.send("\(method) \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\(field)\r\n")
        return try wire.readResponse()
    }

    /// Has `/ping`, and answers as it is told.
    private func configuration(_ upstream: ScriptedUpstream, keys: [String] = [Secrets.provider]) -> Configuration {
        var configuration = Configuration()
        let list = keys.map { #""\#($0)""# }.joined(separator: ", ")
        configuration.providers.append(
            #""mock": {adapter: "hunyuan", base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: [\#(list)]}"#)
        return configuration
    }

    @Test func `is in the list on the admin port, without a secret`() throws {
        let upstream = try ScriptedUpstream(models: ["m-1", "m-2"])
        try withSluice(Configuration(upstream), upstream) { sluice in
            try sluice.line("the models") { $0["message"].string == "models found" }
            let reply = try ask("GET", "/providers", sluice)
            let provider = reply.json["providers"][0]
            #expect(reply.status == 200 && provider["name"].string == "mock" && provider["dialect"].string == "openai")
            #expect(provider["base_url"].string == "http://127.0.0.1:\(upstream.port)/v1")
            #expect(provider["models"].int == 2 && provider["keys"]["count"].int == 1)
            #expect(
                provider["last"]["verdict"].string == "reachable" && provider["last"]["asked"].string == "GET /models")
            #expect(!reply.text.contains(Secrets.provider))
        }
    }

    @Test(arguments: [
        (
            "400 Bad Request",
            #"{"error":{"message":"messages is required","type":"invalid_request_error","param":null,"code":null}}"#,
            "reachable"
        ),
        ("401 Unauthorized", refusal, "key_refused"),
        (
            "429 Too Many Requests",
            #"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            "quota_exhausted"
        ),
        ("503 Service Unavailable", "busy", "degraded"),
        ("404 Not Found", "<html>", "failed"),
    ])
    func `is asked for without spending a token, and leaves readiness alone`(
        status: String, body: String, verdict: String
    ) throws {
        let upstream = try ScriptedUpstream { connection, _ in try connection.reply(body, status: status) }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try ask("POST", "/providers/mock/probe", sluice)
            #expect(reply.status == 200 && reply.json["last"]["verdict"].string == verdict, "\(reply.text)")
            #expect(!reply.text.contains(Secrets.provider))
            let sent = try upstream.requests.first("the probe")
            #expect(sent.target == "/v1/chat/completions" && sent.text == "{}")
            #expect(sent["authorization"] == "Bearer \(Secrets.provider)")
            #expect(try sluice.health("/readyz").status == 200)
        }
    }

    @Test func `is that of its worst key`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request["authorization"] == "Bearer \(Secrets.provider)" {
                return try connection.reply(Self.refusal, status: "401 Unauthorized")
            }
            try connection.reply(Sample.completion)
        }
        try withSluice(configuration(upstream, keys: [Secrets.otherProvider, Secrets.provider]), upstream) { sluice in
            let last = try ask("POST", "/providers/mock/probe?chat=true", sluice).json["last"]
            #expect(last["verdict"].string == "key_refused")
            #expect(last["reason"].string?.hasPrefix("key 2 of 2: status 401") == true)
            #expect(try upstream.requests.first("the chat").text.contains("ping"))
            // Applications do not have to find that out.
            let keys = try ask("GET", "/providers", sluice).json["providers"][0]["keys"]
            #expect(keys["count"].int == 2 && keys["set_aside"][0]["index"].int == 1)
            #expect(keys["set_aside"][0]["reason"].string == "refused")
            for _ in 0..<3 { #expect(try sluice.chat().status == 200) }
            #expect(upstream.requests.all.count { $0["authorization"] == "Bearer \(Secrets.provider)" } == 1)
        }
    }

    @Test func `an answer that is an error is no answer`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(#"{"error":{"message":"resource exhausted","code":"4001"}}"#)
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let last = try ask("POST", "/providers/mock/probe", sluice).json["last"]
            #expect(last["verdict"].string != "reachable", "\(last)")
        }
    }

    @Test func `is nobody's business but the operator's`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream), upstream) { sluice in
            let statuses = [
                try ask("POST", "/providers/other/probe", sluice), try ask("GET", "/providers/mock/probe", sluice),
                try ask("POST", "/providers", sluice),
                try ask("POST", "/providers/mock/probe", sluice, "origin: http://evil\r\n"),
                try sluice.exchange("GET", "/providers"),
            ].map(\.status)
            #expect(statuses == [404, 405, 405, 403, 404])
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `is told by check, for every dialect of the mock`() throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        let base = "http://127.0.0.1:\(mock.port)"
        let text = """
            {environment_providers: "never", providers: {
              openai: {base_url: "\(base)/v1", api_key: "sk-x"},
              anthropic: {adapter: "anthropic", base_url: "\(base)/anthropic/v1", api_key: "x", models: ["claude-haiku-4-5"]},
              gemini: {adapter: "gemini", base_url: "\(base)/gemini/v1beta", api_key: "x", models: ["gemini-2.5-flash"]},
              bedrock: {adapter: "bedrock", base_url: "\(base)/bedrock", models: ["amazon.nova-lite-v1:0"], auth_settings: {
                region: "us-east-1", access_key_id: "AKIDEXAMPLE", secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}},
              ernie: {adapter: "ernie-v1", base_url: "\(base)/baidu-v1/rpc/2.0/ai_custom/v1/wenxinworkshop", models: ["ernie-speed-128k"],
                auth_settings: {client_id: "a", client_secret: "b", token_url: "\(base)/baidu-v1/oauth/2.0/token"}},
              spark: {adapter: "spark-ws", base_url: "ws://127.0.0.1:\(mock.port)/spark-ws", models: ["generalv3.5"], auth_settings: {
                app_id: "a", api_key: "testkey0123456789abcdef012345678", api_secret: "testsecret0123456789"}},
              hunyuan: {adapter: "hunyuan-native", base_url: "\(base)/hunyuan-native", models: ["hunyuan-lite"], auth_settings: {
                secret_id: "AKIDEXAMPLE0000000000000000000000000", secret_key: "EXAMPLEKEY0000000000000000000000"}},
              dashscope: {adapter: "dashscope", base_url: "\(base)/dashscope/api/v1", api_key: "x", models: ["qwen-plus"]},
              zhipu: {adapter: "zhipu", base_url: "\(base)/zhipu/api/paas/v4", api_key: "testid0123456789.testsecretABC"},
              deepseek: {adapter: "deepseek", base_url: "\(base)/deepseek", api_key: "x"},
            }}
            """
        for words in [["--probe"], ["--probe", "--chat"]] {
            let (status, output) = try check(text, words)
            #expect(status == 0, "\(output)")
            for line in output.split(separator: "\n").dropFirst() { #expect(line.contains("  reachable  "), "\(line)") }
            #expect(output.split(separator: "\n").count == 11, "\(output)")
        }
        let refused = text.replacingOccurrences(
            of: #"/deepseek", api_key: "x""#, with: #"/deepseek", api_key: "sk-refused""#)
        let (status, output) = try check(refused, ["--probe"])
        #expect(status == 69 && output.contains("deepseek   key refused"), "\(output)")
    }

    private func check(_ text: String, _ words: [String]) throws -> (Int32, String) {
        let file = NSTemporaryDirectory() + "probe-\(UUID().uuidString).json5"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try ChildProcess(
            SluiceProcess.binary, ["check"] + words + [file], environment: ["SWIFT_BACKTRACE": "enable=no"])
        let status = try process.exitStatus()
        return (status, try process.output.text() + process.errors.text())
    }
}
