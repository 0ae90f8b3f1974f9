import Foundation
import Testing

@Suite struct `An address that other machines reach` {
    private func configuration(_ upstream: ScriptedUpstream, listener: String, _ access: String? = nil) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.listeners = [listener]
        if let access { configuration.others.append("access: {\(access)}") }
        return configuration
    }

    private static let key = #"keys: {a: {secret: "0123456789abcdefghij", roles: ["app"]}}"#

    @Test(arguments: ["0.0.0.0:0", "[::]:0", "*:0", "10.1.2.3:0"])
    func `is not listened on unless something tells who connects`(address: String) throws {
        let text = #"{listeners: [{address: "127.0.0.1:0"}, {address: "\#(address)"}], admin: null}"#
        let error = #expect(throws: SluiceProcess.NotReady.self) { try SluiceProcess(text: text) }
        let report = error?.description ?? ""
        #expect(report.contains("listeners") && report.contains("trust") && report.contains("access.keys"), "\(report)")
    }

    @Test func `is open to everyone where that is said, in the file or beside it`() throws {
        let upstream = try ScriptedUpstream()
        let open = configuration(upstream, listener: #"{address: "0.0.0.0:0", trust: "everyone"}"#)
        try withSluice(open, upstream) { sluice throws in #expect(try sluice.chat().status == 200) }
        let second = try ScriptedUpstream()
        defer { second.stop() }
        let sluice = try SluiceProcess(
            Configuration(second), arguments: ["--listen", "0.0.0.0:0", "--trust-everyone"])
        #expect(try sluice.chat().status == 200)
        try sluice.end()
    }

    @Test func `demands a credential of this machine too`() throws {
        let upstream = try ScriptedUpstream()
        let guarded = configuration(
            upstream, listener: #"{address: "0.0.0.0:0"}"#, Self.key + #", local: {roles: ["admin"]}"#)
        try withSluice(guarded, upstream) { sluice throws in
            #expect(try sluice.chat().status == 401)
            #expect(try sluice.chat(Sample.chat, ["x-api-key: 0123456789abcdefghij"]).status == 200)
        }
    }

    @Test func `shuts when a configuration that has nothing to tell who connects takes its place`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, listener: #"{address: "0.0.0.0:0"}"#, Self.key), upstream) { sluice throws in
            try sluice.rewriteConfiguration(Configuration(upstream).text)
            sluice.signal(SIGHUP)
            try sluice.line("the reload") { $0["message"].string == "configuration reloaded" }
            let deadline = Patience.deadline
            while try sluice.chat(Sample.chat, ["x-api-key: 0123456789abcdefghij"]).status != 401 {
                if .now > deadline { throw TimedOut("the listener to shut") }
            }
        }
    }

    @Test func `of this machine alone is its own principal's, whatever SDKs show for want of anything better`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = configuration(
            upstream, listener: #"{address: "127.0.0.1:0"}"#,
            Self.key + #", local: {roles: ["app"], user: "pod", team: "shop"}"#)
        configuration.log = "access: true"
        try withSluice(configuration, upstream) { sluice throws in
            #expect(try sluice.chat().status == 200)
            #expect(try sluice.chat(Sample.chat, ["authorization: Bearer unused"]).status == 200)
            #expect(try sluice.chat(Sample.chat, ["authorization: Bearer sk-sluice-unused"]).status == 401)
            let line = try sluice.line("the exchange") { $0["sluice.principal"].string == "local" }
            #expect(line["user.id"].string == "pod" && line["sluice.team"].string == "shop")
        }
    }
}

@Suite struct `The admin port` {
    private func get(_ sluice: SluiceProcess, _ path: String, key: String? = nil, method: String = "GET") throws -> HTTPMessage {
        let wire = try Wire(port: sluice.adminPort)
        let fields = key.map { "authorization: Bearer \($0)\r\n" } ?? ""
        try wire.send("\(method) \(path) HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\(fields)\r\n")
        return try wire.readResponse(to: method)
    }

    private static let keys = #"""
        access: {keys: {
          op: {secret: "operator-operator-operator", roles: ["operator"]},
          look: {secret: "auditor-auditor-auditor", roles: ["auditor"]},
          app: {secret: "app-app-app-app-app-app", roles: ["app"]},
        }, admin_credential: MUST}
        """#

    private func configuration(_ upstream: ScriptedUpstream, _ mustShow: Bool) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others.append(Self.keys.replacingOccurrences(of: "MUST", with: "\(mustShow)"))
        return configuration
    }

    @Test func `is the operator's of this machine, but a key that is shown counts for what it is`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, false), upstream) { sluice throws in
            #expect(try get(sluice, "/targets").status == 200)
            #expect(try get(sluice, "/targets", key: "auditor-auditor-auditor").status == 200)
            let refused = try get(sluice, "/targets", key: "app-app-app-app-app-app")
            #expect(refused.status == 403 && refused.text.contains("status.read"))
            #expect(try get(sluice, "/cache/purge", key: "auditor-auditor-auditor", method: "POST").status == 403)
            #expect(try get(sluice, "/targets/x/y/reset", key: "auditor-auditor-auditor", method: "POST").status == 403)
            #expect(try get(sluice, "/targets/x/y/reset", key: "operator-operator-operator", method: "POST").status == 404)
        }
    }

    @Test func `demands a credential where it is told to, for all but health`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, true), upstream) { sluice throws in
            for path in ["/targets", "/limits", "/providers", "/cache", "/queues", "/redis", "/limits/explain", "/nonesuch"] {
                let reply = try get(sluice, path)
                #expect(reply.status == 401, "\(path)")
                #expect(reply["www-authenticate"]?.hasPrefix("Bearer") == true)
            }
            for path in ["/health", "/livez", "/readyz"] { #expect(try get(sluice, path).status == 200, "\(path)") }
            #expect(try get(sluice, "/limits", key: "auditor-auditor-auditor").status == 200)
            #expect(try get(sluice, "/nonesuch", key: "auditor-auditor-auditor").status == 404)
        }
    }

    @Test func `that other machines reach serves health alone where nothing tells who they are`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let sluice = try SluiceProcess(Configuration(upstream), arguments: ["--admin", "0.0.0.0:0"])
        #expect(try get(sluice, "/readyz").status == 200)
        #expect(try get(sluice, "/health").json["in_flight"].int == nil)
        #expect(try get(sluice, "/targets").status == 401)
        try sluice.end()
    }
}
