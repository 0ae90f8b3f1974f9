import Foundation
import Testing

/// What a scrape says of what was sent, to the last one.
@Suite struct `Metrics of a scrape` {
    /// Models by what becomes of requests to them, at two providers of one mock.
    private func withGateway(_ others: [String] = [], _ body: (SluiceProcess) throws -> Void) throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.providers = [mock.provider("alpha"), mock.provider("beta")]
        configuration.breakers = ""
        configuration.retries = "same_target_max: 0"
        let counted = "gpt-mock+prompt-tokens=100+completion-tokens=10+cached-tokens=40+reasoning-tokens=4"
        configuration.models = """
            plain: {targets: [{provider: "alpha", upstream_model: "\(counted)", price: {input: 2, output: 8}}]},
            fall: {targets: [{provider: "alpha", upstream_model: "bad+status=503", priority: 0},
                             {provider: "beta", upstream_model: "good", priority: 1}]},
            cut: {targets: [{provider: "alpha", upstream_model: "gpt-mock+tokens=40+cut=0.5"}]},
            silent: {targets: [{provider: "beta", upstream_model: "gpt-mock+usage=none"}]},
            few: {targets: [{provider: "beta", upstream_model: "rare"}]},
            slow: {targets: [{provider: "beta", upstream_model: "gpt-mock+latency-ms=1500"}]}
            """
        configuration.others = [
            #"rate_limits: [{name: "rare", when: {models: "few"}, by: ["model"], limit: 1, per: "day"}]"#,
        ] + others
        try withSluice(configuration) { sluice in try body(sluice) }
    }

    private func chat(_ model: String, _ members: String = "") -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"Hello"}]\#(members)}"#
    }

    @Test func `counts a stream of the built-in model as open while it is, and no longer`() throws {
        try withGateway { sluice in
            let question = #"{"model":"echo","stream":true,"messages":[{"role":"user","content":"one two"}]}"#
            for _ in 0..<2 { _ = try sluice.stream(question).rest() }
            let metrics = try sluice.scrape(until: "two requests") { $0.sum("sluice_requests_total") == 2 }
            #expect(metrics.sum("sluice_streams_open") == 0)
        }
    }

    @Test func `counts answers, tokens and money`() throws {
        try withGateway { sluice in
            for _ in 0..<7 { #expect(try sluice.chat(chat("plain")).status == 200) }
            for _ in 0..<2 { _ = try sluice.stream(chat("plain", #","stream":true"#)).rest() }
            #expect(try sluice.chat(chat("unheard-of-model")).status == 404)
            #expect(try sluice.exchange("GET", "/v1/nothing/\(UUID())").status == 404)
            let metrics = try sluice.scrape(until: "eleven requests") { $0.sum("sluice_requests_total") == 11 }
            let path = #"route="/v1/chat/completions""#
            #expect(metrics.sum("sluice_requests_total", path, #"code="200""#, #"error_type="""#) == 9)
            #expect(metrics.sum("sluice_requests_total", path, #"code="404""#, #"error_type="caller_model_not_found""#) == 1)
            let model = #"gen_ai_original_model="plain""#
            #expect(metrics.sum("gen_ai_server_request_duration_seconds_count", model, #"error_type="""#) == 9)
            #expect(metrics.sum("gen_ai_server_time_to_first_token_seconds_count", model) == 2)
            #expect(metrics.sum("gen_ai_server_time_per_output_token_seconds_count", model) == 2)
            let alpha = #"gen_ai_provider_name="alpha""#
            #expect(metrics.sum("sluice_attempts_total", alpha, #"outcome="success""#) == 9)
            #expect(metrics.sum("gen_ai_client_operation_duration_seconds_count", alpha) == 9)
            #expect(metrics.sum("gen_ai_client_operation_time_to_first_chunk_seconds_count", alpha) == 9)
            #expect(metrics.sum("sluice_breaker_outcomes_total", alpha, #"outcome="success""#) == 9)
            for (type, count) in [("input", 100.0), ("output", 10), ("cached_input", 40), ("reasoning", 4)] {
                #expect(metrics.sum("gen_ai_client_token_usage_sum", #"gen_ai_token_type="\#(type)""#) == 9 * count)
                #expect(metrics.sum("gen_ai_client_token_usage_count", #"gen_ai_token_type="\#(type)""#) == 9)
            }
            // 100 tokens at 2, and 10 at 8, for a million each.
            #expect(metrics.sum("sluice_cost_total", alpha) == 0.00252)
            #expect(metrics.sum("sluice_usage_source_total", #"source="provider""#) == 9)
            #expect(metrics.sum("sluice_stream_ends_total", #"reason="complete""#) == 2)
            #expect(metrics.sum("sluice_streams_open") == 0)
            // Who answered is what was asked, a model that the configuration names.
            #expect(metrics.sum("gen_ai_server_request_duration_seconds_count", #"gen_ai_response_model="other""#) == 0)
            #expect(metrics.text.contains(#"gen_ai_response_model="gpt-mock+prompt-tokens=100"#))
            // Nothing that a caller has made up is a label.
            #expect(!metrics.text.contains("unheard-of-model"))
            #expect(metrics.sum("gen_ai_server_request_duration_seconds_count", #"gen_ai_original_model="other""#) == 1)
        }
    }

    @Test func `counts a fallback, a cut stream, a refusal, a hit, and tokens that nobody has counted`() throws {
        try withGateway(["cache: {}"]) { sluice in
            for _ in 0..<3 { #expect(try sluice.chat(chat("fall")).status == 200) }
            let cut = try sluice.stream(chat("cut", #","stream":true"#)).untilAnyEnd()
            #expect(!cut.isClean)
            #expect(try sluice.chat(chat("few")).status == 200)
            for _ in 0..<4 { #expect(try sluice.chat(chat("few")).status == 429) }
            for _ in 0..<3 { #expect(try sluice.chat(chat("plain", #","temperature":0"#)).status == 200) }
            #expect(try sluice.chat(chat("silent")).status == 200)
            let metrics = try sluice.scrape(until: "thirteen requests") { $0.sum("sluice_requests_total") == 13 }
            #expect(
                metrics.sum(
                    "sluice_fallbacks_total", #"from="alpha/bad+status=503""#, #"to="beta/good""#, #"reason="overloaded""#) == 3,
                "\(metrics.series("sluice_fallbacks_total"))")
            #expect(metrics.sum("sluice_retries_total", #"gen_ai_provider_name="alpha""#, #"reason="overloaded""#) == 3)
            #expect(metrics.sum("sluice_attempts_total", #"outcome="failure""#, #"reason="overloaded""#) == 3)
            #expect(metrics.sum("sluice_breaker_outcomes_total", #"outcome="failure""#) >= 3)
            #expect(metrics.sum("sluice_stream_ends_total", #"reason="truncated""#) == 1)
            #expect(metrics.sum("sluice_requests_total", #"error_type="provider_truncated""#) == 1)
            let refused = metrics.series("sluice_requests_total").filter { $0.contains(#"code="429""#) }
            #expect(refused.count == 1 && refused[0].contains(#"error_type="policy_"#), "\(refused)")
            let rule = #"rule="rare""#
            #expect(metrics.sum("sluice_ratelimit_decisions_total", rule, #"dimension="model""#, #"decision="passed""#) == 1)
            #expect(metrics.sum("sluice_ratelimit_decisions_total", rule, #"decision="refused""#) == 4)
            #expect(metrics.sum("sluice_cache_requests_total", #"state="hit""#, #"level="memory""#) == 2)
            #expect(metrics.sum("sluice_cache_age_seconds_count") == 2)
            #expect(metrics.sum("sluice_usage_source_total", #"source="cache""#) == 2)
            #expect(metrics.sum("sluice_usage_source_total", #"source="estimated""#) >= 1)
            #expect(metrics.sum("sluice_estimated_tokens_total", #"gen_ai_token_type="input""#) > 0)
            // What nobody has counted is in no histogram.
            #expect(metrics.sum("gen_ai_client_token_usage_count", #"gen_ai_request_model="gpt-mock+usage=none""#) == 0)
            #expect(metrics.sum("sluice_requests_in_flight") == 0)
        }
    }

    @Test func `tells what Sluice adds, and not what the provider takes`() throws {
        try withGateway { sluice in
            let reply = try sluice.chat(chat("slow"))
            let told = try #require(reply["x-sluice-overhead-ms"].flatMap(Double.init))
            #expect(told > 0 && told < 1200, "\(told) ms")
            let metrics = try sluice.scrape(until: "a request") { $0.sum("sluice_requests_total") == 1 }
            var sum = 0.0
            for phase in ["parse", "plan", "translate", "reply"] {
                #expect(metrics.sum("sluice_overhead_seconds_count", "phase=\"\(phase)\"") == 1)
                sum += metrics.sum("sluice_overhead_seconds_sum", "phase=\"\(phase)\"")
            }
            #expect(metrics.sum("sluice_overhead_seconds_count", #"phase="authenticate""#) == 0)
            // The field is cut off at a microsecond.
            #expect(abs(sum * 1000 - told) < 0.002, "\(sum * 1000) and \(told) ms")
            #expect(metrics.sum("gen_ai_server_request_duration_seconds_sum") >= 1.4)
            #expect(metrics.sum("gen_ai_client_operation_duration_seconds_sum") >= 1.4)
        }
    }

    @Test func `has the provider's quota, and the phases of who has to show who he is`() throws {
        let maker = try ChildProcess(SluiceProcess.binary, ["key", "new", "--quiet"], environment: [:])
        try #require(try maker.exitStatus() == 0)
        let issued = try maker.output.text().split(separator: "\n").map(String.init)
        try #require(issued.count == 2)
        try withGateway([#"access: {keys: {app: {hash: "\#(issued[1])"}}}"#]) { sluice in
            #expect(try sluice.chat(chat("plain")).status == 401)
            #expect(try sluice.chat(chat("plain"), ["authorization: Bearer \(issued[0])"]).status == 200)
            let metrics = try sluice.scrape(until: "two requests") { $0.sum("sluice_requests_total") == 2 }
            #expect(metrics.sum("sluice_overhead_seconds_count", #"phase="authenticate""#) == 1)
            let alpha = #"gen_ai_provider_name="alpha""#
            for unit in ["requests", "tokens"] {
                let remaining = metrics.sum("sluice_provider_quota_remaining", alpha, "unit=\"\(unit)\"")
                #expect(remaining > 0 && remaining <= metrics.sum("sluice_provider_quota_limit", alpha, "unit=\"\(unit)\""))
            }
            #expect(metrics.sum("sluice_key_up", alpha, #"key="1""#) == 1)
            #expect(!metrics.text.contains(issued[0]) && !metrics.text.contains(issued[1]))
        }
    }

    @Test func `has exemplars in OpenMetrics, by trace or by request`() throws {
        try withGateway { sluice in
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            _ = try sluice.chat(chat("plain"), ["traceparent: 00-\(trace)-00f067aa0ba902b7-01", "x-request-id: traced"])
            _ = try sluice.chat(chat("few"), ["x-request-id: untraced"])
            try sluice.scrape(until: "two requests") { $0.sum("sluice_requests_total") == 2 }
            let (reply, metrics) = try sluice.scrape(accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
            #expect(reply["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(reply.text.hasSuffix("\n# EOF\n"))
            let told = metrics.exemplars.filter { $0.key.hasPrefix("gen_ai_server_request_duration_seconds_bucket") }
            #expect(told.count == 2)
            #expect(told.contains { $0.key.contains(#""plain""#) && $0.value.hasPrefix(#"{trace_id="\#(trace)"} "#) })
            #expect(told.contains { $0.key.contains(#""few""#) && $0.value.hasPrefix(#"{request_id="untraced"} "#) })
            #expect(metrics.families["sluice_requests"] == "counter" && metrics.families["sluice_requests_total"] == nil)
            let older = try sluice.scrape()
            #expect(older.reply["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(older.metrics.exemplars.isEmpty && older.metrics.families["sluice_requests_total"] == "counter")
        }
    }

    @Test func `gives the same under LiteLLM's names, where that is asked for`() throws {
        try withGateway([#"metrics: {aliases: ["litellm", "envoy_ai_gateway"]}"#]) { sluice in
            for _ in 0..<3 { #expect(try sluice.chat(chat("plain")).status == 200) }
            #expect(try sluice.chat(chat("fall")).status == 200)
            #expect(try sluice.chat(chat("unheard-of-model")).status == 404)
            let metrics = try sluice.scrape(until: "five requests") { $0.sum("sluice_requests_total") == 5 }
            #expect(metrics.sum("litellm_proxy_total_requests_metric_total") == 5)
            #expect(metrics.sum("litellm_proxy_total_requests_metric_total", #"requested_model="plain""#) == 3)
            #expect(
                metrics.sum("litellm_proxy_failed_requests_metric_total", #"exception_class="caller_model_not_found""#) == 1)
            #expect(metrics.sum("litellm_input_tokens_metric_total", #"requested_model="plain""#) == 300)
            #expect(metrics.sum("litellm_total_tokens_metric_total", #"requested_model="plain""#) == 330)
            #expect(abs(metrics.sum("litellm_spend_metric_total", #"api_provider="alpha""#) - 3 * 280e-6) < 1e-9)
            #expect(metrics.sum("litellm_request_total_latency_metric_count", #"requested_model="plain""#) == 3)
            #expect(metrics.sum("litellm_deployment_failure_responses_total", #"api_provider="alpha""#) == 1)
            #expect(metrics.sum("litellm_deployment_successful_fallbacks_total", #"fallback_model="beta/good""#) == 1)
            #expect(metrics.sum("litellm_remaining_requests_metric", #"api_provider="alpha""#) > 0)
            #expect(metrics.sum("litellm_deployment_state") == 0)
        }
        try withGateway { sluice in
            let text = try sluice.scrape().metrics.text
            #expect(!text.contains("litellm"))
        }
    }

    @Test func `counts reloads that did and did not come into force`() throws {
        try withGateway { sluice in
            let text = try String(contentsOfFile: sluice.configurationFile, encoding: .utf8)
            let before = try sluice.scrape().metrics
            #expect(before.sum("sluice_config_revision") == 1)
            #expect(before.sum("sluice_config_last_reload_timestamp_seconds") > 1_700_000_000)
            try sluice.rewriteConfiguration("{ nonsense: true }")
            sluice.signal(SIGHUP)
            let failed = try sluice.scrape(until: "a failure") { $0.sum("sluice_config_last_reload_successful") == 0 }
            #expect(failed.sum("sluice_config_reloads_total", #"result="failure""#) >= 1)
            #expect(failed.sum("sluice_config_revision") == 1)
            try sluice.rewriteConfiguration(text)
            sluice.signal(SIGHUP)
            let mended = try sluice.scrape(until: "success") { $0.sum("sluice_config_last_reload_successful") == 1 }
            #expect(mended.sum("sluice_config_reloads_total", #"result="success""#) >= 1)
            #expect(mended.sum("sluice_config_revision") >= 2)
        }
    }
}
