import Testing

@Suite struct `What passes through unchanged` {
    @Test(arguments: [
        #"{"model":"m","messages":[],"temperature":1.0e0,"seed":-0,"n":12345678901234567890,"x":1E+2}"#,
        #"{"zebra":1,"model":"m","alpha":{"b":2,"a":1},"messages":[{"content":"é\u00e9\ud83d\ude00","role":"user"}]}"#,
        #"{ "messages" : [ ],"#  + "\n\t" + #""future_field":{"deep":[[[null,true]]],"":""},  "model"  :"m" }"#,
        #"{"model":"m","messages":[],"metadata":{"k":1,"k":2},"user":"a\/b"}"#,
    ])
    func `a request body arrives byte for byte as it was sent`(body: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(body)
            #expect(reply.status == 200)
            #expect(try upstream.requests.first("the request").text == body)
        }
    }

    @Test func `a reply arrives byte for byte as it was sent`() throws {
        let reply = #"{ "usage":{"total_tokens":7.0e0},"choices":[ ],"#  + "\r\n" + #""unknown":"\u00fc","model":"m" }"#
        let upstream = try ScriptedUpstream(reply: reply)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let received = try sluice.chat().text
            #expect(received == reply)
        }
    }

    @Test func `only the model's name changes where the configuration gives it another one`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.models = #""fast": {provider: "mock", upstream_model: "vendor/fast-2"}"#
        try withSluice(configuration, upstream) { sluice in
            let body = #"{"top_p":0.10,"model" : "fast","messages":[{"role":"user","content":"model: fast"}],"k":1.50}"#
            #expect(try sluice.chat(body).status == 200)
            let arrived = try upstream.requests.first("the request").text
            #expect(arrived == body.replacing(#""model" : "fast""#, with: #""model" : "vendor/fast-2""#))
        }
    }

    @Test(arguments: [
        (#"{"model":"m","messages":[],"stream":true}"#, #"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#),
        (
            #"{"model":"m","stream_options":{"x":1},"messages":[],"stream":true}"#,
            #"{"model":"m","stream_options":{"x":1,"include_usage":true},"messages":[],"stream":true}"#
        ),
        (
            #"{"model":"m","messages":[],"stream_options":{"include_usage":false},"stream":true,"n":1.0}"#,
            #"{"model":"m","messages":[],"stream_options":{"include_usage":true},"stream":true,"n":1.0}"#
        ),
        (
            #"{"model":"m","messages":[],"stream_options":null,"stream":true}"#,
            #"{"model":"m","messages":[],"stream_options":{"include_usage":true},"stream":true}"#
        ),
        (
            #"{"model":"m","messages":[],"stream_options":{"include_usage":true},"stream":true}"#,
            #"{"model":"m","messages":[],"stream_options":{"include_usage":true},"stream":true}"#
        ),
        (#"{"model":"m","messages":[],"stream":false}"#, #"{"model":"m","messages":[],"stream":false}"#),
    ])
    func `usage is asked for in every stream, and nothing else is added`(sent: String, arrives: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            _ = try sluice.chat(sent)
            #expect(try upstream.requests.first("the request").text == arrives)
        }
    }

    @Test func `a query and what follows v1 in the path reach the provider as they are`() throws {
        let upstream = try ScriptedUpstream(reply: #"{"object":"list","data":[]}"#)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("GET", "/v1/files?purpose=fine-tune&after=a%2Fb&limit=2")
            #expect(reply.status == 200)
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "GET /v1/files?purpose=fine-tune&after=a%2Fb&limit=2 HTTP/1.1")
            #expect(request.body.isEmpty && request["content-length"] == nil && request["transfer-encoding"] == nil)
        }
    }

    @Test func `a multipart upload and a binary reply pass byte for byte`() throws {
        let audio = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let upstream = try ScriptedUpstream { connection, request in
            let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: \(request.body.count)\r\n\r\n"
            try connection.wire.send(Array(head.utf8) + request.body)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let open = "--b0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--b0\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n"
            let body = Array(open.utf8) + audio + Array("\r\n--b0--\r\n".utf8)
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/audio/transcriptions", ["content-type: multipart/form-data; boundary=b0"], bytes: body)
            let reply = try wire.readResponse()
            #expect(reply.status == 200 && reply.body == body)
            let request = try upstream.requests.first("the request")
            #expect(request.body == body && request["content-type"] == "multipart/form-data; boundary=b0")
        }
    }

    @Test func `a form's model is routed and renamed like any other`() throws {
        let upstream = try ScriptedUpstream(reply: #"{"text":"hello"}"#)
        var configuration = Configuration(upstream)
        configuration.models = #""ears": {provider: "mock", upstream_model: "whisper-large-v3"}"#
        try withSluice(configuration, upstream) { sluice in
            func form(_ model: String) -> String {
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nears\r\n--b\r\n"
                    + "Content-Disposition: form-data; name=\"model\"\r\n\r\n\(model)\r\n--b--\r\n"
            }
            let fields = ["content-type: multipart/form-data; boundary=b"]
            let reply = try sluice.exchange("POST", "/v1/audio/transcriptions", fields, form("ears"))
            #expect(reply.status == 200)
            #expect(try upstream.requests.first("the request").text == form("whisper-large-v3"))
        }
    }
}
