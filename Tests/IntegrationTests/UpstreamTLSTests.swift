import Foundation
import Testing

/// A second Sluice is the provider's TLS: what reaches the script behind it has gone through TLS, and nothing else has.
@Suite struct `TLS towards providers` {
    private let certificates = Certificates.shared

    /// - Parameters:
    ///   - certificate: the provider's.
    ///   - listener: further members of the provider's listener.
    ///   - provider: further members of the provider, for the gateway.
    private func withProvider(
        certificate: String = "server", listener: String = "", provider: String, host: String = "localhost",
        _ body: (_ gateway: SluiceProcess, _ provider: SluiceProcess, _ script: ScriptedUpstream) throws -> Void
    ) throws {
        let script = try ScriptedUpstream { connection, request in
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var behind = Configuration(script)
        behind.listeners = [
            #"{address: "127.0.0.1:0", tls: {certificates: [\#(certificates.listed(certificate))]\#(listener)}}"#
        ]
        try withSluice(behind, script) { second in
            var configuration = Configuration()
            configuration.providers = [
                #""tls": {base_url: "https://\#(host):\#(second.ports[0])/v1", api_key: "\#(Secrets.otherProvider)", \#(provider)}"#
            ]
            configuration.timeouts = "connect_ms: 5000"
            try withSluice(configuration) { gateway in try body(gateway, second, script) }
        }
    }

    private var trusted: String { #"ca_file: "\#(certificates.authority)""# }

    @Test(arguments: [("auto", "2"), ("http2", "2"), ("http1", "1.1")])
    func `a provider with a good certificate is spoken to, over HTTP/2 if ALPN agrees on it`(choice: String, version: String) throws {
        try withProvider(provider: #"protocol: "\#(choice)", tls: {\#(trusted)}"#) { gateway, provider, script in
            let wire = try gateway.connect()
            for round in 1...5 { #expect(try wire.chat(Sample.chat, ["x-request-id: r-\(round)"]).text == Sample.completion) }
            let stream = try wire.chat(Sample.streamedChat)
            #expect(stream.text.hasSuffix("data: [DONE]\n\n"))
            #expect(try provider.exchangeLine("r-5")["http.version"].string == version)
            #expect(script.requests.all.count == 6)
        }
    }

    @Test func `many requests at a time share an HTTP/2 connection`() throws {
        try withProvider(provider: "tls: {\(trusted)}") { gateway, _, script in
            let wires = try (0..<40).map { _ in try gateway.connect() }
            for _ in 1...3 {
                for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
                for wire in wires { #expect(try wire.readResponse().text == Sample.completion) }
            }
            #expect(script.requests.all.count == 120)
        }
    }

    @Test func `a large prompt and a large reply go through HTTP/2 towards the provider`() throws {
        try withProvider(provider: "tls: {\(trusted)}") { gateway, _, script in
            let text = String(repeating: "Lorem ipsum dolor sit amet. ", count: 60_000)
            let body = #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#
            let reply = try gateway.chat(body)
            #expect(reply.status == 200)
            #expect(try script.requests.first("the request").text == body)
        }
    }

    struct Refusal: CustomTestStringConvertible {
        let testDescription: String
        var certificate = "server"
        var listener = ""
        let tls: String
    }

    static var refusals: [Refusal] {
        let certificates = Certificates.shared
        let trusted = #"ca_file: "\#(certificates.authority)""#
        return [
            Refusal(testDescription: "expired", certificate: "expired", tls: trusted),
            Refusal(testDescription: "for another name", certificate: "other", tls: trusted),
            Refusal(testDescription: "from another authority", certificate: "server2", tls: trusted),
            Refusal(testDescription: "not asked for by its name", tls: trusted + #", server_name: "api.example.com""#),
            Refusal(testDescription: "unknown to the system", tls: ""),
            Refusal(
                testDescription: "wants a certificate that we have not",
                listener: #", client_certificate: "required", client_ca_file: "\#(certificates.authority)""#, tls: trusted),
        ]
    }

    @Test(arguments: refusals)
    func `a provider that cannot be verified is sent nothing`(refusal: Refusal) throws {
        try withProvider(certificate: refusal.certificate, listener: refusal.listener, provider: "tls: {\(refusal.tls)}") {
            gateway, provider, script in
            let reply = try gateway.chat(Sample.chat, ["x-request-id: refused"])
            #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_tls", "\(reply.text)")
            #expect(reply["x-sluice-error-owner"] == "provider")
            #expect(try gateway.exchangeLine("refused")["error.code"].string == "upstream_tls")
            #expect(script.requests.all.isEmpty && provider.exchangeLines().isEmpty)
        }
    }

    @Test func `the name to verify can be another than the host's`() throws {
        let provider = #"tls: {\#(trusted), server_name: "api.example.com"}"#
        try withProvider(certificate: "other", provider: provider, host: "127.0.0.1") { gateway, _, _ in
            let reply = try gateway.chat()
            #expect(reply.status == 200, "\(reply.text)")
        }
    }

    @Test func `an address is verified as one`() throws {
        try withProvider(provider: "tls: {\(trusted)}", host: "127.0.0.1") { gateway, _, _ in
            let reply = try gateway.chat()
            #expect(reply.status == 200, "\(reply.text)")
        }
    }

    @Test func `a client certificate is shown where the provider asks for one`() throws {
        let listener = #", client_certificate: "required", client_ca_file: "\#(certificates.authority)""#
        let identity = #"client_certificate_file: "\#(certificates.path("client.pem"))", client_key_file: "\#(certificates.path("client.key"))""#
        try withProvider(listener: listener, provider: "tls: {\(trusted), \(identity)}") { gateway, _, script in
            let reply = try gateway.chat()
            #expect(reply.status == 200)
            #expect(script.requests.all.count == 1)
        }
    }

    @Test func `a port that speaks no TLS is told from one that refuses it`() throws {
        let script = try ScriptedUpstream()
        var configuration = Configuration()
        configuration.providers = [#""plain": {base_url: "https://127.0.0.1:\#(script.port)/v1"}"#]
        configuration.timeouts = "connect_ms: 1000"
        try withSluice(configuration, script) { sluice in
            let reply = try sluice.chat()
            #expect([502, 504].contains(reply.status) && reply.json["error"]["code"].string?.hasPrefix("upstream_") == true)
            #expect(script.requests.all.isEmpty)
        }
    }

    // MARK: HTTP/2

    @Test func `HTTP/2 without TLS is spoken where the configuration says so`() throws {
        let script = try ScriptedUpstream()
        try withSluice(Configuration(script), script) { second in
            var configuration = Configuration()
            configuration.providers = [#""h2c": {base_url: "http://127.0.0.1:\#(second.ports[0])/v1", protocol: "http2"}"#]
            try withSluice(configuration) { gateway in
                let wire = try gateway.connect()
                for round in 1...5 { #expect(try wire.chat(Sample.chat, ["x-request-id: r-\(round)"]).status == 200) }
                #expect(try second.exchangeLine("r-5")["http.version"].string == "2")
            }
        }
    }

    @Test func `a stream that is cut behind HTTP/2 is an error event here`() throws {
        let script = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            connection.isOver = true
        }
        try withSluice(Configuration(script), script) { second in
            var configuration = Configuration()
            configuration.providers = [#""h2c": {base_url: "http://127.0.0.1:\#(second.ports[0])/v1", protocol: "http2"}"#]
            try withSluice(configuration) { gateway in
                let wire = try gateway.connect()
                try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
                let (events, isClean) = try ResponseStream(wire).untilAnyEnd()
                // The provider's own error event comes first; that the stream then broke is ours to tell.
                #expect(!isClean && events.first == "data: " + Sample.delta("a"))
                #expect(events.dropFirst().allSatisfy { $0.contains("upstream_truncated") } && events.count >= 2, "\(events)")
            }
        }
    }
}
