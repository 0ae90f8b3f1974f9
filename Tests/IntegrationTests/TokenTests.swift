import Foundation
import Testing

/// Tokens that are exchanged for keys, through the whole program.
@Suite struct `Tokens` {
    private func configuration(_ upstream: ScriptedUpstream) -> Configuration {
        var configuration = Configuration()
        configuration.providers.append(
            #""baidu": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", dialect: "ernie", auth: "recipe:baidu-oauth", auth_settings: {client_id: "id-hush-4711", client_secret: "\#(Secrets.provider)", token_url: "http://127.0.0.1:\#(upstream.port)"}}"#
        )
        return configuration
    }

    private static let answer =
        #"{"id":"r1","object":"chat.completion","created":1,"result":"Blue.","is_truncated":false,"need_clear_history":false,"finish_reason":"normal","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#

    @Test func `one with a short life is good for the requests of that time`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.target.hasPrefix("/oauth") {
                return try connection.reply(#"{"access_token":"token-hush-1","expires_in":30}"#)
            }
            try connection.reply(Self.answer)
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for _ in 0..<3 {
                let reply = try sluice.chat()
                #expect(reply.status == 200, "\(reply.text)")
            }
            let asked = upstream.requests.all
            #expect(asked.count { $0.target.hasPrefix("/oauth") } == 1 && asked.count == 4)
            #expect(asked.last?.target.contains("access_token=token-hush-1") == true)
        }
    }

    @Test func `that do not come are waited for as long as a request may take, and no longer`() throws {
        let upstream = try ScriptedUpstream { _, _ in Thread.sleep(forTimeInterval: 4) }
        var configuration = configuration(upstream)
        configuration.timeouts = "total_ms: 1000"
        try withSluice(configuration, upstream) { sluice in
            let wires = try (0..<2).map { _ in
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
                return wire
            }
            let start = ContinuousClock.now
            for wire in wires {
                let reply = try wire.readResponse()
                #expect(reply.status == 504 && reply.json["error"]["code"].string == "total_timeout", "\(reply.text)")
            }
            #expect(ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test func `what a platform says in place of one repeats no secret`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            try connection.reply(
                #"{"error":"invalid_client","error_description":"unknown client id-hush-4711 with \#(Secrets.provider)"}"#,
                status: "401 Unauthorized")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 401 && reply.text.contains("invalid_client"), "\(reply.text)")
            #expect(!reply.text.contains("hush"), "\(reply.text)")
            #expect(try !sluice.report().contains("hush"))
            // It is not asked again at once.
            #expect(try sluice.chat().text.contains("invalid_client") && upstream.requests.all.count == 1)
        }
    }

    @Test func `a reply that says nothing is an error, whole and in place of a stream`() throws {
        for stream in ["", #","stream":true"#] {
            let upstream = try ScriptedUpstream { connection, request in
                if request.target.hasPrefix("/oauth") {
                    return try connection.reply(#"{"access_token":"token-hush-1","expires_in":3000}"#)
                }
                try connection.reply("{}")
            }
            try withSluice(configuration(upstream), upstream) { sluice in
                let reply = try sluice.chat(#"{"model":"m","messages":[{"role":"user","content":"?"}]\#(stream)}"#)
                #expect(
                    reply.status == 502 && reply.json["error"]["code"].string == "upstream_malformed", "\(reply.text)")
            }
        }
    }
}
