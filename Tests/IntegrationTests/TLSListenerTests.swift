import Foundation
import Testing

@Suite(.enabled(if: Curl.isThere, "curl is not installed")) struct `TLS towards applications` {
    private let certificates = Certificates.shared

    private func configuration(_ upstream: ScriptedUpstream, _ names: [String] = ["server"], _ members: String = "") -> Configuration {
        var configuration = Configuration(upstream)
        let listed = names.map(certificates.listed).joined(separator: ", ")
        configuration.listeners = [#"{address: "127.0.0.1:0", tls: {certificates: [\#(listed)], \#(members)}}"#]
        return configuration
    }

    private func chat(_ sluice: SluiceProcess, host: String = "localhost", _ arguments: [String] = []) throws -> Curl {
        let authority = arguments.contains("--cacert") ? [] : ["--cacert", certificates.authority]
        return try Curl(
            "https://\(host):\(sluice.ports[0])/v1/chat/completions",
            ["--resolve", "\(host):\(sluice.ports[0]):127.0.0.1"] + authority + arguments + Curl.posting(Sample.chat))
    }

    @Test(arguments: [
        (["--http1.1"], "1.1"), (["--http2"], "2"), (["--http1.1", "--tls-max", "1.2"], "1.1"), (["--http2", "--tls-max", "1.2"], "2"),
        (["--http2", "--tlsv1.3"], "2"), (["--no-alpn"], "1.1"),
    ])
    func `ALPN chooses the version of HTTP, under TLS 1.2 and 1.3`(arguments: [String], version: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try chat(sluice, arguments)
            #expect(reply.status == 200 && reply.version == version && reply.body == Sample.completion, "\(reply)")
            #expect(try sluice.line("the exchange") { $0["message"].string == "exchange" }["http.version"].string == version)
        }
    }

    @Test func `TLS 1.1 and plain text are refused`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream), upstream) { sluice in
            let old = try chat(sluice, ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"])
            #expect(old.exit != 0 && old.status == 0)
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try wire.awaitEnd()
            #expect(try chat(sluice).status == 200)
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `the name that is asked for chooses the certificate`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, ["server", "other"]), upstream) { sluice in
            for host in ["localhost", "api.example.com"] {
                let reply = try chat(sluice, host: host)
                #expect(reply.status == 200, "\(host): \(reply.errors)")
            }
            #expect(try chat(sluice, host: "unknown.example.com").exit == 60, "the first certificate is not for that name")
        }
    }

    @Test func `certificate files are loaded again when they change, without a restart`() throws {
        let upstream = try ScriptedUpstream()
        let directory = NSTemporaryDirectory() + "sluice-reload-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func install(_ name: String) throws {
            for end in [".pem", ".key"] {
                let contents = try String(contentsOfFile: certificates.path(name + end), encoding: .utf8)
                try contents.write(toFile: directory + "/live" + end, atomically: true, encoding: .utf8)
            }
        }
        try install("server")
        var configuration = Configuration(upstream)
        configuration.listeners = [
            #"{address: "127.0.0.1:0", tls: {certificates: [{certificate_file: "\#(directory)/live.pem", key_file: "\#(directory)/live.key"}]}}"#
        ]
        try withSluice(configuration, upstream) { sluice in
            #expect(try chat(sluice).status == 200)
            // What cannot be used changes nothing.
            try "not a certificate".write(toFile: directory + "/live.pem", atomically: true, encoding: .utf8)
            try sluice.line("a complaint") { $0["message"].string?.hasPrefix("certificates not reloaded") == true }
            #expect(try chat(sluice).status == 200)
            try install("server2")
            try sluice.line("the change") { $0["message"].string == "certificates reloaded" }
            #expect(try chat(sluice, ["--cacert", certificates.otherAuthority]).status == 200)
            #expect(try chat(sluice).exit == 60, "the old certificate is not shown any more")
        }
    }

    @Test func `a client certificate can be required`() throws {
        let upstream = try ScriptedUpstream()
        let members = #"client_certificate: "required", client_ca_file: "\#(certificates.authority)""#
        try withSluice(configuration(upstream, ["server"], members), upstream) { sluice in
            for version in ["1.2", "1.3"] {
                let anonymous = try chat(sluice, ["--tls-max", version])
                #expect(anonymous.exit != 0, "none was shown")
                #expect(try chat(sluice, ["--tls-max", version] + identity("stranger")).exit != 0, "from an authority that is not ours")
                #expect(try chat(sluice, ["--tls-max", version] + identity("client")).status == 200)
            }
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `a client certificate can be optional`() throws {
        let upstream = try ScriptedUpstream()
        let members = #"client_certificate: "optional", client_ca_file: "\#(certificates.authority)""#
        try withSluice(configuration(upstream, ["server"], members), upstream) { sluice in
            let anonymous = try chat(sluice)
            #expect(anonymous.status == 200)
            #expect(try chat(sluice, identity("client")).status == 200)
            #expect(try chat(sluice, identity("stranger")).exit != 0, "one that is shown must be good")
        }
    }

    private func identity(_ name: String) -> [String] {
        ["--cert", certificates.path(name + ".pem"), "--key", certificates.path(name + ".key")]
    }

    @Test func `a large body goes through TLS in both directions`() throws {
        let text = String(repeating: "Lorem ipsum dolor sit amet. ", count: 40_000)
        let body = #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#
        let upstream = try ScriptedUpstream { connection, request in try connection.reply(request.text) }
        try withSluice(configuration(upstream), upstream) { sluice in
            let file = sluice.path("body.json")
            try body.write(toFile: file, atomically: true, encoding: .utf8)
            for version in ["--http1.1", "--http2"] {
                let reply = try Curl(
                    "https://localhost:\(sluice.ports[0])/v1/chat/completions",
                    ["--cacert", certificates.authority, version, "-H", "content-type: application/json", "-d", "@" + file])
                #expect(reply.status == 200 && reply.body == body, "\(version): \(reply.exit) \(reply.errors)")
            }
        }
    }
}
