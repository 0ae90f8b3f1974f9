import Foundation
import Testing

@Suite struct `A changed configuration` {
    private func awaitRevision(_ revision: Int, _ sluice: SluiceProcess) throws {
        let deadline = Patience.deadline
        while try sluice.health().json["config_revision"].int != revision {
            if .now > deadline { throw TimedOut("revision \(revision)") }
            usleep(2000)
        }
    }

    @Test func `is in force after SIGHUP, on the connections that are open as well`() throws {
        let first = try ScriptedUpstream(reply: #"{"from":1}"#)
        let second = try ScriptedUpstream(reply: #"{"from":2}"#)
        try withSluice(Configuration(first), first, second) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.chat().text == #"{"from":1}"#)
            var changed = Configuration(second)
            changed.limits = "body_bytes_max: 2048"
            try sluice.rewriteConfiguration(changed.text)
            sluice.signal(SIGHUP)
            try awaitRevision(2, sluice)
            let deadline = Patience.deadline
            while try wire.chat().text != #"{"from":2}"# { #expect(.now < deadline) }
            #expect(try wire.chat(#"{"model":"m","messages":[],"x":"\#(String(repeating: "x", count: 3000))"}"#).status == 413)
            // Connections to what is not configured any more are closed.
            try first.ends.first("the old provider's connection to be closed")
        }
    }

    @Test func `is found by itself when the file changes`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            var changed = Configuration(upstream)
            changed.models = #""fast": {provider: "mock", upstream_model: "small"}"#
            try sluice.rewriteConfiguration(changed.text)
            try awaitRevision(2, sluice)
            _ = try sluice.chat(#"{"model":"fast","messages":[]}"#)
            #expect(try upstream.requests.first("the request").json["model"].string == "small")
            let line = try sluice.line("the reload") { $0["message"].string == "configuration reloaded" }
            #expect(line["event.reason"].string?.contains("sluice.json5") == true && line["sluice.config.revision"].int == 2)
        }
    }

    @Test func `a secret that is read from a file is read again when that changes`() throws {
        let upstream = try ScriptedUpstream()
        let directory = NSTemporaryDirectory() + "sluice-secret-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = directory + "/key"
        try "sk-one-\(Secrets.mark)\n".write(toFile: file, atomically: true, encoding: .utf8)
        var configuration = Configuration()
        configuration.providers = [#""mock": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: "file:\#(file)"}"#]
        try withSluice(configuration, upstream) { sluice in
            _ = try sluice.chat()
            try "sk-two-\(Secrets.mark)\n".write(toFile: file, atomically: true, encoding: .utf8)
            try awaitRevision(2, sluice)
            let deadline = Patience.deadline
            while upstream.requests.all.last?["authorization"] != "Bearer sk-two-\(Secrets.mark)" {
                _ = try sluice.chat()
                #expect(.now < deadline)
            }
            #expect(upstream.requests.all.first?["authorization"] == "Bearer sk-one-\(Secrets.mark)")
        }
    }

    @Test(arguments: ["{ providers: ", #"{ no_such_key: 1 }"#, #"{ providers: { x: { base_url: "nonsense" } } }"#, ""])
    func `that is wrong changes nothing, and health says why until it is put right`(text: String) throws {
        let upstream = try ScriptedUpstream()
        let good = Configuration(upstream)
        try withSluice(good, upstream) { sluice in
            try sluice.rewriteConfiguration(text)
            sluice.signal(SIGHUP)
            let line = try sluice.line("the complaint") { $0["message"].string?.hasPrefix("configuration not reloaded") == true }
            #expect(line["log.level"].string == "error" && line["error.message"].string?.isEmpty == false)
            let health = try sluice.health()
            #expect(health.status == 200 && health.json["config_revision"].int == 1)
            #expect(health.json["config_error"].string?.isEmpty == false)
            #expect(try sluice.chat().status == 200)
            try sluice.rewriteConfiguration(good.text)
            sluice.signal(SIGHUP)
            try awaitRevision(2, sluice)
            #expect(try !sluice.health().json.keys.contains("config_error"))
        }
    }

    @Test func `what is under way goes on with the one it began with`() throws {
        let go = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            try go.first("the word to go on")
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        let other = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream, other) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
            let stream = try ResponseStream(wire)
            _ = try stream.next()
            try sluice.rewriteConfiguration(Configuration(other).text)
            sluice.signal(SIGHUP)
            try awaitRevision(2, sluice)
            go.record(true)
            #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"])
        }
    }

    @Test func `a hundred times under load fails no request`() throws {
        let first = try ScriptedUpstream()
        let second = try ScriptedUpstream()
        var configurations = [Configuration(first), Configuration(second)]
        for index in 0...1 {
            configurations[index].workers = 2
            configurations[index].log = "access: false"
        }
        try withSluice(configurations[0], first, second) { sluice in
            let load = Load(sluice.ports)
            try load.more(50)
            for revision in 2...101 {
                try sluice.rewriteConfiguration(configurations[(revision + 1) % 2].text)
                sluice.signal(SIGHUP)
                try sluice.line("revision \(revision)") {
                    $0["message"].string == "configuration reloaded" && ($0["sluice.config.revision"].int ?? 0) >= revision
                }
                try load.more(5)
            }
            let totals = try load.stop()
            #expect(totals.failures.isEmpty && totals.repeated == 0, "\(totals)")
            #expect(!first.requests.all.isEmpty && !second.requests.all.isEmpty)
        }
    }
}
