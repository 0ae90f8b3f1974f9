import Foundation
import SluiceCore
internal import TestSupport
import Testing

/// Written by hand from the exposition format of Prometheus (version 0.0.4) and from OpenMetrics 1.0.
@Suite struct `Metrics as text` {
    private static func text(_ collection: MetricCollection, _ format: MetricText.Format) -> String {
        let buffer = ByteBuffer()
        MetricText.write(collection, as: format, into: buffer)
        return buffer.text
    }

    private static let sample: MetricCollection = {
        var collection = MetricCollection()
        let requests = MetricFamily(
            "http_requests", .counter, labels: ["method", "code"], help: "The total number of HTTP requests.")
        collection.add(requests, ["post", "200"], 1027)
        collection.add(requests, ["post", "400"], 3)
        let cpu = MetricFamily("cpu_seconds", .counter, unit: "seconds", help: "CPU time.")
        collection.add(cpu, [], .number(0.25))
        collection.declare(MetricFamily("nothing", .gauge, labels: ["x"], help: "Not seen yet."))
        let memory = MetricFamily("memory_bytes", .gauge, unit: "bytes", help: "Memory.")
        collection.add(memory, [], 8_388_608)
        let duration = MetricFamily(
            "duration_seconds", .histogram(.seconds([0.00005, 0.5, 1, 10])), unit: "seconds", scale: 1e-9,
            labels: ["route"], help: "How long.")
        collection.add(
            duration, ["/v1"], .histogram(counts: [1, 2, 0, 3, 4], sum: 123.5),
            exemplars: [
                nil, MetricExemplar(.trace("4bf92f3577b34da6a3ce929d0e0e4736"), value: 0.43, unixNanoseconds: 1_520_879_607_789_000_000),
                nil, nil, MetricExemplar(.request("req_\"1\""), value: 12, unixNanoseconds: 1_520_879_608_000_000_000),
            ])
        return collection
    }()

    @Test func `for Prometheus have a suffix in the names of counters, and no units, exemplars or end`() {
        #expect(
            Self.text(Self.sample, .prometheus) == """
                # HELP http_requests_total The total number of HTTP requests.
                # TYPE http_requests_total counter
                http_requests_total{method="post",code="200"} 1027
                http_requests_total{method="post",code="400"} 3
                # HELP cpu_seconds_total CPU time.
                # TYPE cpu_seconds_total counter
                cpu_seconds_total 0.25
                # HELP nothing Not seen yet.
                # TYPE nothing gauge
                # HELP memory_bytes Memory.
                # TYPE memory_bytes gauge
                memory_bytes 8388608
                # HELP duration_seconds How long.
                # TYPE duration_seconds histogram
                duration_seconds_bucket{route="/v1",le="5e-05"} 1
                duration_seconds_bucket{route="/v1",le="0.5"} 3
                duration_seconds_bucket{route="/v1",le="1.0"} 3
                duration_seconds_bucket{route="/v1",le="10.0"} 6
                duration_seconds_bucket{route="/v1",le="+Inf"} 10
                duration_seconds_sum{route="/v1"} 123.5
                duration_seconds_count{route="/v1"} 10

                """)
    }

    @Test func `for OpenMetrics have units, exemplars and an end, and families of counters without the suffix`() {
        #expect(
            Self.text(Self.sample, .openMetrics) == """
                # HELP http_requests The total number of HTTP requests.
                # TYPE http_requests counter
                http_requests_total{method="post",code="200"} 1027
                http_requests_total{method="post",code="400"} 3
                # HELP cpu_seconds CPU time.
                # TYPE cpu_seconds counter
                # UNIT cpu_seconds seconds
                cpu_seconds_total 0.25
                # HELP nothing Not seen yet.
                # TYPE nothing gauge
                # HELP memory_bytes Memory.
                # TYPE memory_bytes gauge
                # UNIT memory_bytes bytes
                memory_bytes 8388608
                # HELP duration_seconds How long.
                # TYPE duration_seconds histogram
                # UNIT duration_seconds seconds
                duration_seconds_bucket{route="/v1",le="5e-05"} 1
                duration_seconds_bucket{route="/v1",le="0.5"} 3 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.43 1520879607.789
                duration_seconds_bucket{route="/v1",le="1.0"} 3
                duration_seconds_bucket{route="/v1",le="10.0"} 6
                duration_seconds_bucket{route="/v1",le="+Inf"} 10 # {request_id="req_\\"1\\""} 12 1520879608
                duration_seconds_sum{route="/v1"} 123.5
                duration_seconds_count{route="/v1"} 10
                # EOF

                """)
    }

    @Test(arguments: [
        ("plain", "plain"), ("a\\b", "a\\\\b"), ("a\"b", "a\\\"b"), ("a\nb", "a\\nb"), ("\\\"\n", "\\\\\\\"\\n"), ("", ""),
        ("schön ✓", "schön ✓"), ("{a=\"b\"}", "{a=\\\"b\\\"}"), ("\u{FFFD}\t", "\u{FFFD}\t"),
    ])
    func `escape what would end a label's value`(value: String, escaped: String) {
        var collection = MetricCollection()
        collection.add(MetricFamily("x", .gauge, labels: ["a"], help: "X."), [value], 1)
        for format in [MetricText.Format.prometheus, .openMetrics] {
            #expect(Self.text(collection, format).split(separator: "\n")[2] == "x{a=\"\(escaped)\"} 1")
        }
    }

    @Test func `escape quotes in help where the format wants it`() {
        var collection = MetricCollection()
        collection.add(MetricFamily("x", .gauge, help: "A \"b\" \\ c\nd"), [], 1)
        #expect(Self.text(collection, .prometheus).hasPrefix("# HELP x A \"b\" \\\\ c\\nd\n# TYPE"))
        #expect(Self.text(collection, .openMetrics).hasPrefix("# HELP x A \\\"b\\\" \\\\ c\\nd\n# TYPE"))
    }

    @Test(arguments: [
        (0.0, "0"), (-1.0, "-1"), (0.1, "0.1"), (1e-9, "1e-09"), (1e16, "1e+16"), (999_999_999_999_999, "999999999999999"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1.5e300, "1.5e+300"),
    ])
    func `write numbers as both formats read them`(number: Double, text: String) {
        var collection = MetricCollection()
        collection.add(MetricFamily("x", .gauge, help: "X."), [], .number(number))
        for format in [MetricText.Format.prometheus, .openMetrics] {
            #expect(Self.text(collection, format).split(separator: "\n")[2] == "x \(text)")
        }
    }

    @Test func `write what was counted in small units as the very decimal that it is`() {
        for (count, text) in [
            (1_805_393, "0.001805393"), (300_000_000, "0.3"), (1_100_000_007, "1.100000007"), (-2_900_000, "-0.0029"),
        ] {
            let family = MetricFamily("time_seconds", .gauge, unit: "seconds", scale: 1e-9, help: "Time.")
            #expect(Self.written(family, count) == text)
        }
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let count = Int.random(in: 0..<1 << Int.random(in: 1...49, using: &random), using: &random)
            for (scale, places) in [(1e-9, 9), (1e-6, 6), (1e-3, 3), (1, 0)] {
                let text = Self.written(MetricFamily("x", .gauge, scale: scale, help: "X."), count)
                let exact = Decimal(sign: .plus, exponent: -places, significand: Decimal(count))
                #expect(Decimal(string: String(text)) == exact, "seed \(seed): \(count) at \(scale) is \(text)")
            }
        }
    }

    @Test func `add up what was counted in small units without losing any of it`() {
        let seconds = MetricFamily("time_seconds", .gauge, unit: "seconds", scale: 1e-9, help: "Time.")
        #expect(seconds.sum(seconds.value(of: 100_000_000), seconds.value(of: 200_000_000)) == 0.3)
        #expect(seconds.sum(1e16, 1) == 1e16 + 1 && seconds.sum(-0.1, 0.3) == 0.2)
    }

    /// A line's value, counted and written as a scrape has it.
    private static func written(_ family: MetricFamily, _ count: Int) -> Substring {
        let registry = MetricRegistry()
        registry.counterCell(registry.add(family), in: registry.makeShard()).add(count)
        let text = text(registry.collect(), .prometheus)
        return text.split(separator: "\n").first { !$0.hasPrefix("#") }?.split(separator: " ").last ?? ""
    }

    @Test func `keep a family's samples together, whoever added them`() {
        var collection = MetricCollection()
        let (a, b) = (
            MetricFamily("a", .gauge, labels: ["n"], help: "A."), MetricFamily("b", .gauge, labels: ["n"], help: "B.")
        )
        collection.add(a, ["1"], 1)
        collection.add(b, ["1"], 1)
        collection.add(a, ["2"], 2)
        let lines = Self.text(collection, .openMetrics).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines == ["a{n=\"1\"} 1", "a{n=\"2\"} 2", "b{n=\"1\"} 1"])
    }

    @Test func `of nothing are nothing, or an end`() {
        #expect(Self.text(MetricCollection(), .prometheus) == "")
        #expect(Self.text(MetricCollection(), .openMetrics) == "# EOF\n")
    }
}

@Suite struct `The format of a scrape` {
    @Test(arguments: [
        nil, "", "*/*", "text/plain", "text/*;q=0.5", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "application/json",
        "application/openmetrics-text;q=0", "application/openmetrics-text;version=2.0.0", "application/openmetrics-text-2",
        "application/openmetrics-text;version=1.0.0;q=0.3, text/plain;version=0.0.4;q=0.8", ",,;;,", "application/openmetrics-text;q=-1",
    ] as [String?])
    func `is the older one unless OpenMetrics is preferred`(accept: String?) {
        #expect(MetricText.Format.preferred(by: accept) == .prometheus)
    }

    @Test(arguments: [
        "application/openmetrics-text", "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
        "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.5",
        // Prometheus 2.42 and 3.0
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "text/plain;q=0.1 , application/openmetrics-text ; q=nonsense",
    ])
    func `is OpenMetrics for those who prefer it`(accept: String) {
        #expect(MetricText.Format.preferred(by: accept) == .openMetrics)
    }

    @Test func `is found however hostile the field is`() {
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let pieces = ["application/openmetrics-text", "text/plain", ";", ",", "=", "q", "version", "\"", " ", "1.0.0", "0", "nan", "é", "\t"]
            let accept = (0..<Int.random(in: 0...60, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let format = MetricText.Format.preferred(by: accept)
            #expect(format == .prometheus || accept.contains("application/openmetrics-text"), "seed \(seed)")
        }
    }
}
