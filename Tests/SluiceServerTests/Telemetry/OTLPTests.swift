import SluiceConfig
import SluiceCore
import TestSupport
import Testing

@testable import SluiceServer

@Suite struct `What is sent by OTLP` {
    private static let envelope = OTLPEnvelope([], version: "9.9")

    /// The items of an export request.
    private static func items(_ request: [UInt8]) throws -> [WireMessage] {
        let parts = try WireMessage(request).messages(1)
        let scopes = try parts.flatMap { try $0.messages(2) }
        #expect(parts.count == 1 && scopes.count == 1)
        #expect(try scopes.first?.messages(1).first?.text(1) == "sluice")
        return try scopes.flatMap { try $0.messages(2) }
    }

    // MARK: Metrics

    private static let families = (
        counter: MetricFamily("sluice_requests", .counter, labels: ["route", "error_type"], help: "Requests."),
        gauge: MetricFamily("sluice_cache_memory_bytes", .gauge, unit: "bytes", help: "Bytes."),
        histogram: MetricFamily(
            "gen_ai_server_request_duration_seconds", .histogram(.seconds([0.01, 0.5, 2])), unit: "seconds", scale: 1e-9,
            labels: ["gen_ai_request_model"], help: "Durations.")
    )

    private static let exemplars: [MetricExemplar?] = [
        nil, MetricExemplar(.request("req_1"), value: 0.1, unixNanoseconds: 5),
        MetricExemplar(.trace("4bf92f3577b34da6a3ce929d0e0e4736"), value: 1.5, unixNanoseconds: 1700), nil,
    ]

    private static func metrics(byteCountMax: Int = 1 << 20) throws -> [[WireMessage]] {
        var collection = MetricCollection()
        collection.declare(MetricFamily("sluice_nothing_yet", .counter, help: "Has no series."))
        collection.add(families.counter, ["/v1/models", ""], 3)
        collection.add(families.counter, ["other", "caller_unknown_url"], 4)
        collection.add(families.gauge, [], 1024)
        collection.add(families.histogram, ["gpt"], .histogram(counts: [1, 0, 2, 4], sum: 12.5), exemplars: exemplars)
        let metrics = OTLPMetrics(start: 1000, now: 2000)
        return try metrics.messages(collection, envelope, byteCountMax: byteCountMax).map { try items($0.body) }
    }

    @Test func `a counter is a cumulative sum that never falls`() throws {
        let metric = try #require(try Self.metrics().first?.first { $0.text(1) == "sluice_requests" })
        #expect(metric.text(2) == "Requests.")
        let sum = try #require(try metric.messages(7).first)
        #expect(sum.number(2) == 2)
        #expect(sum.number(3) == 1)
        let points = try sum.messages(1)
        #expect(points.map { $0.double(4) } == [3, 4])
        #expect(points.allSatisfy { $0.number(2) == 1000 && $0.number(3) == 2000 })
        #expect(try points[0].attributes(7) == ["route": "/v1/models"])
        #expect(try points[1].attributes(7) == ["route": "other", "error.type": "caller_unknown_url"])
    }

    @Test func `a gauge is a gauge, with its unit`() throws {
        let metric = try #require(try Self.metrics().first?.first { $0.text(1) == "sluice_cache_memory_bytes" })
        #expect(metric.text(3) == "By")
        #expect(try metric.messages(5).first?.messages(1).map { $0.double(4) } == [1024])
    }

    @Test func `a histogram has its bounds, counts that are not added up, and the conventions' name`() throws {
        let metric = try #require(try Self.metrics().first?.first { $0.text(1) == "gen_ai.server.request.duration" })
        #expect(metric.text(3) == "s")
        let histogram = try #require(try metric.messages(9).first)
        #expect(histogram.number(2) == 2)
        let point = try #require(try histogram.messages(1).first)
        #expect(point.number(4) == 7)
        #expect(point.double(5) == 12.5)
        #expect(point.bytes(6)?.count == 32)
        #expect(point.bytes(6)?.enumerated().filter { $0.offset % 8 == 0 }.map(\.element) == [1, 0, 2, 4])
        let bounds = try #require(point.bytes(7))
        let numbers = (0..<3).map { index in
            Double(bitPattern: bounds[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        #expect(numbers == [0.01, 0.5, 2])
        #expect(try point.attributes(9) == ["gen_ai.request.model": "gpt"])
        let exemplars = try point.messages(8)
        try #require(exemplars.count == 1)
        #expect(exemplars[0].number(2) == 1700 && exemplars[0].double(3) == 1.5)
        #expect(exemplars[0].bytes(5)?.count == 16 && exemplars[0].bytes(5)?.first == 0x4B)
    }

    @Test func `what has no series is left out, and long messages become several`() throws {
        let whole = try Self.metrics()
        #expect(whole.count == 1)
        #expect(whole[0].count == 3)
        let parts = try Self.metrics(byteCountMax: 1)
        #expect(parts.map(\.count) == [1, 1, 1])
    }

    // MARK: Logs

    private static func records(_ lines: String, countMax: Int = 100) throws -> [[WireMessage]] {
        let logs = OTLPLogs(countMax: countMax, byteCountMax: 1 << 20)
        return try logs.messages(lines.utf8Span.span, envelope).map { message in
            let records = try items(message.body)
            #expect(records.count == message.records)
            return records
        }
    }

    @Test func `a log line is a record with its time, severity, trace and fields`() throws {
        let line = #"{"@timestamp":"2026-11-21T10:15:30.123Z","log.level":"warn","message":"breaker opened","#
            + #""trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","span.id":"00f067aa0ba902b7","event.duration":-5,"#
            + #""sluice.stream":true,"sluice.queue_ms":1.500,"error.message":"a \"b\"\n"}"# + "\n"
        let record = try #require(try Self.records(line).first?.first)
        #expect(record.number(1) == 1_795_256_130_123_000_000)
        #expect(record.number(2) == 13)
        #expect(record.text(3) == "WARN")
        #expect(try record.messages(5).first?.text(1) == "breaker opened")
        #expect(record.bytes(9)?.count == 16 && record.bytes(9)?.first == 0x4B)
        #expect(record.bytes(10)?.count == 8 && record.bytes(10)?.last == 0xB7)
        #expect(
            try record.attributes(6) == [
                "event.duration": "-5", "sluice.stream": "true", "sluice.queue_ms": "1.5", "error.message": "a \"b\"\n",
            ])
    }

    @Test func `what is no line of ours is left out, and many lines are several messages`() throws {
        let sound = #"{"@timestamp":"2026-11-21T10:15:30.123Z","log.level":"info","message":"x"}"# + "\n"
        #expect(try Self.records("nonsense\n[1]\n\n" + sound + "{").map(\.count) == [1])
        #expect(try Self.records(String(repeating: sound, count: 7), countMax: 3).map(\.count) == [3, 3, 1])
        #expect(try Self.records("").isEmpty)
    }

    // MARK: Resource and replies

    @Test func `the resource says who sends, and what the configuration adds`() throws {
        var configuration = TelemetryConfiguration()
        configuration.serviceName = "gateway"
        configuration.attributes = [Named("deployment.environment", "prod"), Named("k8s.node.name", "mine")]
        let environment = ConfigEnvironment.fixed(variables: ["POD_NAME": "sluice-0", "NODE_NAME": "n", "POD_UID": ""])
        let bytes = OTLPResource.make(configuration, instance: "host:4010", version: "9.9", environment: environment)
        #expect(
            try WireMessage(bytes).attributes(1) == [
                "service.name": "gateway", "service.instance.id": "host:4010", "service.version": "9.9",
                "telemetry.sdk.name": "sluice", "telemetry.sdk.language": "swift", "telemetry.sdk.version": "9.9",
                "k8s.pod.name": "sluice-0", "k8s.node.name": "mine", "deployment.environment": "prod",
            ])
    }

    @Test(arguments: [
        ([], 0), ([0x0A, 0], 0), ([0x0A, 2, 0x08, 5], 5), ([0x0A, 7, 0x12, 2, 0x6E, 0x6F, 0x08, 0xAC, 0x02], 300),
        ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 0), ([0x0A], 0), ([0x0B, 1], 0), ([0x15, 1, 2, 3, 4, 0x0A, 2, 0x08, 1], 1),
    ] as [([UInt8], Int)])
    func `a receiver's reply says how many items were refused`(reply: [UInt8], count: Int) {
        #expect(OTLPReply.refusedItems(reply.span) == count)
    }

    @Test func `no reply makes it trap`() {
        for seed in SplitMix64.seeds(5_000) {
            var random = SplitMix64(seed)
            let reply = (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(OTLPReply.refusedItems(reply.span) >= 0, "seed \(seed)")
        }
    }
}
