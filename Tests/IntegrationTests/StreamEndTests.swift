import Testing

@Suite struct `How streams end` {
    struct Cut: CustomTestStringConvertible {
        let testDescription: String
        let events: [String]
        let rest: String
        let isClosed: Bool
    }

    @Test(arguments: [
        Cut(testDescription: "closed after an event", events: [Sample.delta("a")], rest: "", isClosed: true),
        Cut(
            testDescription: "closed within an event", events: [Sample.delta("a")], rest: "data: {\"id\":",
            isClosed: true),
        Cut(testDescription: "properly ended without a finish", events: [Sample.delta("a")], rest: "", isClosed: false),
        Cut(
            testDescription: "properly ended within an event", events: [Sample.delta("a")], rest: "data: {\"a\":1}",
            isClosed: false),
    ])
    func `a stream that is cut ends in an error, without DONE and not cleanly`(cut: Cut) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in cut.events { try connection.event(event) }
            if !cut.rest.isEmpty { try connection.chunk(cut.rest) }
            if !cut.isClosed { try connection.endStream() }
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let (events, isClean) = try sluice.stream(Sample.streamedChat, ["x-request-id: cut"]).untilAnyEnd()
            #expect(!isClean, "the end must not be taken for a proper one")
            #expect(events.dropLast() == cut.events.map { "data: " + $0 }[...])
            let error = JSON(events.last?.dropFirst(6) ?? "")["error"]
            #expect(
                error["code"].string == "upstream_truncated" && error["message"].string?.contains("mock") == true,
                "\(events)")
            #expect(!events.contains { $0.hasPrefix("data: [DONE]") })
            let line = try sluice.exchangeLine("cut")
            #expect(line["event.outcome"].string == "truncated" && line["error.code"].string == "upstream_truncated")
        }
    }

    @Test(arguments: [true, false])
    func `a finish reason without DONE is complete`(isClosed: Bool) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
            if isClosed {
                try connection.wire.send(
                    "connection: close\r\n\r\ndata: \(Sample.delta("a"))\n\ndata: \(Sample.finish)\n\n")
            } else {
                try connection.wire.send("transfer-encoding: chunked\r\n\r\n")
                for event in [Sample.delta("a"), Sample.finish] { try connection.event(event) }
                try connection.endStream()
            }
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let events = try sluice.stream(Sample.streamedChat, ["x-request-id: whole"]).rest()
            #expect(events == ["data: " + Sample.delta("a"), "data: " + Sample.finish], "no DONE is made up")
            #expect(try sluice.exchangeLine("whole")["event.outcome"].string == "complete")
        }
    }

    @Test func `a malformed event is left out, counted, and ends nothing`() throws {
        let upstream = try ScriptedUpstream(streaming: [
            Array(
                Sample.events([Sample.delta("a"), #"{"half":"#, Sample.delta("b"), "", Sample.finish, Sample.done]).utf8
            )
        ])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let events = try sluice.stream(Sample.streamedChat, ["x-request-id: odd"]).rest()
            #expect(
                events.filter { $0 != "data: " }
                    == [Sample.delta("a"), Sample.delta("b"), Sample.finish, Sample.done].map { "data: " + $0 })
            let line = try sluice.exchangeLine("odd")
            #expect(
                (line["sluice.stream.malformed_events"].int ?? 0) >= 1 && line["event.outcome"].string == "complete")
        }
    }

    @Test(arguments: [
        #"{"error":{"message":"overloaded","type":"overloaded_error","code":529}}"#,
        #"{"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}"#,
        #"{"error":{"message":"overloaded"},"choices":[]}"#,
    ])
    func `a stream that begins with an error is a response with an error's status`(error: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.chunk(": hello\n\ndata: \(error)\n\n")
            _ = try connection.awaitEnd()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            let reply = try wire.chat(Sample.streamedChat)
            // The provider's own status, where its error has one.
            #expect(reply.status == (error.contains("529") ? 529 : 502) && reply["content-type"] == "application/json")
            #expect(reply.json["error"]["message"].string?.contains("overloaded") == true)
            #expect(try wire.exchange("GET", "/health").status == 200, "the connection is still good")
        }
    }

    @Test func `an error in the middle of a stream is passed on, and is its end`() throws {
        let error = #"{"error":{"message":"the engine died","type":"server_error"}}"#
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [Sample.delta("a"), error] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let (events, _) = try sluice.stream(Sample.streamedChat, ["x-request-id: died"]).untilAnyEnd()
            #expect(events == ["data: " + Sample.delta("a"), "data: " + error])
            #expect(try sluice.exchangeLine("died")["event.outcome"].string == "provider_error")
        }
    }

    @Test func `an event that is longer than it may be ends the stream`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            try connection.chunk("data: ")
            while true { try connection.chunk(String(repeating: "x", count: 65_536)) }
        }
        var configuration = Configuration(upstream)
        configuration.limits = "sse_event_bytes_max: 100000"
        try withSluice(configuration, upstream) { sluice in
            let (events, isClean) = try sluice.stream().untilAnyEnd()
            #expect(
                !isClean && events.count == 2 && events[1].contains("upstream_too_large"),
                "\(events.map { $0.prefix(200) })")
        }
    }

    @Test func `a stream of responses ends with its own event, and breaks with one`() throws {
        let created = #"{"type":"response.created","response":{"id":"r"},"sequence_number":0}"#
        let completed =
            #"{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}},"sequence_number":2}"#
        let upstream = try ScriptedUpstream { connection, request in
            try connection.startStream()
            try connection.chunk("event: response.created\ndata: \(created)\n\n")
            if request.text.contains("break") {
                try connection.chunk(#"data: {"type":"response.output_text.delta","delta":"a"}"# + "\n\n")
            } else {
                try connection.chunk("event: response.completed\ndata: \(completed)\n\n")
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/responses", ["x-request-id: r-1"], #"{"model":"m","input":"hi","stream":true}"#)
            let whole = try wire.readResponse()
            #expect(
                whole.text
                    == "event: response.created\ndata: \(created)\n\nevent: response.completed\ndata: \(completed)\n\n")
            #expect(try sluice.exchangeLine("r-1")["gen_ai.usage.output_tokens"].int == 4)
            try wire.ask("POST", "/v1/responses", [], #"{"model":"m","input":"break","stream":true}"#)
            let (events, isClean) = try ResponseStream(wire).untilAnyEnd()
            #expect(!isClean && events.count == 3)
            #expect(events.last?.hasPrefix("event: error\ndata: ") == true, "\(events)")
            #expect(JSON(events.last?.split(separator: "data: ").last ?? "")["type"].string == "error")
        }
    }
}
