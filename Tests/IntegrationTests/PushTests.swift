import Foundation
import Glibc
import SluiceCore
import TestSupport
import Testing

/// What receivers of metrics may do, and that nobody who asks for a completion notices.
@Suite struct `Push` {
    private func configuration(_ upstream: ScriptedUpstream, _ push: String) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others = ["metrics: {push: {kind: \"remote_write\", interval_ms: 1000, \(push)}}"]
        return configuration
    }

    private func url(_ port: UInt16) -> String { #"url: "http://127.0.0.1:\#(port)/api/v1/write""# }

    /// Runs Sluice with a receiver that does this.
    private func withReceiver(
        _ push: String = "", _ script: @escaping ScriptedUpstream.Script,
        _ body: (SluiceProcess, ScriptedUpstream) throws -> Void
    ) throws {
        let receiver = try ScriptedUpstream(script)
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, url(receiver.port) + ", " + push), upstream) { try body($0, receiver) }
        receiver.stop()
    }

    // MARK: Prometheus

    @Test func `a real Prometheus has every series, and knows when they are over`() throws {
        let prometheus = try MonitoringProcess(.prometheus)
        let upstream = try ScriptedUpstream()
        let push = url(prometheus.port) + #", instance: "here", samples_max: 100, labels: {zone: "z"}"#
        try withSluice(configuration(upstream, push), upstream) { sluice in
            for _ in 0..<3 { _ = try sluice.chat() }
            try awaitTrue("three requests in Prometheus") {
                try prometheus.query("sum by (instance) (sluice_requests_total)") == ["here": 3]
            }
            // What was measured at one time comes in several requests.
            let bucket = #"sum by (instance) (gen_ai_server_request_duration_seconds_bucket{le="+Inf"})"#
            try awaitTrue("the rest of it") {
                try prometheus.query(#"sluice_ready{job="sluice", zone="z"}"#) == ["here": 1]
                    && prometheus.query("sum by (instance) (gen_ai_server_request_duration_seconds_count)") == ["here": 3]
                    && prometheus.query(bucket) == ["here": 3]
            }
            let median = "histogram_quantile(0.5, sum by (le) (gen_ai_server_request_duration_seconds_bucket))"
            #expect(try prometheus.query(median, by: "x").count == 1)
            #expect(try sluice.pushes("refused") == 0)
        }
        // Stale markers: without them the last value would stand for another five minutes.
        #expect(try prometheus.query("sluice_ready").isEmpty)
        #expect(try prometheus.query("max_over_time(sluice_ready[5m])") == ["here": 1])
    }

    @Test func `what was measured while Prometheus was away is there when it is back`() throws {
        let prometheus = try MonitoringProcess(.prometheus)
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, url(prometheus.port) + #", instance: "here""#), upstream) { sluice in
            try awaitTrue("a first push") { try sluice.pushes("accepted") >= 1 }
            prometheus.kill()
            try awaitTrue("two failures") { try sluice.pushes("failed") >= 2 }
            #expect(try sluice.chat().status == 200)
            #expect(try sluice.metric(#"sluice_push_waiting_bytes{receiver="remote_write"}"#) > 0)
            try prometheus.start()
            try awaitTrue("nothing that waits") {
                try sluice.metric(#"sluice_push_waiting_bytes{receiver="remote_write"}"#) == 0
                    && sluice.metric(#"sluice_push_up{receiver="remote_write"}"#) == 1
            }
            // Every message has one sample of it, and each has come once.
            let accepted = try sluice.pushes("accepted")
            #expect(try prometheus.query("count_over_time(sluice_ready[5m])")["here"] ?? 0 >= Double(accepted))
            for reason in ["full", "refused", "exit"] {
                #expect(try sluice.metric(#"sluice_push_dropped_total{receiver="remote_write",reason="\#(reason)"}"#) == 0)
            }
        }
    }

    // MARK: Requests

    @Test func `a receiver that never answers costs requests nothing, and the end no more than its timeout`() throws {
        let isReleased = Recorder<Bool>()
        try withReceiver("timeout_ms: 1000", { _, _ in try isReleased.first("the end of the test", within: .seconds(60)) }) { sluice, receiver in
            try receiver.requests.count(1, "pushes")
            let wire = try sluice.connect()
            let start = ContinuousClock.now
            for _ in 0..<100 { #expect(try wire.chat().status == 200) }
            // Each that waited for the receiver would take a second.
            #expect(.now - start < .seconds(10))
            sluice.signal(SIGTERM)
            #expect(try sluice.process.exitStatus() == 0)
            isReleased.record(true)
        }
    }

    @Test func `a receiver that fails is sent the same again, when it wants it`() throws {
        let times = Recorder<ContinuousClock.Instant>()
        try withReceiver("samples_max: 10000", { connection, _ in
            times.record(.now)
            switch times.all.count {
            case 1: try connection.reply("busy", status: "503 Service Unavailable")
            case 2: try connection.reply("slow down", status: "429 Too Many Requests", ["retry-after: 3"])
            default: try connection.reply("", status: "204 No Content")
            }
        }) { sluice, receiver in
            let requests = try receiver.requests.count(3, "pushes")
            #expect(requests[0].body == requests[1].body && requests[1].body == requests[2].body)
            let at = try times.count(3, "pushes")
            #expect(at[1] - at[0] >= .milliseconds(490) && at[2] - at[1] >= .milliseconds(2990))
            try awaitTrue("success") { try sluice.pushes("accepted") >= 1 }
            #expect(try sluice.pushes("failed") == 2)
            let line = try sluice.line("recovery") { $0["message"].string == "telemetry receiver available again" }
            #expect((line["sluice.receiver.unavailable_ms"].int ?? 0) >= 3400 && line["sluice.receiver.dropped"].int == 0)
        }
    }

    @Test func `what a receiver refuses is not sent again, and where it points to nobody goes`() throws {
        let elsewhere = try ScriptedUpstream()
        defer { elsewhere.stop() }
        let count = Recorder<Bool>()
        try withReceiver("samples_max: 10000, bearer_token: \"\(Secrets.provider)\"", { connection, request in
            count.record(true)
            switch count.all.count {
            // A receiver may repeat what it was sent: no log does.
            case 1: try connection.reply("bad token \(request["authorization"] ?? "")", status: "400 Bad Request")
            case 2:
                try connection.reply(
                    "", status: "307 Temporary Redirect", ["location: http://127.0.0.1:\(elsewhere.port)/api/v1/write"])
            default: try connection.reply("")
            }
        }) { sluice, receiver in
            let requests = try receiver.requests.count(3, "pushes")
            #expect(Set(requests.map(\.body)).count == 3)
            #expect(requests.allSatisfy { $0["authorization"] == "Bearer \(Secrets.provider)" })
            #expect(requests[0]["content-encoding"] == "snappy" && requests[0]["content-type"] == "application/x-protobuf")
            #expect(requests[0]["x-prometheus-remote-write-version"] == "0.1.0")
            #expect(requests[0]["user-agent"]?.hasPrefix("sluice/") == true)
            try awaitTrue("two refusals") { try sluice.pushes("refused") == 2 }
            #expect(try sluice.metric(#"sluice_push_dropped_total{receiver="remote_write",reason="refused"}"#) > 100)
            let line = try sluice.line("refusal") { $0["message"].string == "telemetry receiver refuses what it is sent" }
            #expect(line["error.message"].string == "it answered with status 400")
            let report = try sluice.health("/telemetry").json["receivers"][0]
            #expect(report["name"].string == "remote_write" && report["refused"].int == 2)
            #expect(report["last_error"].string == "it answered with status 307")
        }
        #expect(elsewhere.requests.all.isEmpty)
    }

    @Test func `a receiver that answers nonsense, without end, or not at all harms nobody`() throws {
        let count = Recorder<Bool>()
        try withReceiver("timeout_ms: 500, backoff_max_ms: 1000, samples_max: 10000", { connection, _ in
            count.record(true)
            switch count.all.count {
            case 1:
                try connection.wire.send("\u{16}\u{3}\u{1} what is this\r\n\r\n")
                connection.isOver = true
            case 2: connection.wire.reset()
            case 3:
                try connection.startStream()
                // Until Sluice has had enough of it.
                while true { try connection.chunk([UInt8](repeating: 0x20, count: 65_536)) }
            case 4:
                try connection.wire.send("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
                _ = try connection.awaitEnd()
            default: try connection.reply("")
            }
        }) { sluice, receiver in
            try receiver.requests.count(5, "pushes")
            for _ in 0..<10 { #expect(try sluice.chat().status == 200) }
            try awaitTrue("three of five were taken") {
                try sluice.pushes("accepted") >= 3 && sluice.pushes("failed") == 2
            }
        }
    }

    /// Settings with labels that do not shrink much: a few pushes are as much as may wait.
    private func large(samplesMax: Int) -> String {
        var random = SplitMix64(1)
        let labels = (0..<16).map { label in
            let text = String((0..<250).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement(using: &random) ?? "a" })
            return #"l\#(label): "\#(text)""#
        }
        return
            #"url: "http://127.0.0.1:9/write", queue_bytes_max: 65536, samples_max: \#(samplesMax), labels: {\#(labels.joined(separator: ", "))}"#
    }

    @Test func `memory has a bound, and what does not fit is counted`() throws {
        let push = large(samplesMax: 100)
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, push), upstream) { sluice in
            #expect(try sluice.chat().status == 200)
            try awaitTrue("samples that are dropped") {
                try sluice.metric(#"sluice_push_dropped_total{receiver="remote_write",reason="full"}"#) > 0
            }
            #expect(try sluice.metric(#"sluice_push_waiting_bytes{receiver="remote_write"}"#) <= 65_536)
        }
    }

    @Test func `a message that is too large to wait at all is told of, once`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, large(samplesMax: 10_000)), upstream) { sluice in
            let dropped = #"sluice_push_dropped_total{receiver="remote_write",reason="full"}"#
            try awaitTrue("a push that is dropped") { try sluice.metric(dropped) > 0 }
            let first = try sluice.metric(dropped)
            try awaitTrue("another") { try sluice.metric(dropped) > first }
            #expect(try sluice.metric(#"sluice_push_waiting_bytes{receiver="remote_write"}"#) == 0)
            let message = "telemetry dropped: a message is larger than what may wait"
            let line = try sluice.line("what is too large") { $0["message"].string == message }
            #expect(line["error.message"].string?.contains("queue_bytes_max") == true)
            #expect(sluice.process.output.lines.all.count { $0.contains(message) } == 1)
        }
    }

    @Test func `basic authentication and other fields are as they are said`() throws {
        let push = #"username: "ada", password: "\#(Secrets.provider)", headers: {"X-Scope-OrgID": "env:TENANT"}, name: "mimir""#
        let receiver = try ScriptedUpstream { connection, _ in try connection.reply("") }
        defer { receiver.stop() }
        let upstream = try ScriptedUpstream()
        try withSluice(
            configuration(upstream, url(receiver.port) + ", " + push), upstream, environment: ["TENANT": "tenant-\(Secrets.mark)"]
        ) { sluice in
            let request = try receiver.requests.first("a push")
            #expect(request["authorization"] == "Basic " + Data("ada:\(Secrets.provider)".utf8).base64EncodedString())
            #expect(request["x-scope-orgid"] == "tenant-\(Secrets.mark)")
            try awaitTrue("its metrics") {
                try sluice.metric(#"sluice_push_requests_total{receiver="mimir",result="accepted"}"#) >= 1
            }
        }
    }
}
