import Foundation
import Testing

@Suite struct `Streams` {
    @Test func `each event goes out before the next one comes in, at once`() throws {
        let seen = Recorder<Int>()
        let sent = Recorder<ContinuousClock.Instant>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for number in 1...100 {
                sent.record(.now)
                try connection.event(Sample.delta("\(number)"))
                try seen.count(number, "the application to see event \(number)")
            }
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream()
            #expect(stream.head["content-type"] == "text/event-stream" && stream.head["content-length"] == nil)
            var delays: [Duration] = []
            for number in 1...100 {
                #expect(try stream.next() == "data: " + Sample.delta("\(number)"))
                delays.append(.now - sent.all[number - 1])
                seen.record(number)
            }
            #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"])
            #expect(
                delays.sorted()[50] < .milliseconds(10), "half of the events took longer than \(delays.sorted()[50])")
        }
    }

    @Test func `a stream that says nothing keeps less than 8 KB`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            _ = try connection.awaitEnd()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            var streams: [ResponseStream] = []
            func open(_ count: Int) throws {
                for _ in 0..<count {
                    let stream = try sluice.stream()
                    _ = try stream.next()
                    streams.append(stream)
                }
            }
            try open(50)
            let before = sluice.residentByteCount
            try open(400)
            let each = (sluice.residentByteCount - before) / 400
            #expect(each < 8192, "\(each) bytes each")
        }
    }

    @Test func `bytes of a stream pass as they are when the application asked for usage`() throws {
        let body =
            ": ping\n\nevent: x\nid: 7\nretry: 10\ndata: {\"a\":1.0e0}\n\n\ndata:{\"b\" : 2}\n\n"
            + "data: {\"c\":\ndata: 3}\n\n"
            + Sample.events([Sample.delta("é 你好 😀"), Sample.finish, Sample.usage, Sample.done])
        let upstream = try ScriptedUpstream(streaming: [Array(body.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(Sample.streamedChatWithUsage)
            _ = try stream.rest()
            #expect(String(decoding: stream.received, as: UTF8.self) == body)
        }
    }

    @Test func `usage that only Sluice asked for is taken out, byte for byte`() throws {
        let withNull = Sample.delta("a").dropLast() + #","usage":null}"#
        let withUsage =
            Sample.finish.dropLast()
            + #", "usage" : {"prompt_tokens":1,"completion_tokens":2,"total_tokens":3} ,"x":1.50}"#
        let sent = Sample.events([String(withNull), Sample.delta("b"), String(withUsage), Sample.usage, Sample.done])
        let upstream = try ScriptedUpstream(streaming: [Array(sent.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(Sample.streamedChat, ["x-request-id: hidden"])
            let events = try stream.rest()
            #expect(
                events.map { String($0.dropFirst(6)) }.map { $0 == Sample.done || JSON($0).isValid } == [
                    true, true, true, true,
                ])
            #expect(events[0] == "data: " + Sample.delta("a") && events[1] == "data: " + Sample.delta("b"))
            #expect(
                !events.contains { $0.contains("usage") } && events[2].contains(#""x":1.50"#)
                    && events[3] == "data: [DONE]")
            let line = try sluice.exchangeLine("hidden")
            #expect(line["gen_ai.usage.input_tokens"].int == 5 && line["gen_ai.usage.output_tokens"].int == 3)
        }
    }

    @Test func `how the provider's bytes are cut changes nothing`() throws {
        let body = Array(
            (Sample.events([Sample.delta("é😀"), "not json", Sample.finish, Sample.usage])
                + ": c\n\ndata: [DONE]\r\n\r\n").utf8
        )
        let upstream = try ScriptedUpstream { connection, request in
            try connection.startStream()
            let cut = request.json["cut"].int ?? 0
            if cut < body.count {
                try connection.chunk(Array(body[..<cut]))
                try connection.chunk(Array(body[cut...]))
            } else {
                for byte in body { try connection.chunk([byte]) }
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            var expected: String?
            for cut in 1...body.count {
                try wire.ask(
                    "POST", "/v1/chat/completions", [], #"{"model":"m","messages":[],"stream":true,"cut":\#(cut)}"#)
                let text = try wire.readResponse().text
                if expected == nil { expected = text }
                #expect(text == expected, "cut at \(cut)")
            }
            let text = try #require(expected)
            #expect(text == Sample.events([Sample.delta("é😀"), Sample.finish]) + ": c\n\ndata: [DONE]\r\n\r\n")
        }
    }

    @Test func `carriage returns end lines as well`() throws {
        let body = "data: \(Sample.delta("a"))\r\n\r\ndata: \(Sample.finish)\r\rdata: [DONE]\r\n\r\n"
        let upstream = try ScriptedUpstream(streaming: [Array(body.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(Sample.streamedChatWithUsage)
            _ = try? stream.rest()
            #expect(String(decoding: stream.received, as: UTF8.self) == body)
        }
    }

    @Test func `a stream over HTTP/1.0 framing of the provider is complete at its end`() throws {
        let body = Sample.events([Sample.delta("a"), Sample.finish, Sample.done])
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + body)
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...2 {
                try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
                #expect(try wire.readResponse().text == body)
            }
        }
    }

    // MARK: Silence

    @Test func `comments keep a silent stream alive, also before its first event`() throws {
        let go = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try go.count(1, "the first comment")
            try connection.event(Sample.delta("a"))
            try go.count(2, "the second comment")
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "keepalive_comment_ms: 100"
        try withSluice(configuration, upstream) { sluice in
            let stream = try sluice.stream()
            #expect(try stream.next()?.hasPrefix(":") == true)
            go.record(1)
            var events: [String] = []
            while let event = try stream.next() {
                if event.hasPrefix(":"), events.count == 1 { go.record(2) }
                if !event.hasPrefix(":") { events.append(event) }
            }
            #expect(events == ["data: " + Sample.delta("a"), "data: " + Sample.finish, "data: [DONE]"])
        }
    }

    @Test func `no comments are sent where they are switched off`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            usleep(300_000)
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "keepalive_comment_ms: 0"
        try withSluice(configuration, upstream) { sluice in
            let events = try sluice.stream().rest()
            #expect(events.count == 3)
        }
    }

    @Test func `a stream that stalls ends in an error after stream_idle_ms`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            _ = try connection.awaitEnd()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "stream_idle_ms: 1000, keepalive_comment_ms: 300"
        try withSluice(configuration, upstream) { sluice in
            let (events, isClean) = try sluice.stream(Sample.streamedChat, ["x-request-id: stall"]).untilAnyEnd()
            #expect(!isClean && events.first == "data: " + Sample.delta("a"))
            let error = JSON(events.last?.dropFirst(6) ?? "")["error"]
            #expect(error["code"].string == "upstream_idle_timeout" && error["type"].string == "api_error", "\(events)")
            #expect(events.contains { $0.hasPrefix(":") })
            #expect(try sluice.exchangeLine("stall")["event.outcome"].string == "truncated")
            try upstream.ends.count(1, "the provider's connection to be closed")
        }
    }
}
