import Foundation
import Glibc
import Testing

@Suite struct `The end of a process` {
    /// A provider whose streams wait, after their first event, for the word to go on.
    private func upstream(_ go: Recorder<Bool>) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, request in
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            try go.first("the word to go on", within: Patience.usual * 2)
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
    }

    private func openStream(_ sluice: SluiceProcess) throws -> ResponseStream {
        let wire = try sluice.connect()
        try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
        let stream = try ResponseStream(wire)
        #expect(try stream.next() == "data: " + Sample.delta("a"))
        return stream
    }

    private func awaitDraining(_ sluice: SluiceProcess) throws {
        try sluice.line("the drain") { $0["message"].string == "draining" }
    }

    @Test func `SIGTERM under load fails no request while another process is there`() throws {
        let go = Recorder<Bool>()
        let upstream = try upstream(go)
        var configuration = Configuration(upstream)
        configuration.workers = 2
        configuration.drain = "lame_duck_ms: 200"
        try withSluice(configuration, upstream) { second in
            let first = try SluiceProcess(configuration)
            let streams = try (0..<5).map { _ in try openStream(first) }
            let load = Load([first.ports[0], second.ports[0]])
            try load.more(1500)
            first.signal(SIGTERM)
            try load.more(1500)
            #expect(first.process.isRunning, "streams are open")
            go.record(true)
            for stream in streams { #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"]) }
            #expect(try first.process.exitStatus() == 0)
            try load.more(500)
            let totals = try load.stop()
            #expect(totals.failures.isEmpty, "\(totals)")
            try first.end()
        }
    }

    @Test func `it ends at once when nothing is open`() throws {
        try withSluice(Configuration()) { sluice in
            let idle = try (0..<20).map { _ in try sluice.connect() }
            for wire in idle { #expect(try wire.exchange("GET", "/livez").status == 200) }
            let start = ContinuousClock.now
            sluice.signal(SIGTERM)
            #expect(try sluice.process.exitStatus() == 0)
            #expect(.now - start < .seconds(3))
            for wire in idle { try wire.awaitEnd() }
        }
    }

    @Test func `readiness goes down first, and requests are still taken for a while`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.drain = "lame_duck_ms: 60000"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.chat().status == 200)
            sluice.signal(SIGTERM)
            try awaitDraining(sluice)
            #expect(try sluice.health("/readyz").status == 503)
            #expect(try sluice.health("/livez").status == 200)
            #expect(try sluice.health().json["status"].string == "not_ready")
            #expect(try wire.chat().status == 200)
            #expect(try sluice.chat().status == 200, "a new connection")
            // The second signal ends it at once.
            sluice.signal(SIGTERM)
            #expect(try sluice.process.exitStatus() == 0)
        }
    }

    @Test func `a second signal does not wait for streams`() throws {
        let upstream = try upstream(Recorder<Bool>())
        try withSluice(Configuration(upstream), upstream) { sluice in
            let stream = try openStream(sluice)
            sluice.signal(SIGTERM)
            try awaitDraining(sluice)
            sluice.signal(SIGTERM)
            let start = ContinuousClock.now
            #expect(try sluice.process.exitStatus() == 0)
            #expect(.now - start < .seconds(3))
            #expect(try stream.untilAnyEnd().isClean == false)
        }
    }

    @Test func `what does not finish within the grace period is cut with an honest error`() throws {
        let upstream = try upstream(Recorder<Bool>())
        var configuration = Configuration(upstream)
        configuration.drain = "lame_duck_ms: 0, grace_ms: 500"
        try withSluice(configuration, upstream) { sluice in
            let stream = try openStream(sluice)
            let waiting = try sluice.connect()
            sluice.signal(SIGTERM)
            let (events, isClean) = try stream.untilAnyEnd()
            #expect(!isClean && events.count == 1 && events[0].contains("shutting_down"), "\(events)")
            #expect(try sluice.process.exitStatus() == 0)
            withExtendedLifetime(waiting) {}
        }
    }

    @Test(.enabled(if: Curl.isThere, "curl is not installed"))
    func `a stream over HTTP/2 finishes`() throws {
        let go = Recorder<Bool>()
        let upstream = try upstream(go)
        try withSluice(Configuration(upstream), upstream) { sluice in
            let url = "http://127.0.0.1:\(sluice.ports[0])/v1/chat/completions"
            let reply = Background<Curl> {
                try Curl(url, ["-N", "--http2-prior-knowledge"] + Curl.posting(Sample.streamedChat))
            }
            try upstream.requests.first("the request")
            sluice.signal(SIGTERM)
            try awaitDraining(sluice)
            go.record(true)
            let stream = try reply.value()
            #expect(stream.exit == 0 && stream.body.hasSuffix("data: [DONE]\n\n"), "\(stream)")
            #expect(try sluice.process.exitStatus() == 0)
        }
    }

    @Test func `a request that has begun to arrive is served`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: \(Sample.chat.utf8.count)\r\n\r\n{")
            // A round trip elsewhere, so that what was sent has been read.
            #expect(try sluice.chat().status == 200)
            sluice.signal(SIGTERM)
            try awaitDraining(sluice)
            try wire.send(String(Sample.chat.dropFirst()))
            let reply = try wire.readResponse()
            #expect(reply.status == 200 && reply["connection"] == "close")
        }
    }

    @Test func `a busy keep-alive connection is told to close with its next reply`() throws {
        let go = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try go.first("the word to answer")
            try connection.reply(Sample.completion)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try upstream.requests.first("the request")
            sluice.signal(SIGTERM)
            try awaitDraining(sluice)
            go.record(true)
            let reply = try wire.readResponse()
            #expect(reply.status == 200 && reply["connection"] == "close")
            try wire.awaitEnd()
        }
    }
}
