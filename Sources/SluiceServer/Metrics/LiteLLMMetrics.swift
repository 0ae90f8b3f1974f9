internal import SluiceCore

/// The metrics under LiteLLM's names and labels, for dashboards that are there already, as far as there is what they tell.
///
/// Made of a collection when it is scraped: nothing is counted twice.
enum LiteLLMMetrics {
    private enum Measure {
        case same
        /// Of a histogram.
        case count, sum
    }

    private struct Alias {
        let family: MetricFamily
        let original: String
        /// For each label of the family the original's; two series that have them all alike become one.
        let labels: [String]
        /// Series whose label has one of these values alone; an empty list: one that is not empty.
        var condition: (label: String, values: [String])?
        var measure = Measure.same
    }

    private static func family(_ name: String, _ kind: MetricFamily.Kind, _ labels: [String], _ help: String) -> MetricFamily {
        MetricFamily("litellm_" + name, kind, labels: labels, help: help)
    }

    private static let asked = ["requested_model", "model", "api_provider"]
    private static let askedHere = ["gen_ai_original_model", "gen_ai_request_model", "gen_ai_provider_name"]
    private static let deployment = ["litellm_model_name", "api_provider"]
    private static let deploymentHere = ["gen_ai_request_model", "gen_ai_provider_name"]
    private static let duration = "gen_ai_server_request_duration_seconds"
    private static let tokens = "gen_ai_client_token_usage"

    private static func aliases(_ collection: MetricCollection) -> [Alias] {
        func scale(_ name: String) -> MetricFamily.Kind? {
            collection.groups.first { $0.family.name == name }?.family.kind
        }
        func tokenAlias(_ name: String, _ types: [String]) -> Alias {
            Alias(
                family: family(name, .counter, asked, "As gen_ai_client_token_usage has them."), original: tokens,
                labels: askedHere, condition: ("gen_ai_token_type", types), measure: .sum)
        }
        func attempts(_ name: String, _ outcomes: [String]) -> Alias {
            Alias(
                family: family(name, .counter, deployment, "As sluice_attempts has them."), original: "sluice_attempts",
                labels: deploymentHere, condition: ("outcome", outcomes))
        }
        var aliases = [
            Alias(
                family: family("proxy_total_requests_metric", .counter, asked, "Requests to models."), original: duration,
                labels: askedHere, measure: .count),
            Alias(
                family: family(
                    "proxy_failed_requests_metric", .counter, asked + ["exception_class"], "Requests to models that failed."),
                original: duration, labels: askedHere + ["error_type"], condition: ("error_type", []), measure: .count),
            Alias(
                family: family("in_flight_requests", .gauge, [], "Requests under way."),
                original: "sluice_requests_in_flight", labels: []),
            Alias(
                family: family("spend_metric", .counter, ["model", "api_provider"], "As sluice_cost has it."),
                original: "sluice_cost", labels: deploymentHere),
            tokenAlias("total_tokens_metric", ["input", "output"]), tokenAlias("input_tokens_metric", ["input"]),
            tokenAlias("output_tokens_metric", ["output"]),
            Alias(
                family: family("deployment_state", .gauge, deployment, "0: healthy, 1: partly, 2: out."),
                original: "sluice_breaker_state", labels: deploymentHere),
            attempts("deployment_total_requests", ["success", "failure", "cancelled"]),
            attempts("deployment_success_responses", ["success"]), attempts("deployment_failure_responses", ["failure"]),
            Alias(
                family: family("deployment_cooled_down", .counter, deployment, "How often the breaker opened."),
                original: "sluice_breaker_transitions", labels: deploymentHere, condition: ("to", ["open"])),
            Alias(
                family: family(
                    "deployment_successful_fallbacks", .counter, ["requested_model", "fallback_model", "exception_class"],
                    "As sluice_fallbacks has them."), original: "sluice_fallbacks", labels: ["from", "to", "reason"]),
            Alias(
                family: family("remaining_requests_metric", .gauge, deployment, "What the provider says is left."),
                original: "sluice_provider_quota_remaining", labels: deploymentHere, condition: ("unit", ["requests"])),
            Alias(
                family: family("remaining_tokens_metric", .gauge, deployment, "What the provider says is left."),
                original: "sluice_provider_quota_remaining", labels: deploymentHere, condition: ("unit", ["tokens"])),
            Alias(
                family: family("redis_fails", .counter, ["server"], "As sluice_redis_failures has them."),
                original: "sluice_redis_failures", labels: ["server"]),
        ]
        for (name, original, labels, labelsHere) in [
            ("request_total_latency_metric", duration, asked, askedHere),
            ("llm_api_latency_metric", "gen_ai_client_operation_duration_seconds", ["model", "api_provider"], deploymentHere),
            ("llm_api_time_to_first_token_metric", "gen_ai_server_time_to_first_token_seconds", asked, askedHere),
            (
                "deployment_latency_per_output_token", "gen_ai_server_time_per_output_token_seconds", deployment,
                deploymentHere
            ),
            ("redis_latency", "sluice_redis_latency_seconds", ["server"], ["server"]),
        ] {
            guard let kind = scale(original) else { continue }
            aliases.append(
                Alias(family: family(name, kind, labels, "As \(original) has it."), original: original, labels: labelsHere))
        }
        return aliases
    }

    static func add(to collection: inout MetricCollection) {
        for alias in aliases(collection) {
            collection.declare(alias.family)
            guard let group = collection.groups.first(where: { $0.family.name == alias.original }) else { continue }
            for (values, value) in series(of: group, alias) { collection.add(alias.family, values, value) }
        }
    }

    private static func series(
        of group: MetricCollection.Group, _ alias: Alias
    ) -> [(values: [String], value: MetricCollection.Value)] {
        let places = alias.labels.compactMap { group.family.labels.firstIndex(of: $0) }
        let condition = alias.condition.flatMap { condition in
            group.family.labels.firstIndex(of: condition.label).map { (place: $0, values: condition.values) }
        }
        var known: [[String]: Int] = [:]
        var series: [(values: [String], value: MetricCollection.Value)] = []
        for sample in group.samples {
            if let condition {
                let value = sample.values[condition.place]
                if condition.values.isEmpty ? value.isEmpty : !condition.values.contains(value) { continue }
            }
            let values = places.map { sample.values[$0] }
            let value = measured(sample.value, alias.measure)
            if let place = known[values] {
                series[place].value = sum(series[place].value, value, group.family)
            } else {
                known[values] = series.count
                series.append((values, value))
            }
        }
        return series
    }

    private static func measured(_ value: MetricCollection.Value, _ measure: Measure) -> MetricCollection.Value {
        guard case .histogram(let counts, let sum) = value else { return value }
        switch measure {
        case .same: return value
        case .count: return .number(Double(counts.reduce(0, +)))
        case .sum: return .number(sum)
        }
    }

    private static func sum(
        _ a: MetricCollection.Value, _ b: MetricCollection.Value, _ family: MetricFamily
    ) -> MetricCollection.Value {
        switch (a, b) {
        case (.number(let a), .number(let b)): .number(family.sum(a, b))
        case (.histogram(let counts, let sum), .histogram(let others, let other)):
            .histogram(counts: zip(counts, others).map(+), sum: family.sum(sum, other))
        default: a
        }
    }
}
