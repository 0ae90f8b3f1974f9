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

    @Test func `a request that has begun to arrive is served`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: \(Sample.chat.utf8.count)\r\n\r\n{")
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

@Suite struct `Taking over from a running process` {
    private func handoverPath() -> String { NSTemporaryDirectory() + "sluice-\(UUID().uuidString.prefix(8)).handover" }

    @Test func `the port changes hands under load, and no connection is refused`() throws {
        let upstream = try ScriptedUpstream()
        let path = handoverPath()
        var configuration = Configuration(upstream)
        configuration.workers = 2
        try withSluice(configuration, upstream, arguments: ["--handover", path]) { first in
            let load = Load(first.ports)
            var current = first
            try load.more(500)
            configuration.listeners = [#"{address: "127.0.0.1:\#(first.ports[0])"}"#]
            for workers in [2, 1, 3] {
                configuration.workers = workers
                let next = try SluiceProcess(configuration, arguments: ["--handover", path])
                #expect(next.ports == first.ports)
                #expect(try current.process.exitStatus() == 0, "the old one has gone")
                try load.more(500)
                if current !== first { try current.end() }
                current = next
            }
            let totals = try load.stop()
            #expect(totals.failures.isEmpty, "\(totals)")
            try current.end()
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    @Test func `streams of the old process finish there`() throws {
        let go = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            try go.first("the word to go on")
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        let path = handoverPath()
        var configuration = Configuration(upstream)
        try withSluice(configuration, upstream, arguments: ["--handover", path]) { first in
            let wire = try first.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat)
            let stream = try ResponseStream(wire)
            _ = try stream.next()
            configuration.listeners = [#"{address: "127.0.0.1:\#(first.ports[0])"}"#]
            let second = try SluiceProcess(configuration, arguments: ["--handover", path])
            #expect(try second.exchange("GET", "/livez").status == 200)
            #expect(first.process.isRunning)
            go.record(true)
            #expect(try stream.rest() == ["data: " + Sample.finish, "data: [DONE]"])
            #expect(try first.process.exitStatus() == 0)
            try second.end()
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    @Test func `a unix socket's file stays for the successor`() throws {
        let path = handoverPath()
        let socket = path + ".sock"
        var configuration = Configuration()
        configuration.listeners = [#"{address: "unix:\#(socket)"}"#]
        try withSluice(configuration, arguments: ["--handover", path]) { first in
            #expect(try Wire(unixPath: socket).exchange("GET", "/livez").status == 200)
            let second = try SluiceProcess(configuration, arguments: ["--handover", path])
            #expect(try first.process.exitStatus() == 0)
            #expect(try Wire(unixPath: socket).exchange("GET", "/livez").status == 200)
            try second.end()
            #expect(!FileManager.default.fileExists(atPath: socket))
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    @Test func `without --handover a port that is taken is an error`() throws {
        try withSluice(Configuration()) { first in
            var configuration = Configuration()
            configuration.listeners = [#"{address: "127.0.0.1:\#(first.ports[0])"}"#]
            let error = #expect(throws: SluiceProcess.NotReady.self) { try SluiceProcess(configuration) }
            #expect(error?.description.contains("another process listens there") == true)
            let reply = try first.exchange("GET", "/livez")
            #expect(reply.status == 200)
        }
    }

    @Test func `sockets that the service manager opened are used, and outlive the process`() throws {
        let (fd, port) = try ScriptedUpstream.listen()
        defer { close(fd) }
        var configuration = Configuration()
        configuration.listeners = [#"{address: "127.0.0.1:\#(port)"}"#]
        let first = try SluiceProcess(configuration, inherited: fd)
        #expect(first.ports == [port])
        #expect(try first.chat(Sample.echo).status == 200)
        first.signal(SIGTERM)
        #expect(try first.process.exitStatus() == 0)
        // Nobody serves now, and nobody is refused: the connection waits in the socket.
        let wire = try Wire(port: port)
        try wire.ask("POST", "/v1/chat/completions", [], Sample.echo)
        let second = try SluiceProcess(configuration, inherited: fd)
        #expect(try wire.readResponse().status == 200)
        try second.end()
        try first.end()
    }
}

@Suite struct `The start of a process` {
    @Test func `the banner says where it listens, what it found and what to try`() throws {
        let upstream = try ScriptedUpstream(models: ["m-1", "m-2"])
        try withSluice(Configuration(upstream), upstream) { sluice in
            try sluice.line("the models") { $0["message"].string == "models found" }
            let text = sluice.process.output.lines.all.filter { !$0.hasPrefix("{") }.joined(separator: "\n")
            #expect(text.contains("listening  http://127.0.0.1:\(sluice.ports[0])"))
            #expect(text.contains("provider   mock at http://127.0.0.1:\(upstream.port)/v1"))
            #expect(text.contains("curl http://127.0.0.1:\(sluice.ports[0])/v1/chat/completions"))
            #expect(text.contains("m-1, m-2"))
        }
    }

    @Test func `providers are found in the environment`() throws {
        let upstream = try ScriptedUpstream(models: ["local"])
        let text = #"{listeners: [{address: "127.0.0.1:0"}], admin: "127.0.0.1:0", workers: 1, drain: {lame_duck_ms: 0}}"#
        defer { upstream.stop() }
        let environment = ["OPENAI_API_KEY": Secrets.provider, "OPENAI_BASE_URL": "http://127.0.0.1:\(upstream.port)/v1"]
        let sluice = try SluiceProcess(text: text, environment: environment)
        let reply = try sluice.chat()
        #expect(reply.status == 200)
        #expect(try upstream.requests.first("the request")["authorization"] == "Bearer \(Secrets.provider)")
        try sluice.end()
    }

    @Test func `every mistake of a configuration is told, with its place, and no secret of it`() throws {
        let text = #"{providers: {x: {base_url: "ftp://a", api_key: 7, colour: "\#(Secrets.mark)"}}, limits: {body_bytes_max: 1}}"#
        let error = #expect(throws: SluiceProcess.NotReady.self) { try SluiceProcess(text: text) }
        let report = error?.description ?? ""
        for place in ["providers.x.base_url", "providers.x.api_key", "providers.x.colour", "limits.body_bytes_max"] {
            #expect(report.contains(place), "\(report)")
        }
        #expect(!report.contains(Secrets.mark))
    }

    @Test func `check finds the same without starting`() throws {
        let file = NSTemporaryDirectory() + "sluice-\(UUID().uuidString).json5"
        defer { try? FileManager.default.removeItem(atPath: file) }
        for (text, status) in [("{limits: {body_bytes_max: 1}}", Int32(78)), ("{}", 0)] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let process = try ChildProcess(SluiceProcess.binary, ["check", file], environment: [:])
            #expect(try process.exitStatus() == status)
            let output = try process.output.text() + process.errors.text()
            #expect(output.contains(status == 0 ? "valid" : "limits.body_bytes_max"), "\(output)")
        }
    }
}
