import Foundation
import Testing

@Suite struct `Streams` {
    private func stream(_ sluice: SluiceProcess, _ body: String = Sample.streamedChat, _ fields: [String] = []) throws -> ResponseStream {
        let wire = try sluice.connect()
        try wire.ask("POST", "/v1/chat/completions", fields, body)
        return try ResponseStream(wire)
    }

    /// A provider that sends exactly these bytes as the body of its stream, each piece in a chunk and a write of its own.
    private func upstream(sending pieces: [[UInt8]]) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for piece in pieces { try connection.chunk(piece) }
            try connection.endStream()
        }
    }

    private func events(_ data: [String]) -> String { data.map { "data: \($0)\n\n" }.joined() }

    // MARK: Passage

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
            let stream = try stream(sluice)
            #expect(stream.head["content-type"] == "text/event-stream" && stream.head["content-length"] == nil)
            var delays: [Duration] = []
            for number in 1...100 {
                #expect(try stream.next() == "data: " + Sample.delta("\(number)"))
                delays.append(.now - sent.all[number - 1])
                seen.record(number)
            }
            #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"])
            #expect(delays.sorted()[50] < .milliseconds(10), "half of the events took longer than \(delays.sorted()[50])")
        }
    }

    @Test func `bytes of a stream pass as they are when the application asked for usage`() throws {
        let body = ": ping\n\nevent: x\nid: 7\nretry: 10\ndata: {\"a\":1.0e0}\n\n\ndata:{\"b\" : 2}\n\n"
            + "data: {\"c\":\ndata: 3}\n\n" + events([Sample.delta("é 你好 😀"), Sample.finish, Sample.usage, Sample.done])
        let upstream = try upstream(sending: [Array(body.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, Sample.streamedChatWithUsage)
            _ = try stream.rest()
            #expect(String(decoding: stream.received, as: UTF8.self) == body)
        }
    }

    @Test func `usage that only Sluice asked for is taken out, byte for byte`() throws {
        let withNull = Sample.delta("a").dropLast() + #","usage":null}"#
        let withUsage = Sample.finish.dropLast() + #", "usage" : {"prompt_tokens":1,"completion_tokens":2,"total_tokens":3} ,"x":1.50}"#
        let sent = events([String(withNull), Sample.delta("b"), String(withUsage), Sample.usage, Sample.done])
        let upstream = try upstream(sending: [Array(sent.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, Sample.streamedChat, ["x-request-id: hidden"])
            let events = try stream.rest()
            #expect(events.map { String($0.dropFirst(6)) }.map { $0 == Sample.done || JSON($0).isValid } == [true, true, true, true])
            #expect(events[0] == "data: " + Sample.delta("a") && events[1] == "data: " + Sample.delta("b"))
            #expect(!events.contains { $0.contains("usage") } && events[2].contains(#""x":1.50"#) && events[3] == "data: [DONE]")
            let line = try sluice.exchangeLine("hidden")
            #expect(line["gen_ai.usage.input_tokens"].int == 5 && line["gen_ai.usage.output_tokens"].int == 3)
        }
    }

    @Test func `how the provider's bytes are cut changes nothing`() throws {
        let body = Array((events([Sample.delta("é😀"), "not json", Sample.finish, Sample.usage]) + ": c\n\ndata: [DONE]\r\n\r\n").utf8)
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
                try wire.ask("POST", "/v1/chat/completions", [], #"{"model":"m","messages":[],"stream":true,"cut":\#(cut)}"#)
                let text = try wire.readResponse().text
                if expected == nil { expected = text }
                #expect(text == expected, "cut at \(cut)")
            }
            let text = try #require(expected)
            #expect(text == events([Sample.delta("é😀"), Sample.finish]) + ": c\n\ndata: [DONE]\r\n\r\n")
        }
    }

    @Test func `carriage returns end lines as well`() throws {
        let body = "data: \(Sample.delta("a"))\r\n\r\ndata: \(Sample.finish)\r\rdata: [DONE]\r\n\r\n"
        let upstream = try upstream(sending: [Array(body.utf8)])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, Sample.streamedChatWithUsage)
            _ = try? stream.rest()
            #expect(String(decoding: stream.received, as: UTF8.self) == body)
        }
    }

    @Test func `a stream over HTTP/1.0 framing of the provider is complete at its end`() throws {
        let body = events([Sample.delta("a"), Sample.finish, Sample.done])
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
            let stream = try stream(sluice)
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
            let events = try stream(sluice).rest()
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
            let (events, isClean) = try stream(sluice, Sample.streamedChat, ["x-request-id: stall"]).untilAnyEnd()
            #expect(!isClean && events.first == "data: " + Sample.delta("a"))
            let error = JSON(events.last?.dropFirst(6) ?? "")["error"]
            #expect(error["code"].string == "upstream_idle_timeout" && error["type"].string == "api_error", "\(events)")
            #expect(events.contains { $0.hasPrefix(":") })
            #expect(try sluice.exchangeLine("stall")["event.outcome"].string == "truncated")
            try upstream.ends.count(1, "the provider's connection to be closed")
        }
    }

    // MARK: Ends

    struct Cut: CustomTestStringConvertible {
        let testDescription: String
        let events: [String]
        let rest: String
        let isClosed: Bool
    }

    @Test(arguments: [
        Cut(testDescription: "closed after an event", events: [Sample.delta("a")], rest: "", isClosed: true),
        Cut(testDescription: "closed within an event", events: [Sample.delta("a")], rest: "data: {\"id\":", isClosed: true),
        Cut(testDescription: "properly ended without a finish", events: [Sample.delta("a")], rest: "", isClosed: false),
        Cut(testDescription: "properly ended within an event", events: [Sample.delta("a")], rest: "data: {\"a\":1}", isClosed: false),
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
            let (events, isClean) = try stream(sluice, Sample.streamedChat, ["x-request-id: cut"]).untilAnyEnd()
            #expect(!isClean, "the end must not be taken for a proper one")
            #expect(events.dropLast() == cut.events.map { "data: " + $0 }[...])
            let error = JSON(events.last?.dropFirst(6) ?? "")["error"]
            #expect(error["code"].string == "upstream_truncated" && error["message"].string?.contains("mock") == true, "\(events)")
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
                try connection.wire.send("connection: close\r\n\r\ndata: \(Sample.delta("a"))\n\ndata: \(Sample.finish)\n\n")
            } else {
                try connection.wire.send("transfer-encoding: chunked\r\n\r\n")
                for event in [Sample.delta("a"), Sample.finish] { try connection.event(event) }
                try connection.endStream()
            }
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let events = try stream(sluice, Sample.streamedChat, ["x-request-id: whole"]).rest()
            #expect(events == ["data: " + Sample.delta("a"), "data: " + Sample.finish], "no DONE is made up")
            #expect(try sluice.exchangeLine("whole")["event.outcome"].string == "complete")
        }
    }

    @Test func `a malformed event is left out, counted, and ends nothing`() throws {
        let upstream = try upstream(sending: [
            Array(events([Sample.delta("a"), #"{"half":"#, Sample.delta("b"), "", Sample.finish, Sample.done]).utf8)
        ])
        try withSluice(Configuration(upstream), upstream) { sluice in
            let events = try stream(sluice, Sample.streamedChat, ["x-request-id: odd"]).rest()
            #expect(events.filter { $0 != "data: " } == [Sample.delta("a"), Sample.delta("b"), Sample.finish, Sample.done].map { "data: " + $0 })
            let line = try sluice.exchangeLine("odd")
            #expect((line["sluice.stream.malformed_events"].int ?? 0) >= 1 && line["event.outcome"].string == "complete")
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
            #expect(reply.status == 502 && reply["content-type"] == "application/json")
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
            let (events, _) = try stream(sluice, Sample.streamedChat, ["x-request-id: died"]).untilAnyEnd()
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
            let (events, isClean) = try stream(sluice).untilAnyEnd()
            #expect(!isClean && events.count == 2 && events[1].contains("upstream_too_large"), "\(events.map { $0.prefix(200) })")
        }
    }

    @Test func `a stream of responses ends with its own event, and breaks with one`() throws {
        let created = #"{"type":"response.created","response":{"id":"r"},"sequence_number":0}"#
        let completed = #"{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}},"sequence_number":2}"#
        let upstream = try ScriptedUpstream { connection, request in
            try connection.startStream()
            try connection.chunk("event: response.created\ndata: \(created)\n\n")
            if !request.text.contains("break") { try connection.chunk("event: response.completed\ndata: \(completed)\n\n") }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/responses", ["x-request-id: r-1"], #"{"model":"m","input":"hi","stream":true}"#)
            let whole = try wire.readResponse()
            #expect(whole.text == "event: response.created\ndata: \(created)\n\nevent: response.completed\ndata: \(completed)\n\n")
            #expect(try sluice.exchangeLine("r-1")["gen_ai.usage.output_tokens"].int == 4)
            try wire.ask("POST", "/v1/responses", [], #"{"model":"m","input":"break","stream":true}"#)
            let (events, isClean) = try ResponseStream(wire).untilAnyEnd()
            #expect(!isClean && events.count == 2)
            #expect(events.last?.hasPrefix("event: error\ndata: ") == true, "\(events)")
            #expect(JSON(events.last?.split(separator: "data: ").last ?? "")["type"].string == "error")
        }
    }

    // MARK: Leaving

    private func median(_ durations: [Duration]) -> Duration { durations.sorted()[durations.count / 2] }

    @Test(arguments: [false, true])
    func `the provider is cancelled within 100 ms of the application leaving a stream`(withReset: Bool) throws {
        let ends = Recorder<ContinuousClock.Instant>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            ends.record(try connection.awaitEnd())
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            var delays: [Duration] = []
            for round in 1...7 {
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", ["x-request-id: left-\(round)"], Sample.streamedChat)
                _ = try ResponseStream(wire).next()
                let left = ContinuousClock.now
                if withReset { wire.reset() } else { wire.close() }
                delays.append(try ends.count(round, "cancelled streams")[round - 1] - left)
                let line = try sluice.exchangeLine("left-\(round)")
                #expect(line["event.outcome"].string == "client_gone" && line["http.response.status_code"].int == 499)
            }
            #expect(median(delays) < .milliseconds(100), "\(delays)")
        }
    }

    @Test func `the provider is cancelled within 100 ms of the application leaving before the answer`() throws {
        let ends = Recorder<ContinuousClock.Instant>()
        let upstream = try ScriptedUpstream { connection, _ in ends.record(try connection.awaitEnd()) }
        try withSluice(Configuration(upstream), upstream) { sluice in
            var delays: [Duration] = []
            for round in 1...7 {
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
                try upstream.requests.count(round, "requests")
                let left = ContinuousClock.now
                wire.close()
                delays.append(try ends.count(round, "cancelled requests")[round - 1] - left)
            }
            #expect(median(delays) < .milliseconds(100), "\(delays)")
        }
    }

    // MARK: Back-pressure

    @Test func `a slow reader stops the provider, and misses nothing when it reads on`() throws {
        let stuck = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            let padding = String(repeating: "p", count: 16_000)
            var sent = 0
            var isStuck = false
            for number in 0..<4000 {
                let data = Array("data: {\"n\":\(number),\"p\":\"\(padding)\"}\n\n".utf8)
                var rest = (Array((String(data.count, radix: 16) + "\r\n").utf8) + data + Array("\r\n".utf8))[...]
                while !rest.isEmpty {
                    // Nothing was taken for a second: what is between here and the application is full.
                    let patience: Duration = isStuck ? Patience.usual : .seconds(1)
                    do {
                        let count = try connection.wire.sendSome(rest, by: .now + patience)
                        sent += count
                        rest = rest.dropFirst(count)
                    } catch is TimedOut where !isStuck {
                        isStuck = true
                        stuck.record(sent)
                    }
                }
            }
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let before = sluice.residentByteCount
            let wire = try Wire(port: sluice.ports[0], receiveBuffer: 65_536)
            try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
            let sent = try stuck.first("the provider to be held back")
            // The kernel's buffers hold some megabytes; Sluice itself next to nothing.
            #expect(sent < 16 << 20, "\(sent) bytes were taken")
            #expect(sluice.residentByteCount - before < 16 << 20)
            let stream = try ResponseStream(wire)
            for number in 0..<4000 {
                let event = try #require(try stream.next())
                #expect(event.hasPrefix("data: {\"n\":\(number),"))
            }
            #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"])
        }
    }

    @Test func `an application that takes nothing costs no processor time`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            while true { try connection.event("{\"p\":\"\(String(repeating: "p", count: 16_000))\"}") }
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "keepalive_comment_ms: 50"
        try withSluice(configuration, upstream) { sluice in
            let wire = try Wire(port: sluice.ports[0], receiveBuffer: 65_536)
            try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
            // Until it is full everywhere there is work to do.
            var spent = sluice.processorTime
            repeat {
                spent = sluice.processorTime
                usleep(300_000)
            } while sluice.processorTime - spent > .milliseconds(100)
            spent = sluice.processorTime
            usleep(1_000_000)
            #expect(sluice.processorTime - spent < .milliseconds(30))
        }
    }

    @Test func `an application that takes nothing is given up after downstream_stall_ms`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            while true { try connection.event("{\"p\":\"\(String(repeating: "p", count: 16_000))\"}") }
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "downstream_stall_ms: 1000"
        try withSluice(configuration, upstream) { sluice in
            let wire = try Wire(port: sluice.ports[0], receiveBuffer: 65_536)
            try wire.ask("POST", "/v1/chat/completions", ["x-request-id: asleep"], Sample.streamedChat)
            #expect(try sluice.exchangeLine("asleep")["event.outcome"].string == "client_gone")
        }
    }
}
