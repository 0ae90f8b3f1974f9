"""An API server as far as the injector needs one: one Secret, one webhook configuration, tokens, versions, and faults."""

import base64
import copy
import http.client
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonpatch

TOKEN = "token-of-the-injector-that-is-long-enough"
SECRET = "/api/v1/namespaces/sluice-system/secrets/sluice-injector-certificates"
WEBHOOK = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sluice-injector"
HOST = "sluice-injector.sluice-system.svc"


class Cluster:
    """Holds two objects; whatever else is asked for is refused, as the injector's role has it, and noted."""

    def __init__(self, certificate, webhook: dict, secret: dict):
        self.lock = threading.RLock()
        self.version = 100
        self.objects = {SECRET: self._stored(secret), WEBHOOK: self._stored(webhook)}
        self.tokens = {TOKEN}
        self.asked: list[tuple[str, str, int]] = []
        self.before = lambda method, path: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(*outer.answer(self, b""))

            def do_PATCH(self):
                self.answer(*outer.answer(self, self.rfile.read(int(self.headers.get("content-length", 0)))))

            do_POST = do_PUT = do_DELETE = do_PATCH

            def answer(self, status, body):
                text = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a connection that ended

            def finish_request(self, request, address):
                # On the connection's own thread: a slow handshake is nobody else's affair.
                request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def _stored(self, thing: dict) -> dict:
        self.version += 1
        thing = copy.deepcopy(thing)
        thing.setdefault("metadata", {})["resourceVersion"] = str(self.version)
        return thing

    def answer(self, request, body: bytes) -> tuple[int, dict]:
        method, path = request.command, request.path
        fault = self.before(method, path)
        status, reply = fault or self._answer(method, path, request.headers, body)
        with self.lock:
            self.asked.append((method, path, status))
        return status, reply

    def _answer(self, method, path, headers, body):
        def status(code, reason):
            return code, {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": reason}

        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return status(401, "Unauthorized")
        if path not in self.objects or method not in ("GET", "PATCH"):
            return status(403, "Forbidden")
        with self.lock:
            stored = self.objects[path]
            if method == "GET":
                return 200, stored
            patch = json.loads(body)
            match headers.get("content-type"):
                case "application/merge-patch+json":
                    changed = merged(copy.deepcopy(stored), patch)
                case "application/json-patch+json":
                    try:
                        changed = jsonpatch.apply_patch(copy.deepcopy(stored), patch)
                    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
                        return status(422, "Invalid")
                case _:
                    return status(415, "UnsupportedMediaType")
            if changed["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]:
                return status(409, "Conflict")
            self.objects[path] = self._stored(changed)
            return 200, self.objects[path]

    # What tests ask for

    def count(self, method: str, path: str, status: int = 200) -> int:
        with self.lock:
            return self.asked.count((method, path, status))

    @property
    def data(self) -> dict[str, bytes]:
        with self.lock:
            return {key: base64.b64decode(value) for key, value in (self.objects[SECRET].get("data") or {}).items()}

    @property
    def bundles(self) -> list[str]:
        """`caBundle` of each webhook, as PEM texts."""
        with self.lock:
            return [
                base64.b64decode(webhook["clientConfig"].get("caBundle", "")).decode()
                for webhook in self.objects[WEBHOOK]["webhooks"]
            ]

    def change(self, path: str, change) -> None:
        """Changes an object as somebody else would."""
        with self.lock:
            thing = copy.deepcopy(self.objects[path])
            change(thing)
            self.objects[path] = self._stored(thing)


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merged(target.get(key), value)
    return target


class Caller:
    """Calls a webhook as an API server does: over TLS, with the authorities that its configuration has, by the Service's name."""

    def __init__(self, port: int, authorities: str, host: str = HOST):
        context = ssl.create_default_context(cadata=authorities)
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname=host)
        self.certificate = self.socket.getpeercert(binary_form=True)
        self.issuer = dict(part[0] for part in self.socket.getpeercert()["issuer"])["commonName"]
        self.connection = http.client.HTTPConnection(host, timeout=10)
        self.connection.sock = self.socket

    def post(self, body, path: str = "/inject", **fields) -> tuple[int, dict]:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request("POST", path, body, {"content-type": "application/json", **fields})
        reply = self.connection.getresponse()
        return reply.status, json.loads(reply.read())

    def close(self):
        self.connection.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
