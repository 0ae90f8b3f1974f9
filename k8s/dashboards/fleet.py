"""The rows about processes rather than traffic: the fleet of sidecars, what they store, and their own telemetry."""

from grafana import GREEN, ORANGE, RED, YELLOW, Query, Row, bars, graph, states, table
from queries import by, gauge, quantile, rate, ratio

EACH = "{{namespace}} {{instance}}"
ONE = "namespace, instance"
DAY = 86_400

FLEET = Row("Sidecar fleet", (
    graph("Pods by version", "none", "During a rollout two versions run; after it one.",
          Query(f"count by (version) ({gauge('sluice_build_info')})", "{{version}}"), stacked=True),
    graph("Configuration", "none",
          "How many configurations each process has had in force. Processes that began together and watch the same file have the same "
          "number: a skew that stays means that some did not take the last one.",
          Query(by(ONE, gauge("sluice_config_revision")), EACH),
          Query("max by (job) (" + gauge("sluice_config_revision") + ") - min by (job) (" + gauge("sluice_config_revision") + ")",
                "skew in {{job}}")),
    states("Ready, and the last reload", "Refused: the last configuration had a mistake, and the one before is in force.",
           Query("min by (" + ONE + ") (" + gauge("sluice_ready") + " + " + gauge("sluice_config_last_reload_successful") + ")", EACH),
           {0: ("not ready, reload refused", RED), 1: ("not ready, or reload refused", ORANGE), 2: ("ready", GREEN)}),
    graph("Memory of each pod", "bytes", "What the process holds.", Query(by(ONE, gauge("process_resident_memory_bytes")), EACH)),
    graph("CPU of each pod", "suffix: cores", "User and system time.", Query(by(ONE, rate("process_cpu_seconds_total")), EACH)),
    graph("Requests of each pod", "reqps", "Requests that are over.", Query(by(ONE, rate("sluice_requests_total")), EACH)),
    states("Memory pressure", "From the first step on idle connections are closed, from the second on requests are refused.",
           Query(f"max by ({ONE}) ({gauge('sluice_memory_pressure')})", EACH),
           {0: ("none", GREEN), 1: ("closing idle connections", YELLOW), 2: ("refusing requests", ORANGE),
            3: ("refusing connections", RED)}),
    graph("Connections of applications", "none", "Downstream connections of each process.",
          Query(by(ONE, gauge("sluice_downstream_connections")), EACH), stacked=True),
    graph("Bytes that wait", "bytes", "For applications and providers that read slowly.",
          Query(by(ONE, gauge("sluice_buffered_bytes")), EACH), stacked=True),
    bars("Open files", "percentunit", "The share of the descriptors that the process may have.",
         Query(ratio(by(ONE, gauge("process_open_fds")), by(ONE, gauge("process_max_fds")), summed=True), EACH),
         ((None, GREEN), (0.7, ORANGE), (0.85, RED)), maximum=1),
    bars("Certificates end in", "s", "Those that listeners show to applications.",
         Query("min by (listener, file) (" + gauge("sluice_certificate_expiry_timestamp_seconds") + ") - time()", "{{file}} {{listener}}"),
         ((None, RED), (3 * DAY, ORANGE), (14 * DAY, GREEN)), maximum=90 * DAY),
    table("Processes", "One line for each.",
          [Query(f"max by (namespace, instance, version) ({gauge('sluice_build_info')})"),
           Query(f"max by ({ONE}) ({gauge('sluice_config_revision')})"),
           Query(f"max by ({ONE}) ({gauge('process_resident_memory_bytes')})"),
           Query(by(ONE, rate("process_cpu_seconds_total"))),
           Query(f"time() - max by ({ONE}) ({gauge('process_start_time_seconds')})")],
          {"namespace": "Namespace", "instance": "Instance", "version": "Version", "A": "Up", "B": "Configuration", "C": "Memory",
           "D": "CPU", "E": "Age"},
          {"Memory": "bytes", "CPU": "suffix: cores", "Age": "s"}, width=24),
))

STORAGE = Row("Redis and records", (
    states("Redis", "Down: what is shared is local, and no request waits for it.",
           Query(f"min by (server) ({gauge('sluice_redis_up')})", "{{server}}"), {0: ("down", RED), 1: ("up", GREEN)}, width=6),
    graph("Redis calls and failures", "ops", "Commands, and those that got no good reply.",
          Query(by("server", rate("sluice_redis_calls_total")), "{{server}}"),
          Query(by("server, reason", rate("sluice_redis_failures_total")), "{{server}}: {{reason}}"), width=6),
    graph("Redis p99", "s", "From sending a command to its reply.",
          Query(quantile(0.99, "sluice_redis_latency_seconds", labels="server"), "{{server}}"), width=6),
    graph("Records", "ops", "What became of them; dropped ones are lost.",
          Query(by("event", rate("sluice_records_total")), "{{event}}"), width=6),
), collapsed=True)

TELEMETRY = Row("Telemetry itself", (
    graph("Lines that could not be logged", "ops", "The disk, or whatever reads standard output, is too slow.",
          Query(by(ONE, rate("sluice_log_dropped_lines_total")), EACH)),
    graph("Series of each process", "none", "What a scrape brought. More than a few thousand: look at the models.",
          Query(by(ONE, gauge("scrape_samples_scraped")), EACH)),
    states("Receivers of telemetry", "Where metrics, traces or logs are pushed to: whether the last message was accepted.",
           Query(f"min by (namespace, instance, receiver) ({gauge('sluice_push_up')})", EACH + " {{receiver}}"),
           {0: ("failing", RED), 1: ("accepted", GREEN)}),
    graph("Telemetry that was dropped", "ops", "Samples, spans and log lines that a receiver did not get.",
          Query(by("receiver, reason", rate("sluice_push_dropped_total")), "{{receiver}}: {{reason}}")),
    graph("Audit log", "none", "Events that wait to be written, and those that were lost in a second.",
          Query(by(ONE, gauge("sluice_audit_waiting_events")), "waiting: " + EACH),
          Query(by(ONE, rate("sluice_audit_lost_events_total")), "lost: " + EACH)),
    graph("Duration of a scrape", "s", "As Prometheus sees it.", Query(f"max by ({ONE}) ({gauge('scrape_duration_seconds')})", EACH)),
), collapsed=True)

FLEET_ROWS = [FLEET, STORAGE, TELEMETRY]
