"""A receiver of OTLP over HTTP, which decodes what it gets with the protocol's own messages."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest, ExportMetricsServiceResponse)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

PATIENCE = 20
KINDS = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
    "/v1/logs": (ExportLogsServiceRequest, ExportLogsServiceResponse),
}


def plain(value):
    """What an `AnyValue` holds."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(element) for element in value.array_value.values]
    return getattr(value, kind)


def attributes(pairs) -> dict:
    found = {pair.key: plain(pair.value) for pair in pairs}
    assert len(found) == len(pairs), f"a key comes twice: {sorted(pair.key for pair in pairs)}"
    return found


@dataclass
class Span:
    """A span as tests like it."""

    message: object
    resource: dict

    @property
    def attributes(self) -> dict:
        return attributes(self.message.attributes)

    @property
    def events(self) -> list[tuple[str, dict]]:
        return [(event.name, attributes(event.attributes)) for event in self.message.events]

    @property
    def trace(self) -> str:
        return self.message.trace_id.hex()

    @property
    def id(self) -> str:
        return self.message.span_id.hex()

    @property
    def parent(self) -> str:
        return self.message.parent_span_id.hex()

    @property
    def is_server(self) -> bool:
        return self.message.kind == 2

    @property
    def has_failed(self) -> bool:
        return self.message.status.code == 2

    @property
    def seconds(self) -> float:
        return (self.message.end_time_unix_nano - self.message.start_time_unix_nano) / 1e9


class Receiver:
    """Takes what it is sent; `answers` says what the next requests get instead: a status and fields, in order."""

    def __init__(self, delay: float = 0):
        self.changed = threading.Condition()
        self.requests: list[tuple[str, dict, bytes, object]] = []
        self.answers: list[tuple[int, dict]] = []
        self.refuses = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.closing.wait(delay)
                status, fields, reply = receiver.take(self.path, dict(self.headers), body)
                try:
                    self.send_response(status)
                    for name, value in fields.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(reply)))
                    self.end_headers()
                    self.wfile.write(reply)
                except OSError:
                    pass

            def log_message(self, *arguments):
                pass

        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path: str, fields: dict, body: bytes) -> tuple[int, dict, bytes]:
        request, response = KINDS[path]
        with self.changed:
            status, more = self.answers.pop(0) if self.answers else (200, {})
            reply = response()
            if status == 200 and self.refuses:
                name = {"/v1/traces": "rejected_spans", "/v1/metrics": "rejected_data_points", "/v1/logs": "rejected_log_records"}[path]
                setattr(reply.partial_success, name, self.refuses)
                reply.partial_success.error_message = "too many"
            self.requests.append((path, {**fields, ":status": status}, body, request.FromString(body)))
            self.changed.notify_all()
        return status, {"content-type": "application/x-protobuf", **more}, reply.SerializeToString()

    def wait(self, found, what: str):
        """Waits until `found` finds something."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while not (result := found()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"the receiver got no {what}, but {[(path, len(body)) for path, _, body, _ in self.requests]}")
                self.changed.wait(min(left, 0.2))
            return result

    def taken(self, path: str) -> list:
        with self.changed:
            return [message for at, fields, _, message in self.requests if at == path and fields[":status"] == 200]

    @property
    def spans(self) -> list[Span]:
        return [
            Span(span, attributes(part.resource.attributes)) for message in self.taken("/v1/traces")
            for part in message.resource_spans for scope in part.scope_spans for span in scope.spans]

    def trace(self, trace_id: str, count: int) -> list[Span]:
        """The spans of a trace, the server's first, then the attempts' as they began."""

        def found():
            spans = [span for span in self.spans if span.trace == trace_id]
            return spans if len(spans) >= count else None

        spans = self.wait(found, f"{count} spans of {trace_id}")
        assert len(spans) == count, [span.message.name for span in spans]
        return sorted(spans, key=lambda span: (not span.is_server, span.message.start_time_unix_nano))

    @property
    def records(self) -> list:
        return [
            record for message in self.taken("/v1/logs") for part in message.resource_logs for scope in part.scope_logs
            for record in scope.log_records]

    @property
    def everything(self) -> bytes:
        with self.changed:
            return b"".join(body for _, _, body, _ in self.requests)

    def end(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)
