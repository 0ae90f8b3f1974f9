import Foundation
import Glibc
import Testing

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

    @Test func `an upstream that is replaced this way under load is not noticed in front of it`() throws {
        let script = try ScriptedUpstream()
        let path = handoverPath()
        var behind = Configuration(script)
        behind.workers = 2
        try withSluice(behind, script, arguments: ["--handover", path]) { first in
            behind.listeners = [#"{address: "127.0.0.1:\#(first.ports[0])"}"#]
            var configuration = Configuration()
            configuration.providers = [#""mock": {base_url: "http://127.0.0.1:\#(first.ports[0])/v1"}"#]
            try withSluice(configuration) { gateway in
                let load = Load(gateway.ports)
                var current = first
                for _ in 1...5 {
                    try load.more(300)
                    let next = try SluiceProcess(behind, arguments: ["--handover", path])
                    #expect(try current.process.exitStatus() == 0)
                    if current !== first { try current.end() }
                    current = next
                }
                try load.more(300)
                let totals = try load.stop()
                #expect(totals.failures.isEmpty && totals.repeated == 0, "\(totals)")
                try current.end()
            }
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
            #expect(FileManager.default.fileExists(atPath: path), "the first must leave the second's alone")
            try second.end()
            #expect(!FileManager.default.fileExists(atPath: socket))
            #expect(!FileManager.default.fileExists(atPath: path))
        }
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
