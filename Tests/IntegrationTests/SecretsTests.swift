import Foundation
import TestSupport
import Testing

@Suite struct `Sealed secrets` {
    private func configuration(_ upstream: ScriptedUpstream, _ keys: KeyDirectory, _ more: String = "") throws -> Configuration {
        var configuration = Configuration()
        configuration.add(
            "mock", upstream, key: try keys.seal(Secrets.provider, for: "providers.mock.api_key"))
        configuration.others = [#"secrets: {key_file: "\#(keys.file)", \#(more)}"#]
        return configuration
    }

    private func awaitSecrets(_ sluice: SluiceProcess, _ what: String, _ matches: (JSON) -> Bool) throws -> JSON {
        let deadline = Patience.deadline
        while true {
            let report = try sluice.health("/secrets").json
            if matches(report) { return report }
            if .now > deadline { throw TimedOut("\(what): \(report)") }
            usleep(5000)
        }
    }

    @Test func `of a provider are opened and sent, and shown to nobody`() throws {
        let (upstream, keys) = (try ScriptedUpstream(), try KeyDirectory())
        try withSluice(try configuration(upstream, keys), upstream) { sluice in
            #expect(try sluice.chat().status == 200)
            #expect(try upstream.requests.first("the request")["authorization"] == "Bearer \(Secrets.provider)")
            let report = try sluice.health("/secrets").json
            #expect(report["keys"][0]["settings"][0].string == "providers.mock.api_key")
            #expect(report["keys"][0]["current"].bool == true && report["current"].string?.count == 16)
            for path in ["/secrets", "/providers", "/health", "/targets", "/redis"] {
                #expect(try !sluice.health(path).text.contains(Secrets.mark), "\(path)")
            }
        }
    }

    @Test func `without their key, or moved elsewhere, keep the program from starting and say what to do`() throws {
        let (upstream, keys) = (try ScriptedUpstream(), try KeyDirectory())
        defer { upstream.stop() }
        var keyless = try configuration(upstream, keys)
        keyless.others = []
        let good = try configuration(upstream, keys).text
        let wrong = try KeyDirectory()
        let cases = [
            (good.replacing(keys.file, with: wrong.file), "which is not here"),
            (keyless.text, "no master key"),
            (good.replacing(#""mock": {"#, with: #""mick": {"#), "sealed for another place"),
            (good.replacing(keys.file, with: keys.file + "-none"), "there is no such file"),
        ]
        for (text, reason) in cases {
            let file = keys.path + "/sluice.json5"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let check = try SluiceTool.run(["check", file])
            #expect(check.status == 78 && check.errors.contains(reason), "\(check.errors)")
            #expect(!(check.output + check.errors).contains(Secrets.mark))
        }
    }

    @Test func `a key file that others may read is refused`() throws {
        let (upstream, keys) = (try ScriptedUpstream(), try KeyDirectory())
        defer { upstream.stop() }
        let file = keys.path + "/sluice.json5"
        try configuration(upstream, keys).text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try SluiceTool.run(["check", file]).status == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys.file)
        let check = try SluiceTool.run(["check", file])
        #expect(check.status == 78 && check.errors.contains("make it 600"), "\(check.errors)")
    }

    @Test func `the key is rotated under load: no request fails, and the old key can go`() throws {
        let (upstream, keys) = (try ScriptedUpstream(), try KeyDirectory())
        let directory = try KeyDirectory()
        var configured = try configuration(upstream, keys)
        configured.others.append(#"storage: {directory: "\#(directory.path)/data"}"#)
        let old = try keys.lines[0]
        try withSluice(configured, upstream) { sluice in try rotate(sluice, keys, from: old, upstream) }
        let verified = try SluiceTool.run(["audit", "verify", "--key-file", keys.file, directory.path + "/data"])
        #expect(verified.status == 0 && verified.output.contains("whole"), "\(verified.output)\(verified.errors)")
    }

    private func rotate(
        _ sluice: SluiceProcess, _ keys: KeyDirectory, from old: String, _ upstream: ScriptedUpstream
    ) throws {
        let first = try #require(try sluice.health("/secrets").json["current"].string)
        let load = Load([sluice.ports[0]], connections: 2)
        try load.more(20)
        let fresh = try SluiceTool.run(["secret", "generate"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        try keys.write([fresh, old])
        let second = try #require(
            try awaitSecrets(sluice, "another key") { $0["current"].string != first }["current"].string)
        // The audit key has been moved; the configuration still needs the old one.
        _ = try awaitSecrets(sluice, "the rotation") {
            $0["rotation"]["running"].bool == false && $0["rotation"]["key"].string == second
        }
        #expect(try sluice.health("/secrets").json["keys"][1]["droppable"].bool == false)
        let rotated = try SluiceTool.run(["secret", "rotate", sluice.configurationFile])
        #expect(rotated.errors.contains("1 of 1 sealed values moved"), "\(rotated.errors)")
        _ = try awaitSecrets(sluice, "a key that can go") { $0["keys"][1]["droppable"].bool == true }
        try keys.write([fresh])
        _ = try awaitSecrets(sluice, "one key") { !$0["keys"][1].isValid }
        try load.more(20)
        #expect(try load.stop().failures.isEmpty)
        #expect(upstream.requests.all.allSatisfy { $0["authorization"] == "Bearer \(Secrets.provider)" })
    }

    @Test func `a command that fetches the key runs at the start and when it is asked for, not on every change`() throws {
        let (upstream, keys) = (try ScriptedUpstream(), try KeyDirectory())
        var configured = try configuration(upstream, keys)
        let count = keys.path + "/runs"
        let script = keys.path + "/kms"
        try "#!/bin/sh\necho x >> \(count)\ncat \(keys.file)\n".write(toFile: script, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: script)
        configured.others = [#"secrets: {key_command: ["\#(script)"]}"#]
        func runs() -> Int { ((try? String(contentsOfFile: count, encoding: .utf8)) ?? "").split(separator: "\n").count }
        try withSluice(configured, upstream) { sluice in
            #expect(try sluice.chat().status == 200)
            #expect(runs() == 1)
            configured.limits = "body_bytes_max: 4096"
            try sluice.rewriteConfiguration(configured.text)
            try sluice.line("a reload") { $0["message"].string == "configuration reloaded" }
            #expect(runs() == 1)
            sluice.signal(SIGHUP)
            let deadline = Patience.deadline
            while runs() < 2 { if .now > deadline { throw TimedOut("the command") } }
        }
    }

    @Test func `are made, sealed, opened, moved and inspected by commands that show no more than was asked for`() throws {
        let keys = try KeyDirectory()
        let other = try KeyDirectory()
        #expect(try SluiceTool.run(["secret", "generate", keys.file]).status == 65)
        let mode = try FileManager.default.attributesOfItem(atPath: keys.file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let sealed = try keys.seal("top \(Secrets.mark)\n", for: "redis.password")
        #expect(sealed.hasPrefix("sealed:v1:") && !sealed.contains(Secrets.mark))
        func tool(_ action: String, _ key: KeyDirectory, _ setting: String = "redis.password") throws -> Tool.Outcome {
            try SluiceTool.run(["secret", action, "--key-file", key.file, "--for", setting], input: sealed)
        }
        #expect(try tool("decrypt", keys).output == "top \(Secrets.mark)")
        #expect(try tool("decrypt", keys, "cache.encryption_key").errors.contains("another place"))
        #expect(try tool("decrypt", other).errors.contains("not here"))
        #expect(try tool("inspect", keys).output.contains("opens"))
        #expect(try tool("inspect", other).status == 65)
        try keys.write([try other.lines[0], try keys.lines[0]])
        let moved = try tool("rotate", keys).output
        #expect(moved.hasPrefix("sealed:v1:") && moved != sealed)
        #expect(try SluiceTool.run(["secret", "encrypt", "--key-file", keys.file], input: "x").status == 64)
        #expect(try SluiceTool.run(["secret", "steal"]).status == 64)
    }

    @Test func `are nowhere to be found, whatever happens`() throws {
        let keys = try KeyDirectory()
        let body = "body-\(Secrets.mark)-5521"
        let reply = #"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"answer-\#(Secrets.mark)"},"finish_reason":"stop"}]}"#
        let upstream = try ScriptedUpstream { connection, request in
            switch request.json["model"].string {
            case "broken": try connection.reply(#"{"error":{"message":"no such thing"}}"#, status: "500 Internal Server Error")
            case "refused": try connection.reply(#"{"error":{"message":"bad key"}}"#, status: "401 Unauthorized")
            case "cut": throw TimedOut("nothing: this connection ends here")
            default: try connection.reply(reply)
            }
        }
        let redis = try RedisProcess(password: "redis-\(Secrets.mark)")
        var configuration = Configuration()
        configuration.add("mock", upstream, key: try keys.seal(Secrets.provider, for: "providers.mock.api_key"))
        let data = keys.path + "-data"
        try FileManager.default.createDirectory(atPath: data + "/tmp", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: data) }
        configuration.log = #"destination: "\#(data)/sluice.log", level: "debug""#
        configuration.others = [
            #"secrets: {key_file: "\#(keys.file)"}"#, #"storage: {directory: "\#(data)/store"}"#,
            #"redis: {url: "\#(try keys.seal("redis://:redis-\(Secrets.mark)@127.0.0.1:\(redis.port)", for: "redis.url"))"}"#,
            #"cache: {nondeterministic: true, encryption_key: "\#(try keys.seal("cache-\(Secrets.mark)-0123456789012345678901234567890", for: "cache.encryption_key"))"}"#,
            #"records: {bodies: "full", commit_interval_ms: 20}"#, #"control: {shared_secret: "\#(Store.secret)"}"#,
            #"""
            access: {local: {roles: ["admin"]}, token_endpoint: {clients: {batch: {secret: "client-\#(Secrets.mark)-0123", roles: ["app"]}}}}
            """#,
        ]
        let sluice = try SluiceProcess(
            text: configuration.text, environment: ["TMPDIR": data + "/tmp", "SWIFT_BACKTRACE": "enable=no"])
        for model in ["m", "broken", "refused", "cut", "m"] {
            _ = try sluice.chat(#"{"model":"\#(model)","messages":[{"role":"user","content":"\#(body)"}]}"#)
            _ = try? sluice.chat(#"{"model":"\#(model)","stream":true,"messages":[{"role":"user","content":"\#(body)"}]}"#)
        }
        let key = try #require(try sluice.api("POST", "/api/v1/keys", #"{"name":"app"}"#).json["key"].string)
        let form = "grant_type=client_credentials&client_id=batch&client_secret=client-\(Secrets.mark)-0123"
        let token = try #require(
            try sluice.exchange(
                "POST", "/oauth/token", ["x-api-key: none", "content-type: application/x-www-form-urlencoded"], form
            ).json["access_token"].string)
        for credential in [key, token] {
            #expect(try sluice.chat(Sample.chat, ["authorization: Bearer \(credential)"]).status == 200)
        }
        redis.kill()
        _ = try sluice.chat(#"{"model":"m2","messages":[{"role":"user","content":"\#(body)"}]}"#)
        var answers = ""
        for path in [
            "/health", "/secrets", "/providers", "/targets", "/redis", "/queues", "/metrics", "/api/v1/config",
            "/api/v1/config?layer=file", "/api/v1/audit", "/openapi.json", "/nothing", "/identity", "/api/v1/keys",
            "/api/v1/history", "/api/v1/usage",
        ] { answers += try sluice.health(path).text }
        // A configuration that is wrong, with secrets in wrong places.
        try sluice.rewriteConfiguration(
            configuration.text.replacing("workers: 1", with: #"workers: "wrong""#).replacing(
                "retries: {", with: #"rotries: {key: "x-\#(Secrets.mark)", "#))
        sluice.signal(SIGHUP)
        usleep(1_500_000)
        answers += try sluice.health().text
        try sluice.rewriteConfiguration(configuration.text)
        sluice.signal(SIGHUP)
        usleep(300_000)
        answers += try sluice.health("/api/v1/audit").text
        upstream.stop()
        try sluice.end()
        for secret in [Secrets.mark, key, token] { #expect(!answers.contains(secret), "\(answers)") }
        let report = try sluice.report()
        #expect(!report.contains(key) && !report.contains(token))
        let master = try keys.lines[0]
        var files = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: data) {
            guard let content = FileManager.default.contents(atPath: data + "/" + name) else { continue }
            files += 1
            for secret in [Secrets.mark, master, key, token] {
                #expect(content.range(of: Data(secret.utf8)) == nil, "\(name) contains \(secret)")
            }
        }
        #expect(files >= 4)
    }
}
