import Testing

@Suite struct `What a request cost` {
    private static let without =
        #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}]}"#

    @Test func `is what the provider said`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            _ = try sluice.chat(Sample.chat, ["x-request-id: one"])
            let line = try sluice.exchangeLine("one")
            #expect(line["sluice.usage.source"].string == "provider")
            #expect(line["gen_ai.usage.output_tokens"].int == 2)
        }
    }

    @Test func `is estimated, and marked so, where the provider does not say`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if !request.text.contains("stream") { return try connection.reply(Self.without) }
            try connection.startStream()
            for data in [Sample.delta("a"), Sample.delta("b"), Sample.finish, Sample.done] {
                try connection.event(data)
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            _ = try sluice.chat(Sample.chat, ["x-request-id: whole"])
            _ = try sluice.stream(Sample.streamedChat, ["x-request-id: stream"]).rest()
            for name in ["whole", "stream"] {
                let line = try sluice.exchangeLine(name)
                #expect(line["sluice.usage.source"].string == "estimated", "\(name)")
                #expect((line["gen_ai.usage.input_tokens"].int ?? 0) > 5, "\(name)")
                #expect((line["gen_ai.usage.output_tokens"].int ?? 0) > 1, "\(name)")
            }
        }
    }

    @Test func `an estimate is shown to an application that asked, marked as one`() throws {
        let upstream = try ScriptedUpstream(reply: Self.without)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange(
                "POST", "/api/v1/chat/completions", ["content-type: application/json"],
                #"{"model":"m","parameters":{"prompt":"How much?"}}"#)
            #expect(reply.json["data"]["usage"]["estimated"].bool == true)
            #expect(reply.json["data"]["usage"]["completion_tokens"].int == 1)
        }
    }
}
