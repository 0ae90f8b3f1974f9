import Testing

@Suite struct `Which provider answers` {
    private func two(_ members: (String, String) = ("", "")) throws -> (Configuration, ScriptedUpstream, ScriptedUpstream) {
        let alpha = try ScriptedUpstream(models: ["alpha-1", "both"], reply: #"{"from":"alpha"}"#)
        let beta = try ScriptedUpstream(models: ["beta-1", "both", "org/model"], reply: #"{"from":"beta"}"#)
        var configuration = Configuration()
        configuration.add("alpha", alpha, key: Secrets.provider, members.0)
        configuration.add("beta", beta, key: Secrets.otherProvider, members.1)
        return (configuration, alpha, beta)
    }

    private func body(_ model: String) -> String { #"{"model":"\#(model)","messages":[]}"# }

    /// Waits until both lists are known.
    private func awaitModels(_ sluice: SluiceProcess) throws {
        for name in ["alpha", "beta"] {
            try sluice.line("models of \(name)") {
                $0["message"].string == "models found" && $0["gen_ai.provider.name"].string == name
            }
        }
    }

    @Test func `a prefix names the provider and is taken off the model`() throws {
        let (configuration, alpha, beta) = try two()
        try withSluice(configuration, alpha, beta) { sluice in
            #expect(try sluice.chat(body("beta/any-model"))["x-request-id"] != nil)
            let first = try sluice.chat(body("alpha/deep/er"))
            #expect(first.text == #"{"from":"alpha"}"#)
            #expect(try alpha.requests.first("alpha's").text == body("deep/er"))
            #expect(try beta.requests.first("beta's").text == body("any-model"))
        }
    }

    @Test func `a configured name comes before everything else`() throws {
        var (configuration, alpha, beta) = try two()
        configuration.models = #""alpha/x": {provider: "beta"}, "echo": {provider: "beta", upstream_model: "not-an-echo"}"#
        configuration.defaultProvider = "alpha"
        try withSluice(configuration, alpha, beta) { sluice in
            _ = try sluice.chat(body("alpha/x"))
            _ = try sluice.chat(body("echo"))
            #expect(try beta.requests.count(2, "beta's").map(\.text) == [body("alpha/x"), body("not-an-echo")])
            #expect(alpha.requests.all.isEmpty)
        }
    }

    @Test func `a model goes to the provider that is configured with it, or lists it`() throws {
        let (configuration, alpha, beta) = try two(("", #"models: ["gpt-*", "exact"]"#))
        try withSluice(configuration, alpha, beta) { sluice in
            try awaitModels(sluice)
            for (model, from) in [
                ("gpt-9", "beta"), ("exact", "beta"), ("alpha-1", "alpha"), ("beta-1", "beta"), ("both", "alpha"), ("org/model", "beta"),
            ] {
                let reply = try sluice.chat(body(model))
                #expect(reply.text == #"{"from":"\#(from)"}"#, "\(model)")
            }
        }
    }

    @Test func `the default provider takes what nobody claims, and what has no model`() throws {
        var (configuration, alpha, beta) = try two()
        configuration.defaultProvider = "beta"
        try withSluice(configuration, alpha, beta) { sluice in
            let reply = try sluice.chat(body("brand-new"))
            #expect(reply.text == #"{"from":"beta"}"#)
            #expect(try sluice.exchange("GET", "/v1/batches").text == #"{"from":"beta"}"#)
            #expect(alpha.requests.all.isEmpty)
        }
    }

    @Test func `without a default an unknown model is told what there is`() throws {
        let (configuration, alpha, beta) = try two()
        try withSluice(configuration, alpha, beta) { sluice in
            let reply = try sluice.chat(body("nobody-knows"))
            #expect(reply.status == 404)
            let error = reply.json["error"]
            #expect(error["code"].string == "model_not_found" && error["param"].string == "model")
            #expect(error["type"].string == "invalid_request_error")
            #expect(error["message"].string?.contains("alpha, beta") == true)
            #expect(reply["x-should-retry"] == "false" && reply["x-sluice-error-owner"] == "caller")
            #expect(try sluice.exchange("GET", "/v1/files").status == 404)
            #expect(alpha.requests.all.isEmpty && beta.requests.all.isEmpty)
        }
    }

    @Test func `one provider alone takes every model`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(body("vendor/whatever:free"))
            #expect(reply.status == 200)
            #expect(try upstream.requests.first("the request").text == body("vendor/whatever:free"))
        }
    }

    @Test func `no provider's key is ever sent to another`() throws {
        var (configuration, alpha, beta) = try two()
        configuration.defaultProvider = "alpha"
        configuration.workers = 2
        try withSluice(configuration, alpha, beta) { sluice in
            let wires = try (0..<4).map { _ in try sluice.connect() }
            for round in 0..<40 {
                let model = ["alpha/m", "beta/m", "both", "unknown"][round % 4]
                _ = try wires[round / 4 % 4].chat(body(model))
            }
            for (upstream, own, other) in [
                (alpha, Secrets.provider, Secrets.otherProvider), (beta, Secrets.otherProvider, Secrets.provider),
            ] {
                for request in upstream.requests.all {
                    #expect(request.values("authorization") == ["Bearer \(own)"] && !request.head.contains(other))
                }
            }
            #expect(alpha.requests.all.count + beta.requests.all.count == 40)
        }
    }

    @Test func `without any provider there is the echo`() throws {
        try withSluice(Configuration()) { sluice in
            let reply = try sluice.chat(Sample.echo)
            #expect(reply.status == 200)
            #expect(reply.json["choices"][0]["message"]["content"].string == "one two three")
            #expect(reply.json["usage"]["total_tokens"].int == 8)
            let unknown = try sluice.chat()
            #expect(unknown.status == 404 && unknown.json["error"]["message"].string?.contains("OPENAI_API_KEY") == true)
        }
    }

    @Test(arguments: [
        (#"{"model":"m","messages":[]"#, 400, "invalid_json", nil),
        (#"{"model":"m","messages":[]} x"#, 400, "invalid_json", nil),
        ("", 400, "invalid_json", nil),
        ("[1]", 400, "invalid_request", nil),
        (#"{"messages":[]}"#, 400, "missing_model", "model"),
        (#"{"model":7,"messages":[]}"#, 400, "invalid_type", "model"),
        (#"{"model":"","messages":[]}"#, 400, "invalid_type", "model"),
        (#"{"model":"m","messages":[],"model":"n"}"#, 400, "invalid_request", "model"),
        (#"{"model":"m"}"#, 400, "missing_required_parameter", "messages"),
        (#"{"model":"m","messages":"hi"}"#, 400, "invalid_type", "messages"),
        (#"{"model":"m","messages":[],"stream":"yes"}"#, 400, "invalid_type", "stream"),
    ] as [(String, Int, String, String?)])
    func `a request that is none is refused with the field at fault`(
        body: String, status: Int, code: String, param: String?
    ) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            let reply = try wire.chat(body)
            let error = reply.json["error"]
            #expect(reply.status == status && error["code"].string == code && error["param"].string == param, "\(reply.text)")
            #expect(reply["x-sluice-error-owner"] == "caller")
            #expect(try wire.chat().status == 200, "the connection is still good")
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test(arguments: [
        ("GET", "/v1/nothing", 404), ("GET", "/", 404), ("POST", "/v2/chat/completions", 404), ("GET", "/v1/embeddings", 405),
        ("POST", "/v1/models", 405), ("DELETE", "/health", 405), ("GET", "/api/v1/chat/completions", 405),
        ("POST", "/v1/../admin", 400), ("GET", "/v1/files/%2e%2e/x", 400), ("GET", "/v1/a%00b", 400),
    ])
    func `a path that leads nowhere says so`(method: String, path: String, status: Int) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange(method, path, [], method == "POST" ? Sample.chat : nil)
            #expect(reply.status == status, "\(reply.text)")
            #expect(reply.json["error"].isValid)
            #expect((reply["allow"] != nil) == (status == 405))
            #expect(upstream.requests.all.isEmpty)
        }
    }
}
