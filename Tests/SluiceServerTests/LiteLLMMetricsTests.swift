import SluiceCore
import Testing

@testable import SluiceServer

@Suite struct `Metrics under LiteLLM's names` {
    @Test func `are sums of what their labels do not tell apart, to the last digit`() {
        let labels = [
            "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_original_model", "gen_ai_request_model",
            "gen_ai_response_model", "error_type",
        ]
        let scale = HistogramScale.seconds([1])
        let time = MetricFamily(
            "gen_ai_server_request_duration_seconds", .histogram(scale), unit: "seconds", scale: 1e-9, labels: labels,
            help: "Time.")
        var collection = MetricCollection()
        for (error, nanoseconds) in [("", 100_000_000), ("provider_busy", 200_000_000)] {
            collection.add(
                time, ["chat", "alpha", "asked", "routed", "answered", error],
                .histogram(counts: [1, 2], sum: time.value(of: nanoseconds)))
        }
        LiteLLMMetrics.add(to: &collection)
        func samples(_ name: String) -> [MetricCollection.Sample] {
            collection.groups.first { $0.family.name == name }?.samples ?? []
        }
        let latency = samples("litellm_request_total_latency_metric")
        #expect(latency.map(\.values) == [["asked", "routed", "alpha"]])
        #expect(latency.map(\.value) == [.histogram(counts: [2, 4], sum: 0.3)])
        #expect(samples("litellm_proxy_total_requests_metric").map(\.value) == [.number(6)])
        let failed = samples("litellm_proxy_failed_requests_metric")
        #expect(failed.map(\.values) == [["asked", "routed", "alpha", "provider_busy"]])
        #expect(failed.map(\.value) == [.number(3)])
    }
}
