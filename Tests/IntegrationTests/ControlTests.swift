import Foundation
import TestSupport
import Testing

/// What is set through the management API, on one node.
@Suite struct `The management API` {
    private func configuration(_ upstream: ScriptedUpstream, _ store: Store, _ control: String = "") -> Configuration {
        var configuration = Configuration(upstream)
        configuration.workers = 2
        configuration.others = [
            #"storage: {directory: "\#(store.path)"}"#, #"control: {shared_secret: "\#(Store.secret)", \#(control)}"#,
        ]
        return configuration
    }

    @Test func `puts what is set in force at once, and has it still after a kill`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let store = try Store()
        let configuration = configuration(upstream, store)
        let first = try SluiceProcess(configuration)
        #expect(try first.api("GET", "/api/v1/models/fast").status == 404)
        let made = try first.api(
            "POST", "/api/v1/models?reason=faster", #"{"name":"fast","provider":"mock","upstream_model":"small"}"#)
        #expect(made.status == 201, "\(made.text)")
        #expect(made["location"] == "/api/v1/models/fast")
        #expect(made.json["revision"].int == 1 && made.json["changes"][0]["path"].string == "models.fast")
        for _ in 0..<4 { #expect(try first.chat(#"{"model":"fast","messages":[]}"#).status == 200) }
        #expect(try upstream.requests.first("the request").json["model"].string == "small")
        let reply = try first.chat(#"{"model":"fast","messages":[]}"#)
        #expect(reply["x-sluice-revision"] == "1.2")
        #expect(try first.health().json["control_revision"].int == 1)
        first.signal(SIGKILL)
        _ = try first.process.exitStatus()

        try withSluice(configuration) { second throws in
            #expect(try second.health().json["control_revision"].int == 1)
            let shown = try second.api("GET", "/api/v1/models/fast").json
            #expect(shown["upstream_model"].string == "small" && shown["origin"].string == "api")
            let history = try second.api("GET", "/api/v1/config/revisions").json["data"][0]
            #expect(history["author"].string == "local" && history["reason"].string == "faster")
            #expect(try second.chat(#"{"model":"fast","messages":[]}"#).status == 200)
        }
    }

    @Test func `changes nothing that is wrong, and says everything that is`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let patch = #"{"models":{"m":{"provider":"mok"},"n":{"provider":"mock","wieght":3}},"cache":{"ttl_ms":-1}}"#
            let refused = try sluice.api("PATCH", "/api/v1/config", patch)
            #expect(refused.status == 422 && refused.json["error"]["code"].string == "invalid_configuration")
            let paths = refused.json["error"]["details"].array.compactMap { $0["path"].string }
            #expect(Set(paths).isSuperset(of: ["models.m.provider", "models.n.wieght"]), "\(paths)")
            let dry = try sluice.api("PATCH", "/api/v1/config?dry_run=true", patch)
            #expect(dry.status == 200 && dry.json["valid"].bool == false)
            #expect(dry.json["errors"].array.count == paths.count)
            let fine = try sluice.api(
                "PATCH", "/api/v1/config?dry_run=true", #"{"models":{"m":{"provider":"mock"}}}"#)
            #expect(fine.json["valid"].bool == true && fine.json["changes"][0]["path"].string == "models.m")
            #expect(fine.json["changed"].bool == false)
            #expect(try sluice.health().json["control_revision"].int == 0)
            #expect(try sluice.api("GET", "/api/v1/models/m").status == 404)
        }
    }

    @Test func `leaves to the file what is the file's`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        var configuration = configuration(upstream, store)
        configuration.models = #"house: {provider: "mock"}"#
        try withSluice(configuration, upstream) { sluice in
            for (method, path, body) in [
                ("PATCH", "/api/v1/config", #"{"timeouts":{"total_ms":1000}}"#),
                ("PATCH", "/api/v1/config", #"{"timeouts":null}"#),
                ("PATCH", "/api/v1/config", #"{"listeners":[]}"#),
                ("PATCH", "/api/v1/config", #"{"access":{"admin_credential":false}}"#),
                ("PATCH", "/api/v1/models/house", #"{"upstream_model":"x"}"#),
                ("DELETE", "/api/v1/models/house", ""),
            ] {
                let reply = try sluice.api(method, path, body)
                #expect(reply.status == 409 && reply.json["error"]["code"].string == "owned_by_file", "\(path) \(body) \(reply.text)")
            }
            let shown = try sluice.api("GET", "/api/v1/config").json
            #expect(shown["origins"]["models.house.provider"].string == "file")
            #expect(shown["origins"]["limits.body_bytes_max"].string == "default")
            #expect(shown["config"]["providers"]["mock"]["api_key"].string == "<set>")
            #expect(try sluice.api("PATCH", "/api/v1/config", #"{"models":{"more":{"provider":"mock"}}}"#).status == 200)
            let after = try sluice.api("GET", "/api/v1/config").json
            #expect(after["origins"]["models.more.provider"].string == "api")
            // The file comes to say it too: it holds, and what was set is kept aside.
            var changed = configuration
            changed.models += #", more: {provider: "mock", upstream_model: "files"}"#
            try sluice.rewriteConfiguration(changed.text)
            sluice.signal(SIGHUP)
            try awaitTrue("the file's") { try sluice.api("GET", "/api/v1/models/more").json["origin"].string == "file" }
            #expect(try sluice.api("GET", "/api/v1/config").json["shadowed"][0].string == "models.more")
        }
    }

    @Test func `goes back one revision, or several`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            for name in ["a", "b", "c"] {
                #expect(try sluice.api("PUT", "/api/v1/models/\(name)", #"{"provider":"mock"}"#).status == 200)
            }
            _ = try sluice.api("PATCH", "/api/v1/models/a", #"{"upstream_model":"other"}"#)
            let back = try sluice.api("POST", "/api/v1/config/rollback?reason=oops")
            #expect(back.json["revision"].int == 5, "\(back.text)")
            #expect(back.json["changes"][0]["path"].string == "models.a.upstream_model")
            #expect(try sluice.api("GET", "/api/v1/models/a").json["upstream_model"].isValid == false)
            #expect(try sluice.api("POST", "/api/v1/config/rollback", #"{"to":1}"#).status == 200)
            #expect(try sluice.api("GET", "/api/v1/models/a").status == 200)
            #expect(try sluice.api("GET", "/api/v1/models/c").status == 404)
            #expect(try sluice.api("POST", "/api/v1/config/rollback", #"{"to":99}"#).status == 404)
            let third = try sluice.api("GET", "/api/v1/config/revisions/3").json
            #expect(third["config"]["models"]["c"]["provider"].string == "mock")
            #expect(try sluice.api("GET", "/api/v1/config/revisions/77").status == 404)
        }
    }

    @Test func `lets one of two win who change the same, and tells the other`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            _ = try sluice.api("PUT", "/api/v1/models/a", #"{"provider":"mock"}"#)
            let etag = try #require(try sluice.api("GET", "/api/v1/models/a")["etag"])
            #expect(try sluice.api("GET", "/api/v1/models/a", "", ["if-none-match: \(etag)"]).status == 304)
            let outcomes = Mutexed<[Int]>([])
            DispatchQueue.concurrentPerform(iterations: 8) { number in
                let reply = try? sluice.api(
                    "PATCH", "/api/v1/models/a", #"{"upstream_model":"m\#(number)"}"#, ["if-match: \(etag)"])
                outcomes.change { $0.append(reply?.status ?? 0) }
            }
            #expect(outcomes.value.sorted() == [200] + Array(repeating: 412, count: 7))
            #expect(try sluice.api("PATCH", "/api/v1/config", "{}", ["if-match: \"r1\""]).status == 412)
            #expect(try sluice.api("PATCH", "/api/v1/config", "{}", ["if-match: \"r2\""]).status == 200)
        }
    }

    @Test func `keeps secrets sealed on the disk, and shows them to nobody`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let provider = #"{"base_url":"http://127.0.0.1:\#(upstream.port)/v1","api_key":"\#(Secrets.otherProvider)"}"#
            let made = try sluice.api("PUT", "/api/v1/providers/second", provider)
            #expect(made.status == 200, "\(made.text)")
            let model = #"{"provider":"second","upstream_model":"x"}"#
            #expect(try sluice.api("PUT", "/api/v1/models/two", model).status == 200)
            #expect(try sluice.chat(#"{"model":"two","messages":[]}"#).status == 200)
            #expect(try upstream.requests.first("it")["authorization"] == "Bearer \(Secrets.otherProvider)")
            let shown = try sluice.api("GET", "/api/v1/providers/second")
            #expect(shown.json["api_key"].string == "<set>")
            // What was shown may be sent back: the secret stays as it was.
            let again = try sluice.api(
                "PATCH", "/api/v1/providers/second", #"{"api_key":"<set>","headers":{"x-a":"b"}}"#)
            #expect(again.status == 200, "\(again.text)")
            #expect(try sluice.chat(#"{"model":"two","messages":[]}"#).status == 200)
            for path in ["/api/v1/config", "/api/v1/config?layer=api", "/api/v1/config/revisions", "/api/v1/config/revisions/1"] {
                #expect(!(try sluice.api("GET", path).text.contains(Secrets.mark)), "\(path)")
            }
            // Not even to whoever can write it: no file, no variable.
            let file = try sluice.api(
                "PATCH", "/api/v1/providers/second", #"{"base_url":"http://127.0.0.1:1/v1","api_key":"file:/etc/passwd"}"#)
            #expect(file.status == 422 && file.text.contains("allow_references"))
        }
        #expect(!(try store.contains(Secrets.mark)))
    }

    @Test func `refuses a secret that it could not seal, and everything where there is nothing to keep it in`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        var plain = Configuration(upstream)
        plain.others = [#"storage: {directory: "\#(store.path)"}"#]
        try withSluice(plain) { sluice in
            let provider = #"{"base_url":"http://127.0.0.1:1/v1","api_key":"\#(Secrets.otherProvider)"}"#
            let refused = try sluice.api("PUT", "/api/v1/providers/second", provider)
            #expect(refused.status == 409 && refused.json["error"]["code"].string == "no_sealing_key")
            #expect(try sluice.api("PUT", "/api/v1/models/a", #"{"provider":"mock"}"#).status == 200)
        }
        try withSluice(Configuration(upstream)) { sluice in
            let refused = try sluice.api("PUT", "/api/v1/models/a", #"{"provider":"mock"}"#)
            #expect(refused.json["error"]["code"].string == "read_only" && refused.text.contains("storage.directory"))
            #expect(try sluice.chat()["x-sluice-revision"] == nil)
        }
        var only = configuration(upstream, store, #"source: "file""#)
        only.workers = 1
        try withSluice(only, upstream) { sluice in
            let refused = try sluice.api("PUT", "/api/v1/models/b", #"{"provider":"mock"}"#)
            #expect(refused.status == 409 && refused.text.contains("control.source"))
            #expect(try sluice.api("GET", "/api/v1/models/a").status == 404)
        }
    }

    @Test func `starts with the file though what was kept is damaged or does not fit, and says so`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let store = try Store()
        let configuration = configuration(upstream, store)
        try withSluice(configuration) { sluice throws in
            #expect(try sluice.api("PUT", "/api/v1/models/good", #"{"provider":"mock"}"#).status == 200)
            let body = #"{"base_url":"http://127.0.0.1:\#(upstream.port)/v1"}"#
            #expect(try sluice.api("PUT", "/api/v1/providers/other", body).status == 200)
            #expect(try sluice.api("PUT", "/api/v1/models/bad", #"{"provider":"other"}"#).status == 200)
        }
        // The API's provider is shadowed by one of another name's absence: the file now claims it with another dialect.
        var changed = configuration
        changed.providers = [#""new": {base_url: "http://127.0.0.1:\#(upstream.port)/v1"}"#]
        try withSluice(changed) { sluice throws in
            #expect(try sluice.health().json["config_error"].string?.contains("models.good") == true)
            #expect(try sluice.chat(#"{"model":"bad","messages":[]}"#).status == 200)
            #expect(try sluice.health("/readyz").status == 200)
        }
        for content in ["", "SQLite format 3\0garbage", String(repeating: "x", count: 9000)] {
            try store.damage(content)
            try withSluice(configuration) { sluice throws in
                #expect(try sluice.chat().status == 200)
                let health = try sluice.health().json
                if content.isEmpty { return }
                #expect(health["config_error"].string?.contains("cannot be read") == true, "\(health)")
                #expect(try sluice.api("PUT", "/api/v1/models/a", #"{"provider":"mock"}"#).status == 409)
            }
        }
    }

    @Test func `takes no request that is not one of its own`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            func code(_ method: String, _ path: String, _ body: String, _ fields: [String]) throws -> String? {
                try sluice.api(method, path, body, fields).json["error"]["code"].string
            }
            #expect(try code("PUT", "/api/v1/models/a", "{}", ["origin: https://evil.example"]) == "cross_origin")
            #expect(try code("PUT", "/api/v1/models/a", "a=b", ["content-type: text/plain"]) == "unsupported_media_type")
            #expect(try code("PUT", "/api/v1/models/a", "{", []) == "invalid_json")
            #expect(try code("PUT", "/api/v1/models/a", "", []) == "invalid_body")
            #expect(try code("PUT", "/api/v1/models/a", "[]", []) == "invalid_body")
            #expect(try code("GET", "/api/v1/config", "", ["accept: text/html"]) == "not_acceptable")
            #expect(try code("GET", "/api/v1/config?layer=x", "", []) == "invalid_parameter")
            let wrong = try sluice.api("DELETE", "/api/v1/config")
            #expect(wrong.status == 405 && wrong["allow"] == "GET, HEAD, POST, PATCH")
            #expect(try sluice.api("GET", "/api/v1/nothing").status == 404)
            #expect(try sluice.api("GET", "/api/v1/models").json["code"].int == 200)
            // The operator's port has the same.
            let wire = try Wire(port: sluice.adminPort)
            #expect(try wire.exchange("GET", "/api/v1/config").json["revision"].int == 0)
        }
    }

    @Test func `has a document that describes it`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let document = try sluice.api("GET", "/openapi.json").json
            #expect(document["openapi"].string == "3.1.0")
            #expect(document["paths"]["/api/v1/config"]["patch"]["x-permission"].string == "config.write")
            #expect(document["paths"]["/v1/chat/completions"]["post"].isValid)
        }
    }

    @Test func `loses no change that it answered when it is ended in the middle of many`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let store = try Store()
        let configuration = configuration(upstream, store)
        for signal in [SIGTERM, SIGKILL] {
            let sluice = try SluiceProcess(configuration)
            let answered = Mutexed<[String]>([])
            let writers = DispatchGroup()
            for writer in 0..<4 {
                DispatchQueue.global().async(group: writers) {
                    for number in 0..<200 {
                        let name = "s\(signal)-\(writer)-\(number)"
                        guard let reply = try? sluice.api("PUT", "/api/v1/models/\(name)", #"{"provider":"mock"}"#),
                            reply.status == 200
                        else { return }
                        answered.change { $0.append(name) }
                    }
                }
            }
            while answered.value.count < 12 { usleep(2000) }
            sluice.signal(signal)
            _ = try sluice.process.exitStatus()
            writers.wait()
            let names = answered.value
            try withSluice(configuration) { second throws in
                let kept = try second.api("GET", "/api/v1/config?layer=api").json["config"]["models"]
                for name in names { #expect(kept[name].isValid, "\(name)") }
            }
        }
    }
}
