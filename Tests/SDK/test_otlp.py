"""Traces, metrics and logs as an OpenTelemetry receiver gets them, decoded with the protocol's own messages."""

import re
import socket
import time

import httpx2
import openai
import pytest

from otlp_receiver import Receiver, attributes
from processes import APPLICATION_KEY, MARK, Mock, Sluice

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
# Nowhere else than in what is asked and answered.
WORD = "marmalade"
ASK = [{"role": "user", "content": f"{WORD} my key is sk-live-{WORD}-0123456789abcdef"}]
TRIED = ("status=503", "")


def trace_id(number: int) -> str:
    return f"{TRACE[:-4]}{number:04x}"


def parent(number: int, flags: str = "01") -> dict:
    return {"traceparent": f"00-{trace_id(number)}-{CALLER}-{flags}"}


class World:
    """Two mocks, a receiver, and one Sluice between them."""

    def __init__(self, receiver: Receiver | None = None, environment=None, otlp=None, traces=None, telemetry=None, **configuration):
        self.receiver = receiver or Receiver()
        self.mocks = {name: Mock() for name in ("one", "two")}
        target = lambda place, words: {
            "provider": ("one", "two")[place], "upstream_model": f"m-{place}+{words}".rstrip("+"), "priority": place}
        self.sluice = Sluice(
            environment=environment,
            providers={name: mock.provider() for name, mock in self.mocks.items()},
            models={
                "well": {"targets": [target(0, "tokens=12")]}, "ill": {"targets": [target(0, "status=400")]},
                "falls": {"targets": [target(0, "status=500"), target(1, "")]},
                "fails": {"targets": [target(0, "status=500"), target(1, "status=500")]},
                "cut": {"targets": [target(0, "tokens=30+cut=0.6")]},
            },
            telemetry={
                "otlp": {"url": self.receiver.url, "batch_age_ms": 100, "metrics_interval_ms": 1000, "timeout_ms": 2000, **(otlp or {})},
                "traces": traces or {}, **(telemetry or {})},
            retries={"attempts_max": 2, "backoff_base_ms": 1}, workers=2, **configuration)
        self.client = openai.OpenAI(base_url=self.sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0, timeout=20)
        # Telemetry has a thread of its own, which begins a moment after the process says that it is ready.
        deadline = time.monotonic() + 10
        while "sluice_push_waiting_bytes" not in httpx2.get(self.sluice.admin + "/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def ask(self, model: str, **members):
        return self.client.chat.completions.with_raw_response.create(model=model, messages=ASK, **members)

    def metric(self, pattern: str) -> float:
        """The sum of the samples of /metrics whose lines begin so."""
        text = httpx2.get(self.sluice.admin + "/metrics").raise_for_status().text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(pattern, line))

    def end(self):
        self.client.close()
        for program in (self.sluice, *self.mocks.values()):
            program.end()
        self.receiver.end()


@pytest.fixture(scope="module")
def world():
    world = World(otlp={"logs": True})
    yield world
    world.end()


# MARK: Traces


def test_a_fallback_is_a_span_and_an_attempt_each_beneath_it(world):
    raw = world.ask("falls", extra_headers=parent(1))
    server, first, second = world.receiver.trace(trace_id(1), 3)
    assert (server.parent, first.parent, second.parent) == (CALLER, server.id, server.id)
    assert len({server.id, first.id, second.id, CALLER}) == 4
    assert (server.is_server, first.message.kind, second.message.kind) == (True, 3, 3)
    assert server.message.name == "chat falls"
    assert [first.message.name, second.message.name] == ["chat m-0+status=500", "chat m-1"]
    assert [server.has_failed, first.has_failed, second.has_failed] == [False, True, False]

    about = server.attributes
    assert about["gen_ai.operation.name"] == "chat" and about["gen_ai.request.model"] == "falls"
    assert about["gen_ai.provider.name"] == "two" and about["http.response.status_code"] == 200
    assert about["http.route"] == "/v1/chat/completions" and about["http.request.method"] == "POST"
    assert about["sluice.request.id"] == raw.headers["x-request-id"] and about["sluice.upstream.attempts"] == 2
    usage = raw.parse().usage
    assert about["gen_ai.usage.input_tokens"] == usage.prompt_tokens
    assert about["gen_ai.usage.output_tokens"] == usage.completion_tokens
    assert about["gen_ai.response.id"] == raw.parse().id
    assert about["gen_ai.response.finish_reasons"] == ["stop"]
    assert "gen_ai.request.stream" not in about and "error.type" not in about

    failed, answered = first.attributes, second.attributes
    assert failed["error.type"] == "provider_server_error" and failed["http.response.status_code"] == 500
    assert failed["gen_ai.provider.name"] == "one" and answered["gen_ai.provider.name"] == "two"
    assert answered["http.response.status_code"] == 200 and answered["http.request.resend_count"] == 1
    for span, mock in ((first, "one"), (second, "two")):
        assert f"http://{span.attributes['server.address']}:{span.attributes['server.port']}" == world.mocks[mock].url

    # Everything lies within the request, and the second attempt after the first.
    spans = [span.message for span in (server, first, second)]
    assert spans[0].start_time_unix_nano <= spans[1].start_time_unix_nano <= spans[1].end_time_unix_nano
    assert spans[1].end_time_unix_nano <= spans[2].start_time_unix_nano <= spans[2].end_time_unix_nano
    assert spans[2].end_time_unix_nano <= spans[0].end_time_unix_nano
    assert abs(spans[0].end_time_unix_nano / 1e9 - time.time()) < 60

    assert server.events == [
        ("sluice.fallback", {"error.type": "provider_server_error", "sluice.from": "one/m-0+status=500", "sluice.to": "two/m-1"})]
    assert server.resource["service.name"] == "sluice" and server.resource["service.instance.id"]


def test_a_provider_is_told_of_the_attempt_and_the_application_of_the_request(world):
    raw = world.ask("falls", extra_headers={**parent(2), "tracestate": "rojo=1,congo=2"})
    server, first, second = world.receiver.trace(trace_id(2), 3)
    for mock, span in (("one", first), ("two", second)):
        seen = httpx2.get(world.mocks[mock].url + "/mock/requests").json()["requests"]
        told = [request["headers"] for request in seen if trace_id(2) in str(request["headers"])]
        told = [{name.lower(): value for name, value in headers} if isinstance(headers, list) else headers for headers in told]
        assert [headers["traceparent"] for headers in told] == [f"00-{trace_id(2)}-{span.id}-01"]
        assert [headers["tracestate"] for headers in told] == ["rojo=1,congo=2"]
    assert raw.headers["traceparent"] == f"00-{trace_id(2)}-{server.id}-01"
    assert server.message.trace_state == "rojo=1,congo=2"


@pytest.mark.parametrize("bad", ["00-" + "0" * 32 + f"-{CALLER}-01", f"ff-{TRACE}-{CALLER}-01", "nonsense", f"00-{TRACE.upper()}-{CALLER}-01"])
def test_a_trace_begins_here_where_there_is_none(world, bad):
    raw = world.ask("well", extra_headers={"traceparent": bad, "tracestate": "rojo=1"})
    told = raw.headers["traceparent"].split("-")
    assert told[1] not in bad and told[1] != "0" * 32
    server, _ = world.receiver.trace(told[1], 2)
    assert server.parent == "" and server.message.trace_state == ""


def test_a_stream_tells_when_it_began_and_why_it_ended(world):
    stream = world.ask("well", stream=True, stream_options={"include_usage": True}, extra_headers=parent(3))
    chunks = list(stream.parse())
    server, attempt = world.receiver.trace(trace_id(3), 2)
    for span in (server, attempt):
        about = span.attributes
        assert about["gen_ai.request.stream"] is True
        assert 0 < about["gen_ai.response.time_to_first_chunk"] <= span.seconds
        assert about["gen_ai.response.id"] == chunks[0].id
        assert about["gen_ai.response.finish_reasons"] == ["stop"]
        assert about["gen_ai.usage.output_tokens"] == chunks[-1].usage.completion_tokens
    assert server.attributes["sluice.stream.end"] == "complete"


def test_a_stream_that_is_cut_is_a_failure_with_an_event(world):
    with pytest.raises(openai.APIError):
        list(world.ask("cut", stream=True, extra_headers=parent(4)).parse())
    server, attempt = world.receiver.trace(trace_id(4), 2)
    assert server.has_failed and attempt.has_failed
    assert ("sluice.stream.cut", {"sluice.stream.end": "truncated"}) in server.events
    assert server.attributes["error.type"] == attempt.attributes["error.type"] == "provider_truncated"


def test_what_the_caller_does_not_sample_is_exported_only_where_it_failed(world):
    world.ask("well", extra_headers=parent(5, "00"))
    # What the provider refuses to this caller is the caller's own.
    with pytest.raises(openai.BadRequestError):
        world.ask("ill", extra_headers=parent(6, "00"))
    with pytest.raises(openai.InternalServerError):
        world.ask("fails", extra_headers=parent(7, "00"))
    spans = world.receiver.trace(trace_id(7), 3)
    assert spans[0].has_failed and spans[0].attributes["http.response.status_code"] >= 500
    # Spans go out in their order on each worker; a sampled one of each worker has come after those.
    assert not [span for span in world.receiver.spans if span.trace in (trace_id(5), trace_id(6))]


def test_nothing_of_what_was_said_and_no_key_is_exported(world):
    world.ask("well", extra_headers=parent(8))
    world.receiver.trace(trace_id(8), 2)
    everything = world.receiver.everything
    assert WORD.encode() not in everything
    assert MARK.encode() not in everything


# MARK: Logs


def test_log_lines_are_records_of_the_trace(world):
    raw = world.ask("well", extra_headers=parent(9))
    server, _ = world.receiver.trace(trace_id(9), 2)
    record, = world.receiver.wait(
        lambda: [
            record for record in world.receiver.records
            if attributes(record.attributes).get("http.request.id") == raw.headers["x-request-id"]], "log record")
    assert record.trace_id.hex() == trace_id(9) and record.span_id.hex() == server.id
    assert record.body.string_value == "exchange"
    assert (record.severity_number, record.severity_text) == (9, "INFO")
    assert abs(record.time_unix_nano / 1e9 - time.time()) < 60
    about = attributes(record.attributes)
    assert about["http.response.status_code"] == 200 and about["gen_ai.request.model"] == "well"
    line = world.sluice.log(message="exchange", http__request__id=raw.headers["x-request-id"])
    assert (line["trace.id"], line["span.id"]) == (trace_id(9), server.id)


# MARK: Metrics


def points(message) -> dict:
    """Name and attributes to what was counted."""
    found = {}
    for part in message.resource_metrics:
        for metric in (metric for scope in part.scope_metrics for metric in scope.metrics):
            data = getattr(metric, metric.WhichOneof("data"))
            if metric.WhichOneof("data") != "gauge":
                assert data.aggregation_temporality == 2, metric.name
            for point in data.data_points:
                key = (metric.name, tuple(sorted(attributes(point.attributes).items())))
                assert key not in found, key
                found[key] = (metric, point)
    return found


def test_metrics_are_those_that_are_scraped(world):
    world.ask("well")
    before = time.time_ns()
    found = world.receiver.wait(
        lambda: [
            points for points in map(points, world.receiver.taken("/v1/metrics"))
            if any(point.time_unix_nano > before for _, point in points.values())], "metrics")[-1]
    text = httpx2.get(world.sluice.admin + "/metrics").text

    def scraped(name: str, labels: dict) -> float:
        for line in text.splitlines():
            if line.startswith(name + "{") and set(re.findall(r'(\w+)="([^"]*)"', line)) >= set(labels.items()):
                return float(line.split("} ")[1].split(" ")[0])
        raise KeyError((name, labels))

    requests = {key: point for key, (metric, point) in found.items() if key[0] == "sluice_requests"}
    assert requests
    for (name, labels), point in requests.items():
        spelled = {key.replace(".", "_"): value for key, value in labels}
        assert point.as_double == scraped("sluice_requests_total", spelled)
        assert point.start_time_unix_nano < point.time_unix_nano
    tokens = {key: (metric, point) for key, (metric, point) in found.items() if key[0] == "gen_ai.client.token.usage"}
    assert tokens
    for (name, labels), (metric, point) in tokens.items():
        assert metric.unit == "{token}"
        spelled = {key.replace(".", "_"): value for key, value in labels}
        assert point.count == sum(point.bucket_counts) == scraped("gen_ai_client_token_usage_count", spelled)
        assert point.sum == scraped("gen_ai_client_token_usage_sum", spelled)
        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
        total = 0
        for bound, count in zip(point.explicit_bounds, point.bucket_counts):
            total += count
            assert total == scraped("gen_ai_client_token_usage_bucket", {**spelled, "le": f"{bound:.1f}"})
    durations = [metric for (name, _), (metric, _) in found.items() if name == "gen_ai.server.request.duration"]
    assert durations and all(metric.unit == "s" for metric in durations)


# MARK: Settings


def test_bodies_are_exported_where_that_was_asked_for_without_what_unlocks():
    world = World(traces={"bodies": "redacted", "propagate": False, "reply_header": False, "body_bytes_max": 256})
    try:
        raw = world.ask("well", extra_headers=parent(10))
        server, attempt = world.receiver.trace(trace_id(10), 2)
        assert WORD in server.attributes["sluice.request.body"]
        assert WORD not in attempt.attributes.get("sluice.request.body", "")
        assert "[redacted:" in server.attributes["sluice.request.body"]
        assert f"sk-live-{WORD}" not in str(server.attributes)
        assert "choices" in server.attributes["sluice.response.body"]
        assert len(server.attributes["sluice.response.body"].encode()) <= 256
        assert "traceparent" not in raw.headers
        seen = str(httpx2.get(world.mocks["one"].url + "/mock/requests").json())
        assert trace_id(10) not in seen and "traceparent" not in seen
    finally:
        world.end()


def test_variables_say_what_the_section_does_not():
    receiver = Receiver()
    mock = Mock()
    sluice = None
    try:
        sluice = Sluice(
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b,authorization=Bearer%20t",
                "OTEL_SERVICE_NAME": "gateway", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test,service.name=other",
                "POD_NAME": "sluice-7"},
            providers={"mock": mock.provider()}, telemetry={"otlp": {"batch_age_ms": 100, "metrics": False}, "traces": {"ratio": 0}})
        reply = httpx2.post(
            sluice.url + "/v1/chat/completions", headers=parent(11), json={"model": "m", "messages": ASK}).raise_for_status()
        assert reply.headers["traceparent"].endswith("-01")
        server, _ = receiver.trace(trace_id(11), 2)
        assert server.resource["service.name"] == "gateway"
        assert server.resource["deployment.environment"] == "test"
        assert server.resource["k8s.pod.name"] == "sluice-7"
        fields = {name.lower(): value for name, value in receiver.requests[0][1].items()}
        assert fields["x-tenant"] == "a b" and fields["authorization"] == "Bearer t"
        assert fields["content-type"] == "application/x-protobuf"
        # By the ratio none is sampled that begins here.
        reply = httpx2.post(sluice.url + "/v1/chat/completions", json={"model": "m", "messages": ASK}).raise_for_status()
        assert reply.headers["traceparent"].endswith("-00")
    finally:
        for program in (sluice, mock):
            if program:
                program.end()
        receiver.end()


# MARK: Receivers in trouble


def test_a_receiver_that_says_later_gets_it_later_and_one_that_refuses_does_not():
    world = World(otlp={"metrics": False})
    try:
        world.receiver.answers = [(503, {"retry-after": "1"})]
        world.ask("well", extra_headers=parent(12))
        spans = world.receiver.trace(trace_id(12), 2)
        assert len(spans) == 2
        world.receiver.answers = [(400, {})]
        world.ask("well", extra_headers=parent(13))
        world.receiver.wait(lambda: [1 for _, fields, _, _ in world.receiver.requests if fields[":status"] == 400], "refusal")
        world.receiver.refuses = 1
        world.ask("well", extra_headers=parent(14))
        world.receiver.trace(trace_id(14), 2)
        deadline = time.monotonic() + 10
        # Two were refused with their message, and one of the next.
        while world.metric(r'sluice_push_dropped_total{receiver="otlp",reason="refused"}') != 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not [span for span in world.receiver.spans if span.trace == trace_id(13)]
    finally:
        world.end()


@pytest.mark.parametrize("kind", ["dead", "silent"])
def test_a_receiver_in_trouble_changes_nothing_for_requests(kind):
    receiver = Receiver(delay=60 if kind == "silent" else 0)
    if kind == "dead":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
    else:
        url = receiver.url
    world = World(receiver, otlp={"url": url, "timeout_ms": 500, "queue_bytes_max": 65_536, "logs": True})
    try:
        for number in range(150):
            begin = time.monotonic()
            world.ask("well", extra_headers=parent(1000 + number))
            assert time.monotonic() - begin < 5
        deadline = time.monotonic() + 15
        # More than may wait, and what is waited for is bounded.
        while world.metric(r'sluice_push_dropped_total{receiver="otlp",reason="full"}') == 0:
            assert time.monotonic() < deadline
            world.ask("well")
        assert world.metric(r'sluice_push_waiting_bytes{receiver="otlp"}') <= 65_536
        begin = time.monotonic()
        world.sluice.end()
        assert time.monotonic() - begin < 10
    finally:
        world.end()


def test_the_end_of_the_process_sends_what_waits():
    receiver = Receiver()
    world = World(receiver, otlp={"batch_age_ms": 60_000, "metrics_interval_ms": 3_600_000, "logs": True})
    try:
        raw = world.ask("well", extra_headers=parent(15))
        assert receiver.requests == []
        world.sluice.end()
        assert len([span for span in receiver.spans if span.trace == trace_id(15)]) == 2
        counted = [point for (name, labels), (_, point) in points(receiver.taken("/v1/metrics")[-1]).items() if name == "sluice_requests"]
        assert sum(point.as_double for point in counted) >= 1
        ids = [attributes(record.attributes).get("http.request.id") for record in receiver.records]
        assert raw.headers["x-request-id"] in ids
        # Lines about the process as well.
        assert any(record.body.string_value == "draining" for record in receiver.records)
    finally:
        world.end()
