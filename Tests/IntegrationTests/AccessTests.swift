import Foundation
import Testing

/// `sluice key new`, as operators use it.
private struct IssuedKey {
    let key: String
    let hash: String

    init(pepper: String? = nil) throws {
        let words = ["key", "new", "--quiet"] + (pepper == nil ? [] : ["--pepper", "env:PEPPER"])
        let process = try ChildProcess(
            SluiceProcess.binary, words, environment: pepper.map { ["PEPPER": $0] } ?? [:])
        #expect(try process.exitStatus() == 0)
        let lines = try process.output.text().split(separator: "\n").map(String.init)
        guard lines.count == 2 else { throw NotIssued() }
        key = lines[0]
        hash = lines[1]
    }

    var bearer: String { "authorization: Bearer \(key)" }

    private struct NotIssued: Error {}
}

@Suite struct `Access` {
    private func configuration(_ upstream: ScriptedUpstream, _ access: String, provider: String = "") -> Configuration {
        var configuration = Configuration(upstream, provider)
        configuration.others.append("access: {\(access)}")
        return configuration
    }

    /// An empty field is none.
    private static let noCredential = ["authorization:"]

    private func ask(_ sluice: SluiceProcess, _ model: String, _ key: String) throws -> HTTPMessage {
        try sluice.chat(#"{"model":"\#(model)","messages":[]}"#, ["authorization: Bearer \(key)"])
    }

    /// The names that a list of models has.
    private func list(_ sluice: SluiceProcess, _ key: String) throws -> Set<String> {
        let reply = try sluice.exchange("GET", "/v1/models", ["authorization: Bearer \(key)"])
        return Set(reply.json["data"].array.compactMap { $0["id"].string })
    }

    /// The code of the envelope that a request for a scene is answered with.
    private func scene(_ sluice: SluiceProcess, _ scene: String?) throws -> Int? {
        let named = scene.map { #","prompt_id":"\#($0)""# } ?? ""
        return try sluice.exchange(
            "POST", "/api/v1/chat/completions", ["authorization: Bearer 0123456789abcdefghij"],
            #"{"model":"m","parameters":{"prompt":"x"\#(named)}}"#
        ).json["code"].int
    }

    private func claim(_ sluice: SluiceProcess, _ key: String, _ user: String) throws -> Int {
        try sluice.chat(Sample.chat, ["authorization: Bearer \(key)", "x-sluice-user: \(user)"]).status
    }

    @Test func `is for who shows a key, by any of the fields that hold one, and no provider sees it`() throws {
        let app = try IssuedKey()
        let upstream = try ScriptedUpstream()
        let access = #"keys: {app: {hash: "\#(app.hash)"}}"#
        try withSluice(
            configuration(upstream, access, provider: "forward_authorization: true"), upstream
        ) { sluice throws in
            for field in [app.bearer, "x-api-key: \(app.key)", "api-key: \(app.key)", "Authorization: bearer  \(app.key)"] {
                #expect(try sluice.chat(Sample.chat, [field]).status == 200, "\(field)")
            }
            for request in upstream.requests.all {
                #expect(!String(describing: request).contains(app.key))
                #expect(request["authorization"] == "Bearer \(Secrets.provider)")
            }
            let line = try sluice.line("the exchange") { $0["sluice.principal"].string == "key:app" }
            #expect(line["http.response.status_code"].int == 200)
            #expect(!(try sluice.report()).contains(app.key))
        }
    }

    @Test func `is refused alike for every credential that is not accepted, and asks for one where there is none`() throws {
        let off = try IssuedKey()
        let old = try IssuedKey()
        let unknown = try IssuedKey()
        let upstream = try ScriptedUpstream()
        let access = #"""
            keys: {off: {hash: "\#(off.hash)", disabled: true}, old: {hash: "\#(old.hash)", expires: "2020-01-01T00:00:00Z"}}
            """#
        try withSluice(configuration(upstream, access), upstream) { sluice throws in
            var bodies: Set<String> = []
            for key in [off.key, old.key, unknown.key, unknown.key.dropLast() + "~", "nonsense"] {
                let reply = try sluice.chat(Sample.chat, ["authorization: Bearer \(key)"])
                #expect(reply.status == 401)
                #expect(reply["www-authenticate"] == #"Bearer realm="sluice", error="invalid_token""#)
                #expect(reply["x-should-retry"] == "false" && reply["x-sluice-error-owner"] == "caller")
                bodies.insert(reply.text)
            }
            #expect(bodies.count == 1)
            let missing = try sluice.chat(Sample.chat, Self.noCredential)
            #expect(missing.status == 401 && missing.json["error"]["code"].string == "missing_api_key")
            #expect(missing["www-authenticate"] == #"Bearer realm="sluice""#)
            let both = try sluice.chat(Sample.chat, [off.bearer, "x-api-key: \(old.key)"])
            #expect(both.status == 400 && both.json["error"]["code"].string == "ambiguous_credentials")
            for reason in ["disabled", "expired", "unknown", "malformed", "missing", "ambiguous"] {
                try sluice.line(reason) { $0["sluice.access.refused"].string == reason }
            }
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `is refused in the words of whoever asks`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, #"local: {roles: []}"#), upstream) { sluice throws in
            let openAI = try sluice.chat()
            #expect(openAI.status == 403 && openAI.json["error"]["code"].string == "endpoint_not_allowed")
            #expect(openAI.json["error"]["type"].string == "permission_error")
            let anthropic = try sluice.exchange("POST", "/v1/messages", [], Sample.chat)
            #expect(anthropic.json["type"].string == "error")
            #expect(anthropic.json["error"]["type"].string == "permission_error")
            let platform = try sluice.exchange("POST", "/api/v1/chat/completions", [], "{}")
            #expect(platform.json["code"].int == 403)
            #expect(platform.json["error"]["code"].string == "endpoint_not_allowed")
        }
        let other = try ScriptedUpstream()
        try withSluice(configuration(other, #"keys: {a: {secret: "0123456789abcdefghij"}}"#), other) { sluice throws in
            #expect(try sluice.exchange("POST", "/v1/messages", [], Sample.chat).json["error"]["type"].string == "authentication_error")
            #expect(try sluice.exchange("GET", "/api/v1/models").json["code"].int == 401)
            #expect(try sluice.exchange("GET", "/v1/models").status == 401)
            #expect(try sluice.exchange("GET", "/livez").status == 200)
        }
    }

    @Test func `is refused before the body is taken`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, #"keys: {a: {secret: "0123456789abcdefghij"}}"#), upstream) { sluice throws in
            let wire = try sluice.connect()
            try wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
            #expect(try wire.readResponse().status == 401)
        }
    }

    @Test func `to models and providers is as roles and keys have it, and lists show no others`() throws {
        let first = try ScriptedUpstream()
        let second = try ScriptedUpstream()
        var configuration = configuration(
            first,
            #"""
            keys: {
              small: {secret: "small-small-small-small", models: ["m-*"]},
              lab: {secret: "labor-labor-labor-labor", roles: ["lab"]},
              all: {secret: "every-every-every-every"},
            },
            roles: {lab: {based_on: "app", deny: {providers: ["second"], models: ["m-2"]}}}
            """#)
        configuration.add("second", second)
        configuration.models = #"""
            "m-1": {provider: "mock"}, "m-2": {provider: "mock"}, "x-1": {provider: "second"},
            "m-both": {targets: [{provider: "second"}, {provider: "mock"}]}
            """#
        configuration.others.append(#"aliases: {"nickname": "m-2"}"#)
        try withSluice(configuration, first, second) { sluice throws in
            let (small, lab, all) = ("small-small-small-small", "labor-labor-labor-labor", "every-every-every-every")
            let allowed = try ask(sluice, "m-1", small)
            #expect(allowed.status == 200)
            #expect(try ask(sluice, "x-1", small).json["error"]["code"].string == "model_not_allowed")
            #expect(try ask(sluice, "nonesuch", small).status == 403)
            #expect(try ask(sluice, "m-2", lab).json["error"]["code"].string == "model_not_allowed")
            #expect(try ask(sluice, "nickname", lab).json["error"]["code"].string == "model_not_allowed")
            #expect(try ask(sluice, "mock/m-2", lab).json["error"]["code"].string == "model_not_allowed")
            #expect(try ask(sluice, "x-1", lab).json["error"]["code"].string == "provider_not_allowed")
            let before = second.requests.all.count
            #expect(try ask(sluice, "m-both", lab).status == 200)
            #expect(second.requests.all.count == before)
            for model in ["m-1", "m-2", "x-1", "m-both", "nickname"] { #expect(try ask(sluice, model, all).status == 200) }
            #expect(try list(sluice, small) == ["m-1", "m-2", "m-both", "nickname"])
            #expect(try list(sluice, lab) == ["m-1", "m-both", "echo"])
            #expect(try list(sluice, all) == ["m-1", "m-2", "m-both", "x-1", "nickname", "echo"])
            let one = try sluice.exchange("GET", "/v1/models/x-1", ["authorization: Bearer \(small)"])
            #expect(one.status == 404)
        }
    }

    @Test func `is only for those scenes that a role names`() throws {
        let upstream = try ScriptedUpstream()
        let access = #"""
            keys: {a: {secret: "0123456789abcdefghij", roles: ["desk"]}},
            roles: {desk: {based_on: "app", allow: {scenes: ["translate"]}}}
            """#
        try withSluice(configuration(upstream, access), upstream) { sluice throws in
            #expect(try scene(sluice, "translate") == 200)
            #expect(try scene(sluice, "other") == 403)
            #expect(try scene(sluice, nil) == 403)
            #expect(try sluice.chat(Sample.chat, ["authorization: Bearer 0123456789abcdefghij"]).status == 403)
        }
    }

    @Test func `to an endpoint is not a matter of how its path is spelled`() throws {
        let upstream = try ScriptedUpstream()
        let access = #"""
            keys: {a: {secret: "0123456789abcdefghij", roles: ["r"]}},
            roles: {r: {based_on: "app", deny: {endpoints: ["/v1/files", "/v1/chat/completions"]}}}
            """#
        try withSluice(configuration(upstream, access), upstream) { sluice throws in
            let key = ["authorization: Bearer 0123456789abcdefghij"]
            for path in ["/v1/files", "/v1/%66iles", "/v1/files/x", "/v1/file%73?limit=1", "/v1/files/"] {
                let reply = try sluice.exchange("GET", path, key)
                #expect(reply.status == 403, "\(path)")
            }
            for path in ["/v1/chat/completions", "/v1/chat/%63ompletions", "/v1/ch%61t/completions/"] {
                let reply = try sluice.exchange("POST", path, key, Sample.chat)
                #expect(reply.status == 403, "\(path)")
            }
            #expect(try sluice.exchange("GET", "/v1/vector_stores", key).status == 200)
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `claims count only from those who may speak for others`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = configuration(
            upstream,
            #"""
            keys: {
              one: {secret: "ones-ones-ones-ones-ones", user: "ann", team: "red"},
              many: {secret: "many-many-many-many-many", team: "blue", may_claim: true},
            }
            """#)
        configuration.others.append(#"rate_limits: [{name: "per-user", limit: 1, per: "day", by: ["user"]}]"#)
        try withSluice(configuration, upstream) { sluice throws in
            // The key's own user, whatever it says.
            #expect(try claim(sluice, "ones-ones-ones-ones-ones", "u1") == 200)
            #expect(try claim(sluice, "ones-ones-ones-ones-ones", "u2") == 429)
            // Each of those it speaks for.
            #expect(try claim(sluice, "many-many-many-many-many", "u1") == 200)
            #expect(try claim(sluice, "many-many-many-many-many", "u2") == 200)
            #expect(try claim(sluice, "many-many-many-many-many", "u2") == 429)
            #expect(try claim(sluice, "many-many-many-many-many", "ann") == 429)
        }
    }

    @Test func `of an address that guesses is stopped for a while, and who shows a right key is not`() throws {
        let upstream = try ScriptedUpstream()
        let access = #"keys: {a: {secret: "0123456789abcdefghij"}}, failures_per_minute: 5"#
        try withSluice(configuration(upstream, access), upstream) { sluice throws in
            for _ in 0..<5 { #expect(try sluice.chat(Sample.chat, ["x-api-key: wrong"]).status == 401) }
            let stopped = try sluice.chat(Sample.chat, ["x-api-key: wrong"])
            #expect(stopped.status == 429 && stopped.json["error"]["code"].string == "too_many_failed_attempts")
            let wait = try #require(stopped["retry-after"].flatMap { Int($0) })
            #expect(1...60 ~= wait)
            #expect(try sluice.chat(Sample.chat, ["x-api-key: 0123456789abcdefghij"]).status == 200)
            #expect(try sluice.chat(Sample.chat, Self.noCredential).status == 401)
        }
    }

    @Test func `ends at the next request when a key is taken out of the file, on open connections too`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            guard request.text.contains("\"stream\"") else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            try connection.event(#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#)
            usleep(1_500_000)
            try connection.event(#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}"#)
            try connection.event("[DONE]")
            try connection.endStream()
        }
        let keys = #"keys: {b: {secret: "b123456789abcdefghij"}, a: {secret: "0123456789abcdefghij""#
        try withSluice(configuration(upstream, keys + "}}"), upstream) { sluice throws in
            let wire = try sluice.connect()
            let fields = ["authorization: Bearer 0123456789abcdefghij"]
            #expect(try wire.chat(Sample.chat, fields).status == 200)
            let stream = try sluice.stream(Sample.streamedChat, fields)
            try sluice.rewriteConfiguration(configuration(upstream, keys + ", disabled: true}}").text)
            sluice.signal(SIGHUP)
            try sluice.line("the reload") { $0["message"].string == "configuration reloaded" }
            let deadline = Patience.deadline
            while try wire.chat(Sample.chat, fields).status != 401 {
                if .now > deadline { throw TimedOut("the key to be refused") }
            }
            // What had begun ends as it began.
            #expect(try stream.rest().contains { $0.contains("[DONE]") })
        }
    }
}
