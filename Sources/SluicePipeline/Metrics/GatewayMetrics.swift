package import SluiceCore

/// The metrics of exchanges and attempts: OpenTelemetry's names for generative AI where it has one, `sluice_` for the rest.
///
/// Label values come from closed sets: templates of paths, configured providers, models that the configuration or a provider's list
/// names, the failure classes. Never a prompt, a user, a path as it was sent or a key.
package final class GatewayMetrics: Sendable {
    package let registry = MetricRegistry()

    let requests: MetricRegistry.ID
    let requestDuration: MetricRegistry.ID
    let firstToken: MetricRegistry.ID
    let timePerToken: MetricRegistry.ID
    let tokens: MetricRegistry.ID
    let estimatedTokens: MetricRegistry.ID
    let cost: MetricRegistry.ID
    let usageSources: MetricRegistry.ID
    let attempts: MetricRegistry.ID
    let attemptDuration: MetricRegistry.ID
    let firstChunk: MetricRegistry.ID
    let retries: MetricRegistry.ID
    let fallbacks: MetricRegistry.ID
    let hedges: MetricRegistry.ID
    let losses: MetricRegistry.ID
    let cached: MetricRegistry.ID
    let cacheAge: MetricRegistry.ID
    let queueTime: MetricRegistry.ID
    let overhead: MetricRegistry.ID
    let degraded: MetricRegistry.ID
    let malformedEvents: MetricRegistry.ID
    let chunkTime: MetricRegistry.ID
    let breakerOutcomes: MetricRegistry.ID
    let keysRefused: MetricRegistry.ID
    let openStreams: MetricRegistry.ID

    static let served = [
        "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_original_model", "gen_ai_request_model",
        "gen_ai_response_model", "error_type",
    ]
    static let asked = [
        "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "error_type",
    ]
    static let target = ["gen_ai_provider_name", "gen_ai_request_model"]
    /// OpenTelemetry's, and further: models that think take minutes.
    private static let durations = HistogramScale.seconds([
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 600,
    ])
    private static let firstTokens = HistogramScale.seconds([
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60,
    ])
    private static let tokenTimes = HistogramScale.seconds([
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
    ])
    private static let tokenCounts = HistogramScale([
        1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
    ])
    private static let overheads = HistogramScale.seconds([
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25,
    ])
    private static let ages = HistogramScale.seconds([1, 10, 60, 300, 900, 3600, 14_400, 86_400, 604_800])

    package init() {
        let registry = registry
        func seconds(_ name: String, _ scale: HistogramScale, _ labels: [String], _ help: String) -> MetricRegistry.ID {
            registry.add(
                MetricFamily(
                    name, .histogram(scale), unit: "seconds", scale: 1e-9, labels: labels, help: help))
        }
        func counter(_ name: String, _ labels: [String], scale: Double = 1, _ help: String) -> MetricRegistry.ID {
            registry.add(MetricFamily(name, .counter, scale: scale, labels: labels, help: help))
        }
        requests = counter(
            "sluice_requests", ["route", "code", "error_type"],
            "Requests that are over, by the template of their path, the status and what went wrong.")
        requestDuration = seconds(
            "gen_ai_server_request_duration_seconds", Self.durations, Self.served,
            "From a request's first byte to the end of its answer, as the application sees it.")
        firstToken = seconds(
            "gen_ai_server_time_to_first_token_seconds", Self.firstTokens, Self.served,
            "From a request's first byte to the first of a streamed answer.")
        timePerToken = seconds(
            "gen_ai_server_time_per_output_token_seconds", Self.tokenTimes, Self.served,
            "Time for each token after the first, of streams whose provider told how many there were.")
        tokens = registry.add(
            MetricFamily(
                "gen_ai_client_token_usage", .histogram(Self.tokenCounts),
                labels: Self.served.dropLast() + ["gen_ai_token_type"],
                help: "Tokens of a request, as the provider counted them."))
        estimatedTokens = counter(
            "sluice_estimated_tokens", Self.target + ["gen_ai_token_type"],
            "Tokens of requests whose provider did not count them, estimated.")
        cost = counter(
            "sluice_cost", Self.target, scale: 1e-6,
            "What answers have cost at the configured prices, in the operator's currency.")
        usageSources = counter(
            "sluice_usage_source", ["source"], "Requests by where the count of their tokens is from.")
        attempts = counter(
            "sluice_attempts", Self.target + ["outcome", "reason"],
            "Attempts at targets, by how they ended.")
        attemptDuration = seconds(
            "gen_ai_client_operation_duration_seconds", Self.durations, Self.asked,
            "Of one attempt at a provider, from its beginning to its end.")
        firstChunk = seconds(
            "gen_ai_client_operation_time_to_first_chunk_seconds", Self.durations, Self.asked,
            "From the sending of an attempt to the head of its response.")
        retries = counter(
            "sluice_retries", ["gen_ai_provider_name", "reason"], "Attempts that another attempt followed, by why they failed.")
        fallbacks = counter(
            "sluice_fallbacks", ["from", "to", "reason"],
            "Requests that another target answered than the one that was asked first, as provider/model.")
        hedges = counter("sluice_hedges", ["result"], "Second attempts beside slow first ones, by whether they were faster.")
        losses = counter(
            "sluice_translation_losses", ["field", "from", "to"],
            "Requests of which a field could not be put into the provider's dialect, by the outermost field.")
        cached = counter("sluice_cache_requests", ["state", "level"], "Requests by what the cache had for them.")
        cacheAge = seconds("sluice_cache_age_seconds", Self.ages, [], "How old answers from the cache were.")
        queueTime = seconds(
            "sluice_queue_duration_seconds", Self.durations, ["outcome"],
            "How long requests waited for a place, and whether they got it: admitted, refused, or gone before their turn.")
        overhead = seconds(
            "sluice_overhead_seconds", Self.overheads, ["phase"],
            "What Sluice itself adds to a request, by what it is doing: authenticate, parse, plan, translate, reply.")
        degraded = counter("sluice_degraded", ["kind"], "Requests that were answered in place of providers that failed.")
        chunkTime = seconds(
            "gen_ai_client_operation_time_per_output_chunk_seconds", Self.durations, Self.asked.dropLast(),
            "From one piece of a provider's stream that says something to the next.")
        breakerOutcomes = counter(
            "sluice_breaker_outcomes", Self.target + ["outcome"], "What attempts have told the breaker of their target.")
        keysRefused = counter(
            "sluice_key_refusals", ["gen_ai_provider_name", "key", "reason"],
            "How often a provider's key with this number was set aside: refused, or exhausted.")
        openStreams = registry.add(MetricFamily("sluice_streams_open", .gauge, help: "Streamed answers under way."))
        malformedEvents = counter("sluice_malformed_events", [], "Events of streams that could not be read.")
    }
}
