import Foundation
import Testing

@Suite struct `The egress proxy` {
    /// A proxy that opens tunnels to wherever `target` says, and keeps the CONNECT requests.
    private func proxy(to target: UInt16, connects: Recorder<HTTPMessage>) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, request in
            connects.record(request)
            guard request.method == "CONNECT" else { return try connection.reply("no", status: "405 Method Not Allowed") }
            let other = try Wire(port: target)
            try connection.wire.send("HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
            let back = Background<Bool> {
                while true {
                    let bytes = try other.takeSome(by: .now + .seconds(60))
                    if bytes.isEmpty { break }
                    try connection.wire.send(bytes)
                }
                connection.wire.endSending()
                return true
            }
            while true {
                let bytes = try connection.wire.takeSome(by: .now + .seconds(60))
                if bytes.isEmpty { break }
                try other.send(bytes)
            }
            other.endSending()
            try back.value()
            connection.isOver = true
        }
    }

    @Test func `opens a tunnel, and sees neither key nor prompt before it`() throws {
        let connects = Recorder<HTTPMessage>()
        let upstream = try ScriptedUpstream()
        let proxy = try proxy(to: upstream.port, connects: connects)
        var configuration = Configuration()
        configuration.providers = [
            #""far": {base_url: "http://api.example.test:8080/v1", api_key: "\#(Secrets.provider)", proxy: "http://127.0.0.1:\#(proxy.port)", proxy_credentials: "me:pass-\#(Secrets.mark)"}"#
        ]
        try withSluice(configuration, upstream, proxy) { sluice in
            let wire = try sluice.connect()
            for _ in 1...3 { #expect(try wire.chat().text == Sample.completion) }
            let request = try upstream.requests.first("the request")
            #expect(request["host"] == "api.example.test:8080" && request["proxy-authorization"] == nil)
            let credentials = Data("me:pass-\(Secrets.mark)".utf8).base64EncodedString()
            for connect in connects.all {
                #expect(connect.startLine == "CONNECT api.example.test:8080 HTTP/1.1" && connect["host"] == "api.example.test:8080")
                #expect(connect["proxy-authorization"] == "Basic \(credentials)")
                #expect(!connect.head.contains(Secrets.provider) && !connect.head.contains(Secrets.application))
            }
            #expect(upstream.connections.all.count == 1, "the tunnel is used again")
        }
    }

    @Test func `is passed with TLS inside the tunnel`() throws {
        let certificates = Certificates.shared
        let script = try ScriptedUpstream()
        var behind = Configuration(script)
        behind.listeners = [#"{address: "127.0.0.1:0", tls: {certificates: [\#(certificates.listed("other"))]}}"#]
        try withSluice(behind, script) { second in
            let connects = Recorder<HTTPMessage>()
            let proxy = try proxy(to: second.ports[0], connects: connects)
            var configuration = Configuration()
            configuration.providers = [
                #""far": {base_url: "https://api.example.com/v1", api_key: "k", proxy: "http://127.0.0.1:\#(proxy.port)", tls: {ca_file: "\#(certificates.authority)"}}"#
            ]
            try withSluice(configuration, proxy) { sluice in
                let reply = try sluice.chat()
                #expect(reply.text == Sample.completion)
                #expect(connects.all.allSatisfy { $0.startLine == "CONNECT api.example.com:443 HTTP/1.1" })
            }
        }
    }

    @Test func `is taken from the environment, but for what is exempt`() throws {
        let connects = Recorder<HTTPMessage>()
        let upstream = try ScriptedUpstream()
        let proxy = try proxy(to: upstream.port, connects: connects)
        var configuration = Configuration(upstream)
        configuration.providers.append(#""far": {base_url: "http://far.example.test/v1"}"#)
        configuration.providers.append(#""near": {base_url: "http://near.example.test/v1"}"#)
        let environment = [
            "http_proxy": "http://user:\(Secrets.mark)@127.0.0.1:\(proxy.port)", "NO_PROXY": "near.example.test",
        ]
        try withSluice(configuration, upstream, proxy, environment: environment) { sluice in
            let here = try sluice.chat(#"{"model":"mock/m","messages":[]}"#)
            #expect(here.status == 200, "the machine itself is exempt")
            #expect(try sluice.chat(#"{"model":"far/m","messages":[]}"#).status == 200)
            #expect(try sluice.chat(#"{"model":"near/m","messages":[]}"#).status >= 500, "nobody is there without the proxy")
            #expect(connects.all.allSatisfy { $0.target == "far.example.test:80" } && !connects.all.isEmpty)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nearly bytes", "SSH-2.0-x\r\n\r\n", "",
    ])
    func `that opens no tunnel is 502, and is sent nothing more`(answer: String) throws {
        let proxy = try ScriptedUpstream { connection, _ in
            try connection.wire.send(answer)
            connection.isOver = true
        }
        var configuration = Configuration()
        configuration.providers = [#""far": {base_url: "http://api.example.test/v1", proxy: "http://127.0.0.1:\#(proxy.port)"}"#]
        try withSluice(configuration, proxy) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_proxy", "\(reply.text)")
            #expect(proxy.requests.all.allSatisfy { $0.method == "CONNECT" })
        }
    }

    @Test func `that says nothing is given up in time`() throws {
        let proxy = try ScriptedUpstream { connection, _ in _ = try connection.awaitEnd() }
        var configuration = Configuration()
        configuration.providers = [#""far": {base_url: "http://api.example.test/v1", proxy: "http://127.0.0.1:\#(proxy.port)"}"#]
        configuration.timeouts = "connect_ms: 300"
        try withSluice(configuration, proxy) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 504 && reply.json["error"]["code"].string == "upstream_connect_timeout", "\(reply.text)")
        }
    }
}
