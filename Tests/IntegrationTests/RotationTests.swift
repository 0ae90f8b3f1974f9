import Foundation
import TestSupport
import Testing

/// Another master key, while everything that is sealed is in use: a provider's key in the file and one set through the API, bodies of
/// requests, and what the audit log is signed with.
@Suite struct `A rotation of the master key` {
    private static let body = "what-\(Secrets.mark)-was-said"

    private struct Scene {
        let upstream: ScriptedUpstream
        let keys: KeyDirectory
        let store: Store
        let configuration: Configuration
        let master: String
    }

    private func scene(_ perSecond: Int) throws -> Scene {
        let (upstream, keys, store) = (try ScriptedUpstream(), try KeyDirectory(), try Store())
        var configuration = Configuration()
        configuration.add("mock", upstream, key: try keys.seal(Secrets.provider, for: "providers.mock.api_key"))
        configuration.defaultProvider = "mock"
        configuration.others = [
            #"secrets: {key_file: "\#(keys.file)", reseal_per_second: \#(perSecond)}"#,
            #"storage: {directory: "\#(store.path)"}"#, #"records: {commit_interval_ms: 20, bodies: "full"}"#,
            #"access: {local: {roles: ["admin"]}}"#,
        ]
        return Scene(
            upstream: upstream, keys: keys, store: store, configuration: configuration, master: try keys.lines[0])
    }

    /// Sets a provider with a key and a model through the API, and issues an API key.
    private func furnish(_ sluice: SluiceProcess, _ upstream: ScriptedUpstream) throws -> String {
        let provider =
            #"{"base_url":"http://127.0.0.1:\#(upstream.port)/v1","api_key":"\#(Secrets.otherProvider)"}"#
        let made = try sluice.api("PUT", "/api/v1/providers/second", provider)
        #expect(made.status == 200, "\(made.text)")
        #expect(try sluice.api("PUT", "/api/v1/models/two", #"{"provider":"second"}"#).status == 200)
        return try #require(try sluice.api("POST", "/api/v1/keys", #"{"name":"app"}"#).json["key"].string)
    }

    private func say(_ sluice: SluiceProcess, _ number: Int) throws {
        let reply = try sluice.chat(
            #"{"model":"m","messages":[{"role":"user","content":"\#(Self.body) \#(number)"}]}"#,
            ["x-request-id: said-\(number)"])
        #expect(reply.status == 200)
    }

    private func awaitSecrets(_ sluice: SluiceProcess, _ what: String, _ matches: (JSON) -> Bool) throws {
        try awaitTrue(what) { matches(try sluice.health("/secrets").json) }
    }

    private func awaitRotation(_ sluice: SluiceProcess, from first: String?) throws {
        try awaitSecrets(sluice, "the rotation") {
            $0["current"].string != first && $0["rotation"]["running"].bool == false
                && $0["rotation"]["key"].string == $0["current"].string
        }
    }

    /// The first requests and the last, with what was said; and no stored value that could not be opened.
    private func expectReadable(_ sluice: SluiceProcess, _ numbers: [Int]) throws {
        for number in numbers {
            let record = try sluice.api("GET", "/api/v1/history/said-\(number)").json
            #expect(record["bodies_sealed"].bool == false, "\(number)")
            #expect(record["request_body"].string?.contains("\(Self.body) \(number)") == true, "\(number)")
            #expect(record["response_data"].string == Sample.completion, "\(number)")
        }
        // Another set of keys has all stores gone through once more.
        try awaitSecrets(sluice, "the last pass") { $0["rotation"]["running"].bool == false }
        for store in try sluice.health("/secrets").json["rotation"]["stores"].array {
            #expect(store["state"].string == "done" && store["unreadable"].int == 0, "\(store)")
        }
    }

    /// The requests in whose bodies a text stands: every body is opened for that.
    private func find(_ text: String, _ sluice: SluiceProcess) throws -> [String] {
        var found: [String] = []
        var cursor = ""
        while true {
            // A page looks for a while, and is ended then.
            let page = try sluice.api("GET", "/api/v1/history?text=\(text)\(cursor)").json
            found += page["records"].array.compactMap { $0["request_id"].string }
            guard let next = page["next_cursor"].string else { return found }
            cursor = "&cursor=\(next)"
        }
    }

    /// What the API keeps opens: its provider's key is sent, and the key that it issued is taken.
    private func expectKept(_ sluice: SluiceProcess, _ key: String, _ upstream: ScriptedUpstream) throws {
        let reply = try sluice.chat(#"{"model":"two","messages":[]}"#, ["authorization: Bearer \(key)"])
        #expect(reply.status == 200, "\(reply.text)")
        #expect(upstream.requests.all.last?["authorization"] == "Bearer \(Secrets.otherProvider)")
        #expect(try sluice.api("GET", "/api/v1/config/revisions/1").status == 200)
        #expect(try sluice.health().json["config_error"].string == nil)
    }

    @Test func `under load loses nothing: without the old key all that is stored opens, and providers get their keys`()
        throws
    {
        let scene = try scene(100_000)
        defer { scene.upstream.stop() }
        var key = ""
        let sluice = try SluiceProcess(scene.configuration)
        key = try furnish(sluice, scene.upstream)
        for number in 0..<30 { try say(sluice, number) }
        let first = try sluice.health("/secrets").json["current"].string
        let load = Load([sluice.ports[0]], connections: 1)
        try load.more(20)
        let fresh = try SluiceTool.run(["secret", "generate"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        try scene.keys.write([fresh, scene.master])
        for number in 30..<40 { try say(sluice, number) }
        try awaitRotation(sluice, from: first)
        let moved = try SluiceTool.run(["secret", "rotate", sluice.configurationFile])
        #expect(moved.errors.contains("1 of 1 sealed values moved"), "\(moved.errors)")
        try awaitSecrets(sluice, "a key that can go") { $0["keys"][1]["droppable"].bool == true }
        try load.more(20)
        try scene.keys.write([fresh])
        try awaitSecrets(sluice, "one key") { !$0["keys"][1].isValid }
        for number in 40..<45 { try say(sluice, number) }
        try load.more(20)
        let totals = try load.stop()
        #expect(totals.failures.isEmpty)
        try awaitTrue("the last record") { try sluice.api("GET", "/api/v1/history/said-44").status == 200 }
        try expectReadable(sluice, Array(0..<45))
        try expectKept(sluice, key, scene.upstream)
        #expect(try find("was-said%2017", sluice) == ["said-17"])
        let text = try String(contentsOfFile: sluice.configurationFile, encoding: .utf8)
        try sluice.end()

        // Nothing of it was only in memory.
        let next = try SluiceProcess(text: text)
        try expectKept(next, key, scene.upstream)
        try awaitSecrets(next, "the pass of the start") { $0["rotation"]["running"].bool == false }
        try expectReadable(next, [0, 17, 35, 44])
        try next.end()
        for secret in [Secrets.mark, key, fresh, scene.master] {
            let isStored = try scene.store.contains(secret)
            #expect(!isStored)
        }
        let verified = try SluiceTool.run(["audit", "verify", "--key-file", scene.keys.file, scene.store.path])
        #expect(verified.status == 0 && verified.output.contains("whole"), "\(verified.output)\(verified.errors)")
    }

    @Test func `that a kill ends goes on with the next start`() throws {
        let scene = try scene(20)
        defer { scene.upstream.stop() }
        let sluice = try SluiceProcess(scene.configuration)
        let key = try furnish(sluice, scene.upstream)
        for number in 0..<120 { try say(sluice, number) }
        try awaitTrue("the last record") { try sluice.api("GET", "/api/v1/history/said-119").status == 200 }
        let first = try sluice.health("/secrets").json["current"].string
        let fresh = try SluiceTool.run(["secret", "generate"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        try scene.keys.write([fresh, scene.master])
        try awaitSecrets(sluice, "the rotation's begin") {
            $0["current"].string != first && $0["rotation"]["running"].bool == true
                && ($0["rotation"]["stores"].array.reduce(0) { $0 + ($1["moved"].int ?? 0) }) > 0
        }
        #expect(try sluice.health("/secrets").json["keys"][1]["droppable"].bool == false)
        sluice.signal(SIGKILL)
        _ = try sluice.process.exitStatus()

        var configuration = scene.configuration
        configuration.others[0] = configuration.others[0].replacing("20}", with: "100000}")
        let next = try SluiceProcess(configuration)
        try awaitRotation(next, from: first)
        let moved = try SluiceTool.run(["secret", "rotate", next.configurationFile])
        #expect(moved.status == 0, "\(moved.errors)")
        try awaitSecrets(next, "a key that can go") { $0["keys"][1]["droppable"].bool == true }
        try scene.keys.write([fresh])
        try awaitSecrets(next, "one key") { !$0["keys"][1].isValid }
        try expectReadable(next, [0, 1, 60, 118, 119])
        try expectKept(next, key, scene.upstream)
        try next.end()
    }
}
