"""A server that knows about identities, as honest or as hostile as a test wants it; and tokens of every kind."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey


class IdentityServer:
    """Answers paths as `answers` says: bytes, JSON, or a function of the request's body and fields. Counts questions."""

    def __init__(self):
        self.answers = {}
        self.asked: dict[str, int] = {}
        self.heard: list[tuple[str, str, dict]] = []
        self.gate = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer("")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("content-length", 0))).decode())

            def answer(self, body):
                outer.asked[self.path] = outer.asked.get(self.path, 0) + 1
                outer.heard.append((self.path, body, dict(self.headers)))
                answer = outer.answers.get(self.path)
                status, fields = 200, {}
                if callable(answer):
                    answer = answer(body, dict(self.headers))
                if isinstance(answer, tuple):
                    status, answer, fields = answer
                if answer is None:
                    status, answer = 404, b""
                if not isinstance(answer, bytes):
                    answer = json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-length", str(len(answer)))
                    for name, value in fields.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hang(self, *_):
        self.gate.wait(20)
        return b""

    def end(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


KINDS = {
    "RS256": lambda: RSAKey.generate_key(2048), "RS384": lambda: RSAKey.generate_key(2048),
    "RS512": lambda: RSAKey.generate_key(2048), "PS256": lambda: RSAKey.generate_key(2048),
    "PS384": lambda: RSAKey.generate_key(2048), "PS512": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"), "ES384": lambda: ECKey.generate_key("P-384"),
    "ES512": lambda: ECKey.generate_key("P-521"), "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class Issuer:
    """Signs tokens, and publishes what verifies them at a server."""

    def __init__(self, server: IdentityServer, path: str = "/jwks"):
        self.server, self.path = server, path
        self.name = server.url
        self.keys = {}
        self.add("ES256")

    def add(self, algorithm: str, kid: str | None = None):
        self.keys[kid or algorithm] = (algorithm, KINDS[algorithm]())
        self.publish()

    def publish(self):
        self.server.answers[self.path] = {"keys": [
            {**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, (_, key) in self.keys.items()
        ]}

    def claims(self, **changes):
        now = int(time.time())
        claims = {"iss": self.name, "aud": "sluice", "sub": "ada", "iat": now, "exp": now + 300, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid: str = "ES256", header: dict | None = None, **changes) -> str:
        algorithm, key = self.keys[kid]
        return jwt.encode(
            {"alg": algorithm, "kid": kid, **(header or {})}, self.claims(**changes), key, algorithms=[algorithm])

    def hmac_token(self, secret: bytes, **changes) -> str:
        return jwt.encode({"alg": "HS256"}, self.claims(**changes), OctKey.import_key(secret), algorithms=["HS256"])

    def unsigned(self, **changes) -> str:
        return f'{encode({"alg": "none"})}.{encode(self.claims(**changes))}.'

    def configuration(self, **members) -> dict:
        return {
            "issuer": self.name, "audiences": ["sluice"], "jwks_url": self.server.url + self.path, "default_roles": ["app"],
            "timeout_ms": 1000, **members,
        }


def encode(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
