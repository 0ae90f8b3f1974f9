import Foundation
import Testing

@Suite struct `The start of a process` {
    @Test func `the banner says where it listens, what it found and what to try`() throws {
        let upstream = try ScriptedUpstream(models: ["m-1", "m-2"])
        try withSluice(Configuration(upstream), upstream) { sluice in
            try sluice.line("the models") { $0["message"].string == "models found" }
            let text = sluice.process.output.lines.all.filter { !$0.hasPrefix("{") }.joined(separator: "\n")
            #expect(text.contains("listening  http://127.0.0.1:\(sluice.ports[0])"))
            #expect(text.contains("provider   mock at http://127.0.0.1:\(upstream.port)/v1"))
            #expect(text.contains("curl http://127.0.0.1:\(sluice.ports[0])/v1/chat/completions"))
            #expect(text.contains("m-1, m-2"))
        }
    }

    @Test func `providers are found in the environment`() throws {
        let upstream = try ScriptedUpstream(models: ["local"])
        let text =
            #"{listeners: [{address: "127.0.0.1:0"}], admin: "127.0.0.1:0", workers: 1, drain: {lame_duck_ms: 0}}"#
        defer { upstream.stop() }
        let environment = [
            "OPENAI_API_KEY": Secrets.provider, "OPENAI_BASE_URL": "http://127.0.0.1:\(upstream.port)/v1",
        ]
        let sluice = try SluiceProcess(text: text, environment: environment)
        let reply = try sluice.chat()
        #expect(reply.status == 200)
        #expect(try upstream.requests.first("the request")["authorization"] == "Bearer \(Secrets.provider)")
        try sluice.end()
    }

    @Test func `every mistake of a configuration is told, with its place, and no secret of it`() throws {
        let text =
            #"{providers: {x: {base_url: "ftp://a", api_key: 7, colour: "\#(Secrets.mark)"}}, limits: {body_bytes_max: 1}}"#
        let error = #expect(throws: SluiceProcess.NotReady.self) { try SluiceProcess(text: text) }
        let report = error?.description ?? ""
        for place in ["providers.x.base_url", "providers.x.api_key", "providers.x.colour", "limits.body_bytes_max"] {
            #expect(report.contains(place), "\(report)")
        }
        #expect(!report.contains(Secrets.mark))
    }

    @Test func `check finds the same without starting`() throws {
        let file = NSTemporaryDirectory() + "sluice-\(UUID().uuidString).json5"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for (text, status) in [("{limits: {body_bytes_max: 1}}", Int32(78)), ("{}", 0)] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let process = try ChildProcess(SluiceProcess.binary, ["check", file], environment: [:])
            #expect(try process.exitStatus() == status)
            let output = try process.output.text() + process.errors.text()
            #expect(output.contains(status == 0 ? "valid" : "limits.body_bytes_max"), "\(output)")
        }
    }
}
