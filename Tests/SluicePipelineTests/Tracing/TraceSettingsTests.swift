import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@testable import SluicePipeline

@Suite struct `Which traces are sampled` {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"

    private static func fields(_ pairs: (FieldName, String)...) -> HeaderFields {
        var fields = HeaderFields()
        for (name, value) in pairs { fields.append(name, value) }
        return fields
    }

    private static func begin(_ settings: TraceSettings, _ fields: HeaderFields) -> ExchangeTrace {
        var random = SplitMix64(1)
        return settings.begin(fields, using: &random)
    }

    @Test(arguments: [0, 0.1, 0.25, 0.5, 0.9, 1])
    func `the share is the ratio`(ratio: Double) {
        var settings = TraceSettings()
        settings.ratio = ratio
        var random = SplitMix64(42)
        let count = (0..<20_000).count { _ in settings.samples(TraceID(using: &random)) }
        #expect(abs(Double(count) / 20_000 - ratio) < 0.015)
        if ratio == 0 { #expect(count == 0) }
        if ratio == 1 { #expect(count == 20_000) }
    }

    @Test func `what a smaller ratio samples, a greater one does too: all on the way decide alike`() {
        var (small, great) = (TraceSettings(), TraceSettings())
        small.ratio = 0.2
        great.ratio = 0.6
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            let id = TraceID(using: &random)
            if small.samples(id) { #expect(great.samples(id), "seed \(seed)") }
        }
    }

    /// The last 56 bits count (OpenTelemetry, "TraceState: Probability Sampling"): half of them is 80 000 000 000 000.
    @Test func `of an id the last 56 bits count`() throws {
        var settings = TraceSettings()
        settings.ratio = 0.5
        #expect(settings.samples(try #require(TraceID(high: 0, low: 0x0080_0000_0000_0000))))
        #expect(!settings.samples(try #require(TraceID(high: .max, low: 0xFF7F_FFFF_FFFF_FFFF))))
    }

    @Test func `a caller decides for what it has begun, unless the ratio is to`() {
        var settings = TraceSettings()
        settings.ratio = 0
        #expect(Self.begin(settings, Self.fields((.traceparent, Self.parent + "01"))).isSampled)
        settings.ratio = 1
        #expect(!Self.begin(settings, Self.fields((.traceparent, Self.parent + "00"))).isSampled)
        settings.followsParents = false
        #expect(Self.begin(settings, Self.fields((.traceparent, Self.parent + "00"))).isSampled)
        settings.ratio = 0
        #expect(!Self.begin(settings, Self.fields((.traceparent, Self.parent + "01"))).isSampled)
        #expect(!Self.begin(settings, HeaderFields()).isSampled)
    }

    @Test func `two parents are none, and without a parent nobody's state counts`() {
        let settings = TraceSettings()
        let known = Self.begin(settings, Self.fields((.traceparent, " \(Self.parent)01 "), (.tracestate, "a=1"), (.tracestate, "b=2")))
        #expect(known.traceID.text == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(known.parentID?.text == "00f067aa0ba902b7")
        #expect(known.state == "a=1,b=2")
        for fields in [
            Self.fields((.traceparent, Self.parent + "01"), (.traceparent, Self.parent + "01"), (.tracestate, "a=1")),
            Self.fields((.traceparent, "nonsense"), (.tracestate, "a=1")), Self.fields((.tracestate, "a=1")),
        ] {
            let fresh = Self.begin(settings, fields)
            #expect(fresh.traceID != known.traceID)
            #expect(fresh.parentID == nil)
            #expect(fresh.state == nil)
        }
        #expect(Self.begin(settings, Self.fields((.traceparent, Self.parent + "01"), (.tracestate, "A=1"))).state == nil)
    }

    @Test func `each attempt is a step of its own`() {
        var trace = Self.begin(TraceSettings(), HeaderFields())
        let spans = (0..<5).map { _ in trace.beginAttempt() }
        #expect(Set(spans + [trace.spanID]).count == 6)
    }
}
