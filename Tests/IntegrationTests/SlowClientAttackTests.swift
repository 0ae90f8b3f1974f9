import Foundation
import Testing

@Suite struct `Applications that take their time` {
    @Test func `four hundred heads and bodies that drip end at their time, and nobody waits for them`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.timeouts = "head_ms: 3000, body_total_ms: 3000"
        try withSluice(configuration, upstream) { sluice in
            try withStanding(sluice) {
                let beginnings = [
                    "GET /livez HTTP/1.1\r\nhost: a\r\nx: ",
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n",
                ]
                let slow = try (0..<400).map { number in
                    let wire = try sluice.connect()
                    try wire.send(beginnings[number % 4 == 0 ? 1 : 0])
                    return wire
                }
                let drip = Background<Bool> {
                    for _ in 0..<40 {
                        for wire in slow { _ = try? wire.send("y") }
                        usleep(100_000)
                    }
                    return true
                }
                for wire in slow { #expect(try wire.readResponse().status == 408) }
                try drip.value()
            }
            // No one of them stays behind.
            try sluice.awaitQuiet()
            #expect(upstream.requests.all.allSatisfy { $0.text == Sample.chat })
        }
    }

    @Test func `a head that drips over HTTP 2 ends at its time, with and without streams beside it`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.timeouts = "head_ms: 1000"
        try withSluice(configuration, upstream) { sluice in
            for hasStream in [false, true] {
                let peer = try HTTP2Wire(sluice)
                if hasStream { try peer.send(HTTP2Wire.headers(1, HTTP2Wire.post(), flags: HTTP2Wire.endHeaders)) }
                // A HEADERS frame whose block is announced and never comes whole.
                let block = HTTP2Wire.block(HTTP2Wire.get("/livez"))
                try peer.send(Array(HTTP2Wire.frame(1, flags: 5, stream: 3, block).prefix(9 + 2)))
                let start = ContinuousClock.now
                let drip = Background<Bool> {
                    for byte in block.dropFirst(2).prefix(12) {
                        _ = try? peer.send([byte])
                        usleep(200_000)
                    }
                    return true
                }
                #expect(try peer.goAwayCode() != nil)
                try peer.wire.awaitEnd()
                #expect(.now - start < .seconds(5))
                try drip.value()
            }
            try sluice.awaitQuiet()
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test(arguments: [[], [0x16], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]] as [[UInt8]])
    func `a handshake that does not come to its end is closed at its time`(beginning: [UInt8]) throws {
        var configuration = Configuration()
        configuration.listeners.append(
            #"{address: "127.0.0.1:0", tls: {certificates: [\#(Certificates.shared.listed("server"))]}}"#)
        configuration.timeouts = "head_ms: 500"
        try withSluice(configuration) { sluice in
            let wires = try (0..<50).map { _ in try Wire(port: sluice.ports[1]) }
            let start = ContinuousClock.now
            for wire in wires { try wire.send(beginning) }
            for wire in wires { try wire.awaitEnd() }
            #expect(.now - start < .seconds(5))
            try sluice.awaitQuiet()
        }
    }

    @Test func `ten endless streams that nobody reads are held back at the provider`() throws {
        let cancelled = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, request in
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            defer { cancelled.record(connection.number) }
            try connection.startStream()
            while true { try connection.event("{\"p\":\"\(String(repeating: "p", count: 16_000))\"}") }
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            try withStanding(sluice) {
                let wires = try (0..<10).map { _ in try Wire(port: sluice.ports[0], receiveBuffer: 65_536) }
                for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.streamedChat) }
                usleep(2_000_000)
                let report = try sluice.health().json
                #expect((report["in_flight"].int ?? 0) >= 10 && (report["connections"].int ?? 0) >= 10, "\(report)")
                #expect(
                    try sluice.exchange("GET", "/health").json["in_flight"].int == nil,
                    "that is the operator's business")
                for wire in wires { wire.reset() }
            }
            try cancelled.count(10, "cancelled streams")
            try sluice.awaitQuiet()
        }
    }

    @Test func `requests whose answers nobody reads wait for their turn, and are all answered later`() throws {
        let text = String(repeating: "x", count: 16_000)
        let body = #"{"model":"echo","messages":[{"role":"user","content":"\#(text)"}]}"#
        let request = Array(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.log = "access: false"
        try withSluice(configuration, upstream) { sluice in
            try withStanding(sluice) {
                let wires = try (0..<4).map { _ in try Wire(port: sluice.ports[0], receiveBuffer: 4096) }
                // More than any buffer on the way has room for, unless it grows without end.
                let sending = wires.map { wire in
                    Background<Int> {
                        var sent = 0
                        var rest = request[...]
                        let end = ContinuousClock.now + .seconds(4)
                        while ContinuousClock.now < end, sent < 100 << 20 {
                            guard let count = try? wire.sendSome(rest, by: .now + .seconds(1)) else { break }
                            sent += count
                            rest = rest.dropFirst(count)
                            if rest.isEmpty { rest = request[...] }
                        }
                        return sent
                    }
                }
                for (wire, work) in zip(wires, sending) {
                    let sent = try work.value()
                    #expect(sent < 32 << 20, "\(sent >> 20) MB were taken")
                    for number in 0..<sent / request.count {
                        let reply = try wire.readResponse()
                        #expect(reply.status == 200 && reply.text.contains(text), "answer \(number)")
                    }
                }
            }
        }
    }

    // MARK: Descriptors

    @Test func `without descriptors it waits without work, and goes on when there are some`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let sluice = try SluiceProcess(Configuration(upstream), descriptorsMax: 64)
        let pid = sluice.process.pid
        do {
            let kept = try Wire(port: sluice.ports[0])
            #expect(try kept.chat().status == 200)
            var crowd = try (0..<200).map { _ in try sluice.connect() }
            // Who is in still gets answers, from here and from the provider if a connection to it is kept.
            #expect(try kept.exchange("GET", "/livez").status == 200)
            #expect(try kept.chat().status == 200)
            try awaitTrue("there to be no descriptors left") { sluice.descriptorCount == 64 }
            let spent = sluice.processorTime
            usleep(1_000_000)
            #expect(sluice.processorTime - spent < .milliseconds(200), "it is busy accepting nothing")
            for wire in crowd { wire.close() }
            crowd = []
            let freed = ContinuousClock.now
            #expect(try sluice.connect().exchange("GET", "/livez").status == 200)
            #expect(try sluice.health().status == 200)
            #expect(.now - freed < .seconds(3))
            #expect(try sluice.chat().status == 200)
            #expect(sluice.process.isRunning && sluice.process.pid == pid)
        } catch {
            Issue.record("\(error)\n\(try sluice.report())")
        }
        try sluice.end()
    }

    @Test func `without a descriptor for the provider a request is refused, not lost`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            usleep(300_000)
            try connection.reply(Sample.completion)
        }
        defer { upstream.stop() }
        let sluice = try SluiceProcess(Configuration(upstream), descriptorsMax: 64)
        do {
            // More than half of the descriptors are taken by those who ask: for the rest there are no connections.
            let wires = try (0..<40).map { _ in try sluice.connect() }
            for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            var statuses: [Int: Int] = [:]
            for wire in wires { statuses[try wire.readResponse().status, default: 0] += 1 }
            #expect(Set(statuses.keys).isSubset(of: [200, 502, 503]) && statuses[200] ?? 0 > 0, "\(statuses)")
            for wire in wires { wire.close() }
            let deadline = ContinuousClock.now + .seconds(3)
            while try sluice.chat().status != 200 { #expect(.now < deadline) }
        } catch {
            Issue.record("\(error)\n\(try sluice.report())")
        }
        try sluice.end()
    }
}
