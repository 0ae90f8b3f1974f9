import Foundation
import Testing

@Suite struct `Connections to providers` {
    /// Stops the program, does something that it then finds all at once, and lets it go on.
    private func whileStopped(_ sluice: SluiceProcess, _ work: () throws -> Void) throws {
        sluice.signal(SIGSTOP)
        defer { sluice.signal(SIGCONT) }
        // Stopped is what the kernel says it is, not what was asked for.
        let status = "/proc/\(sluice.process.pid)/stat"
        let deadline = Patience.deadline
        while try String(contentsOfFile: status, encoding: .utf8).components(separatedBy: ") ").last?.hasPrefix("T") != true {
            if .now > deadline { throw TimedOut("the program to stop") }
        }
        try work()
    }

    @Test func `are used again, most recent first`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for _ in 1...20 { _ = try sluice.chat() }
            #expect(try upstream.connections.count(1, "connections").count == 1)
            #expect(upstream.connections.all.count == 1 && upstream.requests.all.count == 20)
        }
    }

    @Test func `are opened for requests at the same time, and kept`() throws {
        let gate = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, _ in
            try gate.count(1, "the gate")
            try connection.reply(Sample.completion)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wires = try (0..<10).map { _ in try sluice.connect() }
            for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            try upstream.connections.count(10, "connections")
            gate.record(1)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
            for wire in wires { #expect(try wire.chat().status == 200) }
            #expect(upstream.connections.all.count == 10)
        }
    }

    @Test func `a connection that the provider closed after its reply is not used again`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Sample.completion)
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...20 { #expect(try wire.chat().status == 200) }
            #expect(upstream.requests.all.count == 20)
        }
    }

    @Test(arguments: [false, true])
    func `a request that crosses with the end of its connection is sent once more`(withReset: Bool) throws {
        let close = Recorder<Bool>()
        let closed = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Sample.completion)
            if connection.number > 2 { return }
            try close.first("the word to close")
            if withReset { connection.wire.reset() } else { connection.wire.close() }
            connection.isOver = true
            closed.record(true)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.chat().status == 200)
            // The request comes first, so that it is on its way when the end of the connection is seen.
            try whileStopped(sluice) {
                try wire.ask("POST", "/v1/chat/completions", ["x-request-id: crossed"], Sample.chat)
                close.record(true)
                try closed.first("the connection to be closed")
            }
            #expect(try wire.readResponse().status == 200)
            #expect(upstream.requests.all.count == 2, "it arrived once")
            #expect(try sluice.exchangeLine("crossed")["http.response.status_code"].int == 200)
        }
    }

    @Test func `a POST that the provider has received is never sent twice`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            if connection.served == 1 { return try connection.reply(Sample.completion) }
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.chat().status == 200)
            let reply = try wire.chat()
            #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_closed")
            #expect(reply["x-sluice-error-owner"] == "provider")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `a GET on a connection that broke is repeated once`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.target.hasSuffix("first") { return try connection.reply("{}") }
            if connection.served == 1, request.target.hasSuffix("good") { return try connection.reply("{}") }
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.exchange("GET", "/v1/files/first").status == 200)
            #expect(try wire.exchange("GET", "/v1/files/good", ["x-request-id: good"]).status == 200)
            #expect(try sluice.exchangeLine("good")["sluice.upstream.attempts"].int == 2)
            let reply = try wire.exchange("GET", "/v1/files/bad", ["x-request-id: bad"])
            #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_closed")
            #expect(try sluice.exchangeLine("bad")["sluice.upstream.attempts"].int == 2)
            #expect(upstream.requests.all.map(\.target) == ["first", "good", "good", "bad", "bad"].map { "/v1/files/" + $0 })
        }
    }

    @Test func `nothing is repeated on a connection that is fresh`() throws {
        let upstream = try ScriptedUpstream { connection, _ in connection.isOver = true }
        try withSluice(Configuration(upstream), upstream) { sluice in
            for (method, path) in [("GET", "/v1/files"), ("POST", "/v1/chat/completions")] {
                let reply = try sluice.exchange(method, path, [], method == "POST" ? Sample.chat : nil)
                #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_closed")
            }
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `requests wait for a connection where their number is limited`() throws {
        let gate = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, _ in
            try gate.count(1, "the gate")
            try connection.reply(Sample.completion)
        }
        try withSluice(Configuration(upstream, "pool: {connections_max: 1, waiters_max: 2, wait_ms: 20000}"), upstream) { sluice in
            let wires = try (0..<4).map { _ in try sluice.connect() }
            try wires[0].ask("POST", "/v1/chat/completions", [], Sample.chat)
            try upstream.requests.count(1, "requests")
            for wire in wires.dropFirst() { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            // One of the three finds the queue full.
            try sluice.line("a refusal") { $0["error.code"].string == "upstream_busy" }
            gate.record(1)
            let replies = try wires.map { try $0.readResponse() }
            #expect(replies.map(\.status).sorted() == [200, 200, 200, 503])
            let refused = try #require(replies.first { $0.status == 503 })
            #expect(refused["retry-after"] != nil && refused["x-should-retry"] == nil && refused["x-sluice-error-owner"] == "gateway")
            #expect(upstream.connections.all.count == 1)
        }
    }

    @Test func `a request does not wait for a connection longer than it may`() throws {
        let upstream = try ScriptedUpstream { connection, _ in _ = try connection.awaitEnd() }
        try withSluice(Configuration(upstream, "pool: {connections_max: 1, wait_ms: 100}"), upstream) { sluice in
            let first = try sluice.connect()
            try first.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try upstream.requests.count(1, "requests")
            let reply = try sluice.chat()
            #expect(reply.status == 503 && reply.json["error"]["code"].string == "upstream_busy")
        }
    }

    @Test func `an unused connection is closed after its time`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream, "pool: {idle_ms: 200}"), upstream) { sluice in
            _ = try sluice.chat()
            try upstream.ends.count(1, "closed connections")
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test func `a connection is given up when it has grown old`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream, "pool: {age_max_ms: 1}"), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...5 {
                #expect(try wire.chat().status == 200)
                usleep(5000)
            }
            #expect(upstream.connections.all.count == 5)
        }
    }

    @Test func `a provider that says close is believed`() throws {
        let upstream = try ScriptedUpstream { connection, _ in try connection.reply(Sample.completion, ["connection: close"]) }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...5 { #expect(try wire.chat()["connection"] == nil, "that is between Sluice and the provider") }
            #expect(upstream.connections.all.count == 5)
            try upstream.ends.count(5, "closed connections")
        }
    }

    @Test func `bytes after a reply end the connection, and reach nobody`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            let extra = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \(Sample.completion.utf8.count)\r\n\r\n"
            try connection.wire.send(head + Sample.completion + extra)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...5 { #expect(try wire.chat().text == Sample.completion) }
            #expect(upstream.connections.all.count == 5)
        }
    }
}
