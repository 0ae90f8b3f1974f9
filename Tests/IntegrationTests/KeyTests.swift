import Testing

@Suite struct `A provider's keys` {
    private static let refusal =
        #"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#
    private static let exhausted =
        #"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#

    /// Knows the key `good` and answers any other one as it is told.
    private func upstream(_ status: String, _ body: String) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, request in
            if request["authorization"] == "Bearer \(Secrets.otherProvider)" {
                return try connection.reply(Sample.completion)
            }
            try connection.reply(body, status: status)
        }
    }

    private func configuration(_ upstream: ScriptedUpstream, keys: [String]) -> Configuration {
        var configuration = Configuration()
        let list = keys.map { #""\#($0)""# }.joined(separator: ", ")
        configuration.providers.append(
            #""mock": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: [\#(list)]}"#)
        return configuration
    }

    @Test(arguments: [("401 Unauthorized", refusal, "refused"), ("429 Too Many Requests", exhausted, "exhausted")])
    func `one that is no good is set aside, and the request goes on with the next`(
        status: String, body: String, reason: String
    ) throws {
        let upstream = try upstream(status, body)
        try withSluice(configuration(upstream, keys: [Secrets.provider, Secrets.otherProvider]), upstream) { sluice in
            for _ in 0..<5 {
                let reply = try sluice.chat()
                #expect(reply.status == 200)
            }
            try sluice.line("the key") { $0["sluice.key.set_aside"].string == reason }
            // One refusal, and five answers: nobody asked with the bad key again.
            #expect(upstream.requests.all.count == 6)
        }
    }

    @Test func `when none is good the provider's own words are told`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Self.refusal, status: "401 Unauthorized")
        }
        try withSluice(configuration(upstream, keys: [Secrets.provider, Secrets.otherProvider]), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 401)
            #expect(reply.json["error"]["code"].string == "invalid_api_key")
            #expect(reply["x-sluice-error-owner"] == "gateway")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `a single key is no reason to ask twice, and its error passes byte for byte`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Self.refusal, status: "401 Unauthorized")
        }
        try withSluice(configuration(upstream, keys: [Secrets.provider]), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.text == Self.refusal)
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `an overload is nobody's key's fault`() throws {
        let upstream = try upstream(
            "503 Service Unavailable", #"{"error":{"message":"busy","type":"server_error","param":null,"code":null}}"#)
        try withSluice(configuration(upstream, keys: [Secrets.provider, Secrets.provider]), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 503)
            #expect(upstream.requests.all.count == 1)
        }
    }
}
