import Foundation
import Testing

/// A platform that the code has never heard of, by a file alone.
@Suite struct `An adapter in the folder` {
    /// Beside the configuration file, which is where it is looked for.
    private func put(_ text: String, _ name: String, _ sluice: SluiceProcess) throws {
        let folder = (sluice.configurationFile as NSString).deletingLastPathComponent + "/adapters"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }

    private func awaitRevision(_ revision: Int, _ sluice: SluiceProcess) throws {
        let deadline = Patience.deadline
        while try sluice.health().json["config_revision"].int != revision {
            if .now > deadline { throw TimedOut("revision \(revision)") }
            usleep(2000)
        }
    }

    private func adapter(_ upstream: ScriptedUpstream) -> String {
        """
        {
          name: "acme", title: "Acme", base_url: "http://127.0.0.1:\(upstream.port)/v9", auth: "header:x-acme-key",
          paths: {chat: "/talk/{model}"}, query: {"api-version": "7"},
          request: {rename: {max_tokens: "limit"}, remove: ["model", "user"], defaults: {mode: "fast"}},
          reply: {normalise: true, id_field: "sid", finish_reasons: {over: "stop"}, reasoning_fields: ["thoughts"]},
          errors: {in_band: [{path: "rc", ok: ["0"], message: "why"}], table: [{codes: ["9"], status: 429, type: "rate_limit_error", code: "rate_limit_exceeded"}]},
          capabilities: [{images: false}],
        }
        """
    }

    private let reply =
        #"{"rc":0,"sid":"s1","choices":[{"message":{"content":"Hi","thoughts":"Hm"},"finish_reason":"over"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#

    @Test func `adds a platform while Sluice runs`() throws {
        let reply = reply
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("fail") { return try connection.reply(#"{"rc":9,"why":"slow down"}"#) }
            if !request.text.contains(#""stream":true"#) { return try connection.reply(reply) }
            try connection.startStream()
            try connection.event(#"{"rc":0,"sid":"s1","choices":[{"delta":{"thoughts":"Hm"}}]}"#)
            try connection.event(#"{"rc":0,"sid":"s1","choices":[{"delta":{"content":"Hi"},"finish_reason":"over"}]}"#)
            try connection.endStream()
        }
        let other = try ScriptedUpstream()
        try withSluice(Configuration(other), upstream, other) { sluice in
            try put(adapter(upstream), "acme.json5", sluice)
            try awaitRevision(2, sluice)
            try sluice.rewriteConfiguration(
                Configuration(other).text.replacingOccurrences(
                    of: "providers: {", with: #"providers: {acme: {api_key: "\#(Secrets.otherProvider)"}, "#))
            sluice.signal(SIGHUP)
            try awaitRevision(3, sluice)
            let answer = try sluice.chat(
                #"{"model":"acme/a b","messages":[{"role":"user","content":"x"}],"max_tokens":5,"user":"u","new":[1]}"#)
            let sent = try upstream.requests.first("the request")
            #expect(sent.target == "/v9/talk/a%20b?api-version=7" && sent["x-acme-key"] == Secrets.otherProvider)
            #expect(sent["authorization"] == nil)
            #expect(sent.text == #"{"messages":[{"role":"user","content":"x"}],"new":[1],"limit":5,"mode":"fast"}"#)
            #expect(answer.status == 200 && answer["x-sluice-dropped-fields"] == "user")
            #expect(answer.json["id"].string == "s1" && answer.json["object"].string == "chat.completion")
            #expect(answer.text.contains(#""content":"Hi""#) && answer.text.contains(#""reasoning_content":"Hm""#))
            #expect(answer.text.contains(#""finish_reason":"stop""#))
            let stream = try sluice.stream(#"{"model":"acme/m","messages":[],"stream":true}"#).rest().joined()
            #expect(
                stream.contains(#""reasoning_content":"Hm""#) && stream.contains(#""finish_reason":"stop""#)
                    && stream.contains("[DONE]"))
            let failed = try sluice.chat(#"{"model":"acme/m","messages":[{"role":"user","content":"fail"}]}"#)
            #expect(
                failed.status == 429 && failed.text.contains("slow down") && failed.text.contains("rate_limit_exceeded")
            )
            let images = try sluice.exchange("POST", "/v1/embeddings", [], #"{"model":"acme/m","input":"x"}"#)
            #expect(images.status == 400 && images.text.contains("unsupported_operation"))
        }
    }

    @Test func `that is wrong changes nothing until it is put right, in its place`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            try put("{name: 'acme', titel: 'A'}", "acme.json5", sluice)
            let line = try sluice.line("the complaint") {
                $0["message"].string?.hasPrefix("configuration not reloaded") == true
            }
            #expect(line["error.message"].string?.contains("acme.json5: titel (line 1): unknown key") == true)
            let health = try sluice.health()
            #expect(health.status == 200 && health.json["config_error"].string?.contains("titel") == true)
            #expect(try sluice.chat().status == 200)
            let file = (sluice.configurationFile as NSString).deletingLastPathComponent + "/adapters/acme.json5"
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.write(contentsOf: Data("{name: 'acme', title: 'A'}".utf8))
            try handle.close()
            try awaitRevision(2, sluice)
            #expect(try !sluice.health().json.keys.contains("config_error"))
        }
    }

    @Test func `decides with unsupported what is refused, and what is only told`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration()
        configuration.add("vendor", upstream, #"adapter: "qwen", base_url: "http://127.0.0.1:\#(upstream.port)/v1""#)
        configuration.providers[0] =
            #""vendor": {adapter: "qwen", api_key: "\#(Secrets.provider)", base_url: "http://127.0.0.1:\#(upstream.port)/v1"}"#
        configuration.models =
            #""s": {provider: "vendor", unsupported: "strict"}, "d": {provider: "vendor", unsupported: "drop"}"#
        try withSluice(configuration, upstream) { sluice in
            func ask(_ model: String) throws -> HTTPMessage {
                try sluice.chat(#"{"model":"\#(model)","messages":[],"logit_bias":{"1":2},"user":"u"}"#)
            }
            let strict = try ask("s")
            #expect(
                strict.status == 400 && strict.text.contains("unsupported_parameter")
                    && strict.text.contains("logit_bias"))
            #expect(upstream.requests.all.isEmpty)
            let warned = try ask("w")
            #expect(warned.status == 200 && warned["x-sluice-dropped-fields"] == "logit_bias, user")
            let dropped = try ask("d")
            #expect(dropped.status == 200 && dropped["x-sluice-dropped-fields"] == nil)
            let line = try sluice.line("the exchange") { $0["gen_ai.request.model"].string == "d" }
            #expect(line["sluice.request.lost_fields"].string == "logit_bias, user")
        }
    }

    @Test func `is checked and printed by the program`() throws {
        func run(_ words: [String]) throws -> (status: Int32, output: String, errors: String) {
            let process = try ChildProcess(SluiceProcess.binary, words, environment: ["PATH": "/usr/bin:/bin"])
            let status = try process.exitStatus()
            return (status, try process.output.text(), try process.errors.text())
        }
        let list = try run(["adapters"])
        #expect(list.status == 0 && list.output.contains("deepseek") && list.output.contains("Tencent Hunyuan"))
        let one = try run(["adapters", "deepseek"])
        let file = NSTemporaryDirectory() + "adapter-\(UUID().uuidString).json5"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try one.output.write(toFile: file, atomically: true, encoding: .utf8)
        let checked = try run(["check", file])
        #expect(
            checked.status == 0 && checked.output.contains("valid: the adapter deepseek, replaces the built-in one"))
        try one.output.replacingOccurrences(of: "dialect:", with: "dialect: 5, dialekt:").write(
            toFile: file, atomically: true, encoding: .utf8)
        let wrong = try run(["check", file])
        #expect(wrong.status == 78 && wrong.errors.contains("\(file): dialect (line "))
        #expect(try run(["adapters", "depseek"]).errors.contains("did you mean \"deepseek\""))
    }
}
