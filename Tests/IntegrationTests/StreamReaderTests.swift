import Foundation
import Testing

@Suite struct `Readers of streams that leave or fall behind` {
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
