"""What the dashboard shows, row by row."""

from fleet import FLEET_ROWS
from grafana import GREEN, ORANGE, RED, YELLOW, Query, Row, bars, graph, stat, states, table
from queries import (
    by, count, gauge, model_rate, or_zero, owner_rate, quantile, quantiles, rate, ratio, share_of_requests,
)

PROVIDER = "gen_ai_provider_name"
MODEL = "gen_ai_request_model"
REQUESTS = "gen_ai_server_request_duration_seconds"
FIRST_TOKEN = "gen_ai_server_time_to_first_token_seconds"
TOKEN_TIME = "gen_ai_server_time_per_output_token_seconds"
ATTEMPTS = "gen_ai_client_operation_duration_seconds"
FIRST_CHUNK = "gen_ai_client_operation_time_to_first_chunk_seconds"
TOKENS = "gen_ai_client_token_usage"
# Input and output are all there is: the other types are parts of them.
WHOLE = 'gen_ai_token_type=~"input|output"'
PLACE = f"{{{{{PROVIDER}}}}} {{{{{MODEL}}}}}"

GLANCE = Row("At a glance", (
    stat("Requests", "reqps", "Requests that are over, in a second.", Query(f"sum({rate('sluice_requests_total')})")),
    stat("Availability", "percentunit",
         "The share of requests that neither a provider nor Sluice itself failed. What callers did wrong and what policy refused is not "
         "counted at all.",
         Query(share_of_requests()), ((None, RED), (0.98, ORANGE), (0.995, GREEN)), decimals=2),
    stat("Request p99", "s", "99 of 100 good answers took no longer, streams to their end.",
         Query(quantile(0.99, REQUESTS, 'error_type=""')), ((None, GREEN), (30, YELLOW), (60, RED))),
    stat("First token p95", "s", "95 of 100 streams began no later.", Query(quantile(0.95, FIRST_TOKEN)),
         ((None, GREEN), (5, YELLOW), (10, RED))),
    stat("Tokens", "suffix: tok/s", "Input and output, as providers counted them, in a second.",
         Query(f"sum({model_rate(TOKENS + '_sum', WHOLE)})"), decimals=0),
    stat("Cost", "suffix: /h", "At the configured prices, in your currency, in an hour at the present rate.",
         Query(f"sum({model_rate('sluice_cost_total')}) * 3600"), decimals=2),
    stat("Cache hits", "percentunit", "The share of cacheable requests that no provider was asked for.",
         Query(ratio(rate("sluice_cache_requests_total", 'state=~"hit|stale|joined"'),
                     rate("sluice_cache_requests_total", 'state!="bypass"'))), decimals=1),
    stat("Breakers open", "none", "Targets that are left alone at the moment, on any instance.",
         Query(or_zero(count(f"max by ({PROVIDER}, {MODEL}) ({gauge('sluice_breaker_state', placed=True)}) == 2"))),
         ((None, GREEN), (1, RED))),
    stat("Limits", "none", "Local: Redis does not answer, and each process decides alone on limits that the fleet should share.",
         Query(or_zero(f"max({gauge('sluice_ratelimit_local')})")), ((None, GREEN), (1, ORANGE)),
         names={0: ("shared", GREEN), 1: ("limits are local", ORANGE)}),
    stat("Truncated streams", "percentunit", "The share of streams that broke off and could not be gone on with.",
         Query(ratio(rate("sluice_stream_ends_total", 'reason="truncated"'), rate("sluice_stream_ends_total"))),
         ((None, GREEN), (0.005, YELLOW), (0.02, RED)), decimals=2),
    stat("In flight", "none", "Requests under way.", Query(f"sum({gauge('sluice_requests_in_flight')})")),
    stat("Instances", "none", "Processes that answer the scrape.", Query(count(gauge("sluice_build_info")))),
))

TRAFFIC = Row("Traffic and errors", (
    graph("Requests by route", "reqps", "By the template of the path.",
          Query(by("route", rate("sluice_requests_total")), "{{route}}"), stacked=True),
    graph("Errors by owner", "reqps",
          "Whose doing it was: the caller's, a policy's (a limit, a budget, a permission), a provider's, or Sluice's own.",
          Query(owner_rate(), "{{owner}}"), stacked=True),
    graph("Status codes", "reqps", "As applications saw them. 499: they were gone before.",
          Query(by("code", rate("sluice_requests_total")), "{{code}}"), stacked=True),
    graph("Errors by type", "reqps", "What went wrong, in the words of the errors' reference.",
          Query(by("error_type", rate("sluice_requests_total", 'error_type!=""')), "{{error_type}}"), width=12),
    graph("Requests in flight", "none", "Under way, those of them that are streams, and those that wait for a place.",
          Query(f"sum({gauge('sluice_requests_in_flight')})", "under way"),
          Query(f"sum({gauge('sluice_streams_open')})", "streams"),
          Query(f"sum({gauge('sluice_gate_waiting')})", "waiting"), width=12),
))

LATENCY = Row("Latency", (
    graph("Request duration", "s", "From the first byte of the request to the last of the answer, good answers only.",
          *quantiles(REQUESTS, 'error_type=""')),
    graph("Time to first token", "s", "From the first byte of the request to the first of a streamed answer.", *quantiles(FIRST_TOKEN)),
    graph("Time per output token", "s", "After the first one, of streams whose provider told how many there were.",
          *quantiles(TOKEN_TIME)),
    graph("What Sluice adds (p99)", "s", "Before the request is sent, and from the head of the provider's response to ours.",
          Query(quantile(0.99, "sluice_overhead_seconds", labels="phase"), "{{phase}}"), width=12),
    graph("Waiting for a place (p95)", "s", "Where `concurrency` has limits: how long requests stood in the queue.",
          Query(quantile(0.95, "sluice_queue_duration_seconds", labels="outcome"), "{{outcome}}"), width=12),
))

MONEY = Row("Tokens and cost", (
    graph("Tokens by type", "suffix: tok/s", "As the providers counted them. Cached and reasoning tokens are parts of the others.",
          Query(by("gen_ai_token_type", model_rate(TOKENS + "_sum")), "{{gen_ai_token_type}}")),
    graph("Cost in an hour", "suffix: /h", "At the configured prices, in your currency. A target without a price costs nothing.",
          Query(by(f"{PROVIDER}, {MODEL}", model_rate("sluice_cost_total")) + " * 3600", PLACE), stacked=True),
    graph("Where usage is known from", "reqps", "Estimated and unknown usage cannot be billed exactly.",
          Query(by("source", rate("sluice_usage_source_total")), "{{source}}"), stacked=True),
))

PROVIDERS = Row("Providers", (
    graph("Attempts by provider", "reqps", "Each request makes one attempt, or more.",
          Query(by(PROVIDER, model_rate("sluice_attempts_total")), f"{{{{{PROVIDER}}}}}"), stacked=True),
    graph("Success by provider", "percentunit", "The share of attempts that succeeded; those that were called off are left out.",
          Query(ratio(by(PROVIDER, model_rate("sluice_attempts_total", 'outcome="success"')),
                      by(PROVIDER, model_rate("sluice_attempts_total", 'outcome!="cancelled"')), summed=True), f"{{{{{PROVIDER}}}}}"),
          maximum=1),
    graph("Failed attempts by reason", "reqps", "The classes are explained under Resilience.",
          Query(by(f"{PROVIDER}, reason", model_rate("sluice_attempts_total", 'outcome="failure"')), f"{{{{{PROVIDER}}}}} {{{{reason}}}}"),
          stacked=True),
    graph("Attempt duration by provider (p95)", "s", "Of attempts that succeeded, from sending to the last byte.",
          Query(quantile(0.95, ATTEMPTS, 'error_type=""', labels=PROVIDER), f"{{{{{PROVIDER}}}}}")),
    graph("Head of the response by provider (p95)", "s", "From sending to the head: what the provider thinks before it speaks.",
          Query(quantile(0.95, FIRST_CHUNK, 'error_type=""', labels=PROVIDER), f"{{{{{PROVIDER}}}}}")),
    graph("Retries and fallbacks", "reqps", "Attempts that another one followed, and requests that another target answered.",
          Query(by(f"{PROVIDER}, reason", rate("sluice_retries_total", f'{PROVIDER}=~"$provider"')),
                f"again after {{{{{PROVIDER}}}}}: {{{{reason}}}}"),
          Query(by("from, to", rate("sluice_fallbacks_total")), "{{from}} → {{to}}")),
    states("Breakers", "Open: the target failed and is left alone. Half-open: a few requests try it.",
           Query(f"max by ({PROVIDER}, {MODEL}) ({gauge('sluice_breaker_state', placed=True)})", PLACE),
           {0: ("closed", GREEN), 1: ("half-open", YELLOW), 2: ("open", RED)}, width=12),
    states("Keys", "A key that its provider refuses, or whose quota is spent, is set aside for a while.",
           Query(f"min by ({PROVIDER}, key) (" + gauge("sluice_key_up", f'{PROVIDER}=~"$provider"') + ")",
                 f"{{{{{PROVIDER}}}}} key {{{{key}}}}"),
           {0: ("set aside", RED), 1: ("in use", GREEN)}, width=12),
    graph("Attempts under way", "none", "At each target.",
          Query(by(f"{PROVIDER}, {MODEL}", gauge("sluice_target_in_flight", placed=True)), PLACE), width=12, stacked=True),
    graph("Quota left at providers", "percentunit", "Of the provider's own limit, as its answers say. None left: it answers 429.",
          Query("min by (" + f"{PROVIDER}, {MODEL}, unit) ("
                + ratio(gauge("sluice_provider_quota_remaining", placed=True), gauge("sluice_provider_quota_limit", placed=True), summed=True)
                + ")", PLACE + " {{unit}}"), width=12, maximum=1),
))

MODELS = Row("Models", (
    graph("Requests by model", "reqps", "By the name that the provider was asked for.",
          Query(by(MODEL, model_rate(REQUESTS + "_count")), f"{{{{{MODEL}}}}}"), stacked=True),
    graph("Request duration by model (p95)", "s", "Good answers only.",
          Query(quantile(0.95, REQUESTS, 'error_type=""', labels=MODEL), f"{{{{{MODEL}}}}}")),
    graph("First token by model (p95)", "s", "Of streams.", Query(quantile(0.95, FIRST_TOKEN, labels=MODEL), f"{{{{{MODEL}}}}}")),
    graph("Tokens by model", "suffix: tok/s", "Input and output.",
          Query(by(MODEL, model_rate(TOKENS + "_sum", WHOLE)), f"{{{{{MODEL}}}}}"), stacked=True),
    graph("Errors by model", "percentunit", "The share of requests that a provider or Sluice itself failed.",
          Query(ratio(by(MODEL, model_rate(REQUESTS + "_count", 'error_type=~"(provider|gateway)_.+"')),
                      by(MODEL, model_rate(REQUESTS + "_count")), summed=True), f"{{{{{MODEL}}}}}"), maximum=1),
    table("Routing", "What applications asked for, and who answered: requests a second, and their mean duration.",
          [Query(by(f"gen_ai_original_model, {PROVIDER}, {MODEL}", model_rate(REQUESTS + "_count"))),
           Query(ratio(by(f"gen_ai_original_model, {PROVIDER}, {MODEL}", model_rate(REQUESTS + "_sum")),
                       by(f"gen_ai_original_model, {PROVIDER}, {MODEL}", model_rate(REQUESTS + "_count")), summed=True))],
          {"gen_ai_original_model": "Asked for", PROVIDER: "Provider", MODEL: "Model there", "A": "Requests", "B": "Mean"},
          {"Requests": "reqps", "Mean": "s"}),
))

CACHE = Row("Cache", (
    graph("Requests by what the cache had", "reqps", "Joined: one like it was under way, and its answer was shared.",
          Query(by("state, level", rate("sluice_cache_requests_total")), "{{state}} {{level}}"), stacked=True),
    graph("Memory of the cache", "bytes", "Kept answers, and replies to requests with an Idempotency-Key.",
          Query(by("kind", gauge("sluice_cache_memory_bytes")), "{{kind}}"), stacked=True),
    graph("Age of hits and evictions", "short", "Answers that had to make room, in a second; the age in seconds that half the hits were below.",
          Query(by("kind", rate("sluice_cache_evictions_total")), "evictions: {{kind}}"),
          Query(quantile(0.5, "sluice_cache_age_seconds"), "age p50")),
))

LIMITS = Row("Limits and budgets", (
    graph("Refused by limit", "reqps", "Requests that a limit or a budget refused.",
          Query(by("rule", rate("sluice_ratelimit_decisions_total", 'decision="refused"')), "{{rule}}")),
    graph("Decided without Redis", "reqps", "More than nothing: limits are local, and hold for each process alone.",
          Query(by("rule", rate("sluice_ratelimit_local_decisions_total")), "{{rule}}")),
    bars("Budgets used", "percentunit", "The share of the fullest budget of each rule.",
         Query(f"max by (rule) ({gauge('sluice_budget_used_ratio')})", "{{rule}}"),
         ((None, GREEN), (0.8, ORANGE), (1, RED)), maximum=1),
    graph("Used by limit", "short", "What was really used, in a second, in the unit of the limit.",
          Query(by("rule, unit", rate("sluice_ratelimit_settled_units_total")), "{{rule}} ({{unit}})")),
    graph("Places taken", "percentunit", "Of those that `concurrency` gives a model or a provider.",
          Query(ratio(by("kind, name", gauge("sluice_gate_in_use")), by("kind, name", gauge("sluice_gate_size")), summed=True),
                "{{kind}} {{name}}"), maximum=1),
    graph("No place", "reqps", "Requests that a full queue, a more urgent one or the time sent away, and those shed for want of memory.",
          Query(by("kind, name, reason", rate("sluice_gate_refusals_total")), "{{kind}} {{name}}: {{reason}}"),
          Query(by("priority", rate("sluice_shed_requests_total")), "shed: {{priority}}")),
))

STREAMS = Row("Streams", (
    graph("How streams ended", "reqps", "Truncated: it broke off. Idle: nothing came any more. Client_abort: the application left.",
          Query(by("reason", rate("sluice_stream_ends_total")), "{{reason}}"), stacked=True),
    graph("Broken streams that were gone on with", "reqps", "Rescued: the application noticed nothing.",
          Query(by("result", rate("sluice_stream_rescues_total")), "{{result}}"), stacked=True),
    graph("Lost on the way", "short", "Fields that a provider cannot express and events that could not be read, in a second; streams that are "
          "read on for their usage.",
          Query(by("field, to", rate("sluice_translation_losses_total")), "{{field}} → {{to}}"),
          Query(f"sum({rate('sluice_malformed_events_total')})", "malformed events"),
          Query(f"sum({gauge('sluice_stream_drains')})", "drained now")),
))

ROWS = [GLANCE, TRAFFIC, LATENCY, MONEY, PROVIDERS, MODELS, CACHE, LIMITS, STREAMS, *FLEET_ROWS]
