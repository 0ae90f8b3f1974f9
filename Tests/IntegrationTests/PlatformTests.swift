import Foundation
import Testing

@Suite struct `The platform's envelope` {
    private let path = "/api/v1/chat/completions"

    private func envelope(_ parameters: String, model: String = "m") -> String {
        #"{"model":"\#(model)","parameters":{\#(parameters)},"user_info":{"user_id":"u-7","user_role":"tester"},"request_id":"q-1"}"#
    }

    private func post(_ sluice: SluiceProcess, _ body: String, type: String = "application/json") throws -> HTTPMessage {
        try sluice.exchange("POST", path, ["content-type: \(type)"], body)
    }

    @Test func `wraps the request for the provider and its reply for the application`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let parameters = #""prompt":"Say \"hi\" é","temperature":0.70,"max_tokens":64,"prompt_id":"scene-1","stop":["x"]"#
            let reply = try post(sluice, envelope(parameters))
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "POST /v1/chat/completions HTTP/1.1" && request["content-type"] == "application/json")
            #expect(request.text == #"{"model":"m","messages":[{"role":"user","content":"Say \"hi\" é"}],"user":"u-7","temperature":0.70,"max_tokens":64,"stop":["x"]}"#)
            let json = reply.json
            #expect(reply.status == 200 && json["code"].int == 200 && json["message"].string == "success")
            #expect(json.keys == ["code", "data", "message", "request_id", "timestamp"])
            #expect(json["data"]["result"].string == "Hi.")
            #expect(json["data"]["model_info"].keys == ["name", "provider", "version"])
            #expect(json["data"]["model_info"]["provider"].string == "mock")
            #expect(json["data"]["usage"]["total_tokens"].int == 7)
            #expect(json["request_id"].string == "q-1")
            #expect(abs(Double(json["timestamp"].int ?? 0) / 1000 - Date().timeIntervalSince1970) < 60)
        }
    }

    @Test func `takes messages as well`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let messages = #"[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"}]}]"#
            _ = try post(sluice, envelope(#""messages":\#(messages)"#))
            #expect(try upstream.requests.first("the request").text == #"{"model":"m","messages":\#(messages),"user":"u-7"}"#)
        }
    }

    @Test(arguments: [
        "model=m&parameters.prompt=Hi+there%21&parameters%5Btemperature%5D=0.5&user_info.user_id=u-7&request_id=q-1",
        "model=m&prompt=Hi+there%21&temperature=0.5&user_id=u-7&user_role=x&request_id=q-1",
        "model=m&parameters=%7B%22prompt%22%3A%22Hi+there%21%22%2C%22temperature%22%3A0.5%7D&user_info=%7B%22user_id%22%3A%22u-7%22%7D&request_id=q-1",
    ])
    func `is understood as an urlencoded form`(form: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try post(sluice, form, type: "application/x-www-form-urlencoded")
            #expect(reply.status == 200 && reply.json["request_id"].string == "q-1", "\(reply.text)")
            let expected = #"{"model":"m","messages":[{"role":"user","content":"Hi there!"}],"user":"u-7","temperature":0.5}"#
            #expect(try upstream.requests.first("the request").text == expected)
        }
    }

    @Test func `is understood as a multipart form`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let fields = [("model", "m"), ("prompt", "12"), ("max_tokens", "8"), ("user_id", "u-7"), ("request_id", "q-1")]
            let body = fields.map { "--xx\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined() + "--xx--\r\n"
            let reply = try post(sluice, body, type: "multipart/form-data; boundary=xx")
            #expect(reply.status == 200 && reply.json["code"].int == 200)
            let expected = #"{"model":"m","messages":[{"role":"user","content":"12"}],"user":"u-7","max_tokens":8}"#
            #expect(try upstream.requests.first("the request").text == expected)
        }
    }

    @Test func `streams the answer in pieces of the same envelope`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [Sample.delta("Hé"), Sample.delta("llo"), Sample.finish, Sample.usage, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", path, [], envelope(#""prompt":"Hi","stream":true"#))
            let stream = try ResponseStream(wire)
            #expect(stream.head["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try stream.rest()
            #expect(events.last == "data: [DONE]")
            let pieces = events.dropLast().map { JSON($0.dropFirst(6)) }
            #expect(pieces.allSatisfy { $0["code"].int == 200 && $0["request_id"].string == "q-1" })
            #expect(pieces.compactMap { $0["data"]["delta"].string }.joined() == "Héllo")
            #expect(pieces.last?["data"]["usage"]["completion_tokens"].int == 3)
        }
    }

    @Test func `a stream that is cut ends in an error of the same envelope`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", path, [], envelope(#""prompt":"Hi","stream":true"#))
            let (events, isClean) = try ResponseStream(wire).untilAnyEnd()
            let last = JSON(events.last?.dropFirst(6) ?? "")
            #expect(!isClean && last["code"].int == 502 && last["error"]["code"].string == "upstream_truncated", "\(events)")
        }
    }

    @Test func `comments keep its silent streams alive as well`() throws {
        let go = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            try go.first("the comment")
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "keepalive_comment_ms: 100"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", path, [], envelope(#""prompt":"Hi","stream":true"#))
            let stream = try ResponseStream(wire)
            _ = try stream.next()
            #expect(try stream.next()?.hasPrefix(":") == true)
            go.record(true)
            #expect(try stream.rest().last == "data: [DONE]")
        }
    }

    @Test(arguments: [
        ("{", 400, "invalid_json"), ("[]", 400, "invalid_request"), (#"{"parameters":{"prompt":"x"}}"#, 400, "missing_model"),
        (#"{"model":"m"}"#, 400, "missing_required_parameter"), (#"{"model":"m","parameters":{}}"#, 400, "missing_required_parameter"),
        (#"{"model":"m","parameters":{"prompt":7}}"#, 400, "invalid_type"), (#"{"model":7,"parameters":{"prompt":"x"}}"#, 400, "invalid_type"),
    ])
    func `errors have the envelope and the right status`(body: String, status: Int, code: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try post(sluice, body)
            let json = reply.json
            #expect(reply.status == status && json["code"].int == status && json["error"]["code"].string == code, "\(reply.text)")
            #expect(json["data"].isNull && json["message"].string?.isEmpty == false && json["request_id"].string?.isEmpty == false)
            #expect(json.keys == ["code", "data", "error", "message", "request_id", "timestamp"])
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `a provider's error has it too`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            let body = #"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#
            try connection.reply(body, status: "429 Too Many Requests", ["retry-after: 3"])
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try post(sluice, envelope(#""prompt":"x""#))
            #expect(reply.status == 429 && reply["retry-after"] == "3")
            #expect(reply.json["code"].int == 429 && reply.json["message"].string == "slow down")
            #expect(reply.json["error"]["code"].string == "rate_limit_exceeded" && reply.json["request_id"].string == "q-1")
        }
    }

    @Test func `the echo answers in it without a provider`() throws {
        try withSluice(Configuration()) { sluice in
            let reply = try post(sluice, envelope(#""prompt":"one two""#, model: "echo"))
            #expect(reply.json["data"]["result"].string == "one two")
            #expect(reply.json["data"]["model_info"]["provider"].string == "sluice")
            let stream = try post(sluice, envelope(#""prompt":"one two","stream":true"#, model: "echo"))
            #expect(stream.text.hasSuffix("data: [DONE]\n\n"))
        }
    }

    @Test func `the field user of the parameters gives way to the envelope's`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            _ = try post(sluice, envelope(#""prompt":"x","user":"somebody-else","model":"other","messages_x":1"#))
            let json = try upstream.requests.first("the request").json
            #expect(json["user"].string == "u-7" && json["model"].string == "m" && json["messages_x"].int == 1)
        }
    }
}

@Suite struct `Models and health` {
    @Test func `the list has what is configured, what providers list, and the echo`() throws {
        let upstream = try ScriptedUpstream(models: ["small", "large"])
        var configuration = Configuration(upstream)
        configuration.models = #""fast": {provider: "mock", upstream_model: "small"}"#
        try withSluice(configuration, upstream) { sluice in
            try sluice.line("the provider's list") { $0["message"].string == "models found" }
            let list = try sluice.exchange("GET", "/v1/models")
            #expect(list.json["object"].string == "list")
            #expect(list.json["data"].array.compactMap { $0["id"].string } == ["fast", "small", "large", "echo"])
            #expect(list.json["data"].array.allSatisfy { $0["object"].string == "model" && $0["created"].int != nil })
            let one = try sluice.exchange("GET", "/v1/models/large")
            #expect(one.json["id"].string == "large" && one.json["owned_by"].string == "mock")
            let platform = try sluice.exchange("GET", "/api/v1/models")
            #expect(platform.json["code"].int == 200)
            #expect(platform.json["data"].array.compactMap { $0["name"].string } == ["fast", "small", "large", "echo"])
        }
    }

    @Test func `a model that only its provider knows is asked for there`() throws {
        let upstream = try ScriptedUpstream(reply: #"{"id":"ft:m:1","object":"model"}"#)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("GET", "/v1/models/ft:m:1")
            #expect(reply.status == 200 && reply.json["id"].string == "ft:m:1")
            #expect(try upstream.requests.first("the request").target == "/v1/models/ft:m:1")
        }
    }

    @Test(arguments: ["/health", "/healthz", "/livez", "/readyz"])
    func `health is answered on both ports, with the configuration's revision`(path: String) throws {
        try withSluice(Configuration()) { sluice in
            for reply in [try sluice.exchange("GET", path), try sluice.health(path)] {
                #expect(reply.status == 200 && reply["content-type"] == "application/json")
                #expect(reply.json["status"].string == "ok" && reply.json["config_revision"].int == 1)
                #expect(reply.json["version"].string?.isEmpty == false && !reply.json.keys.contains("config_error"))
            }
        }
    }

    @Test func `the admin port has nothing else`() throws {
        try withSluice(Configuration()) { sluice in
            for path in ["/", "/v1/models", "/health/x", "/config"] {
                let reply = try sluice.health(path)
                #expect(reply.status == 404, "\(path)")
            }
        }
    }
}
