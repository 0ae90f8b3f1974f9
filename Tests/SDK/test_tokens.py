"""Applications that show tokens of somebody's, certificates, or service accounts: with OpenAI's SDK, and a real OpenID provider."""

import base64
import json
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest

from identity_server import IdentityServer, Issuer, KINDS
from processes import Program, Sluice
from samples import HELLO

MODEL = "gpt-mock"


@pytest.fixture(scope="module")
def server():
    server = IdentityServer()
    yield server
    server.end()


@pytest.fixture(scope="module")
def issuer(server):
    return Issuer(server)


def started(mock, access, **members):
    return Sluice(providers={"mock": mock.provider()}, access={"failures_per_minute": 100000, **access}, **members)


@pytest.fixture(scope="module")
def guarded(mock, server, issuer):
    secret = "a secret of 32 bytes or more, hush"
    server.answers["/dead"] = server.hang
    server.answers["/huge"] = b'{"keys":[' + b" " * 10_000_000 + b"]}"
    other = {"audiences": ["sluice"], "default_roles": ["app"], "timeout_ms": 300}
    program = started(mock, {
        "jwt": [
            issuer.configuration(unknown_key_interval_ms=1000),
            {"issuer": "shared", "secret": secret, **other},
            {"issuer": "dead", "jwks_url": server.url + "/dead", **other},
            {"issuer": "huge", "jwks_url": server.url + "/huge", **other},
            {"issuer": "absent", "jwks_url": server.url + "/nothing", **other},
        ],
    })
    program.secret = secret.encode()
    yield program
    program.end()


def ask(program, token, model=MODEL, **more):
    with openai.OpenAI(base_url=program.url + "/v1", api_key=token, max_retries=0, **more) as client:
        return client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content


def refused(program, token, status=401, **more):
    with pytest.raises(openai.APIStatusError) as caught:
        ask(program, token, **more)
    assert caught.value.status_code == status, caught.value.body
    return caught.value


# Signatures


@pytest.mark.parametrize("algorithm", KINDS)
def test_every_algorithm_is_verified(guarded, issuer, algorithm):
    if algorithm not in issuer.keys:
        issuer.add(algorithm)
        time.sleep(1.1)  # keys are asked for once a second here
    assert ask(guarded, issuer.token(algorithm))
    refused(guarded, issuer.token(algorithm)[:-8] + "AAAAAAAA")


def test_a_shared_secret_is_one_of_hs256(guarded, issuer):
    assert ask(guarded, issuer.hmac_token(guarded.secret, iss="shared"))
    refused(guarded, issuer.hmac_token(b"another secret of 32 bytes and more", iss="shared"))


def test_a_token_is_logged_as_whom_it_is_of(guarded, issuer):
    assert ask(guarded, issuer.token(sub="grace"))
    entry = guarded.log(sluice__principal=f"jwt:{issuer.name}#grace")
    assert entry["user.id"] == "grace" and entry["http.response.status_code"] == 200


# Attacks


def attacks():
    return {
        "none": lambda issuer: issuer.unsigned(),
        "expired": lambda issuer: issuer.token(exp=int(time.time()) - 61),
        "not yet": lambda issuer: issuer.token(nbf=int(time.time()) + 120),
        "issued in the future": lambda issuer: issuer.token(iat=int(time.time()) + 120),
        "another audience": lambda issuer: issuer.token(aud="somebody else"),
        "no audience": lambda issuer: issuer.token(aud=None),
        "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
        "another known issuer": lambda issuer: issuer.token(iss="shared"),
        "no expiry": lambda issuer: issuer.token(exp=None),
        "nobody": lambda issuer: issuer.token(sub=None),
        "crit": lambda issuer: issuer.token(header={"crit": ["b64"], "b64": True}),
        "huge": lambda issuer: issuer.token(x="x" * 20000),
        "truncated": lambda issuer: issuer.token()[:-20],
        "two dots": lambda issuer: "eyJ..",
    }


@pytest.mark.parametrize("attack", attacks())
def test_a_token_that_is_not_to_be_believed_is_refused(guarded, issuer, attack):
    error = refused(guarded, attacks()[attack](issuer))
    assert error.code == "invalid_api_key"
    assert 'error="invalid_token"' in error.response.headers["www-authenticate"]


def test_a_public_key_is_no_secret(guarded, issuer):
    if "RS256" not in issuer.keys:
        issuer.add("RS256")
    public = issuer.keys["RS256"][1].as_pem(private=False)
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"RS256"}').rstrip(b"=")
    import hashlib
    import hmac

    body = base64.urlsafe_b64encode(json.dumps(issuer.claims()).encode()).rstrip(b"=")
    for key in (public, public.rstrip(b"\n")):
        code = hmac.new(key, header + b"." + body, hashlib.sha256).digest()
        refused(guarded, (header + b"." + body + b"." + base64.urlsafe_b64encode(code).rstrip(b"=")).decode())


def test_a_key_that_comes_along_is_not_looked_at(guarded, server, issuer):
    thief = Issuer(server, "/thief")
    thief.name = issuer.name
    key = thief.keys["ES256"][1].as_dict(private=False)
    refused(guarded, thief.token(header={"jwk": key}))
    refused(guarded, thief.token(header={"jku": server.url + "/thief"}))
    assert server.asked.get("/thief", 0) == 0


def test_names_that_stand_twice_are_refused(guarded, issuer):
    algorithm, key = issuer.keys["ES256"]
    text = json.dumps(issuer.claims())[:-1] + ', "sub": "eve"}'
    from joserfc import jws

    token = jws.serialize_compact({"alg": algorithm, "kid": "ES256"}, text.encode(), key, algorithms=[algorithm])
    refused(guarded, token)


def test_a_forged_key_id_has_the_keys_fetched_once(guarded, server, issuer):
    ask(guarded, issuer.token())
    time.sleep(1.1)
    before = server.asked["/jwks"]
    with ThreadPoolExecutor(8) as pool:
        tokens = [issuer.token(header={"kid": f"made up {number}"}) for number in range(40)]
        list(pool.map(lambda token: refused(guarded, token), tokens))
    assert server.asked["/jwks"] - before <= 2


def test_only_the_field_counts(guarded, issuer):
    reply = httpx2.post(
        f"{guarded.url}/v1/chat/completions?access_token={issuer.token()}", json={"model": MODEL, "messages": HELLO})
    assert reply.status_code == 401 and "www-authenticate" in reply.headers


# Issuers that are slow, dead, or hostile


@pytest.mark.parametrize("name", ["dead", "huge", "absent"])
def test_an_issuer_that_fails_costs_only_its_own(guarded, issuer, name):
    token = issuer.token(iss=name)
    start = time.monotonic()
    error = refused(guarded, token, status=503)
    assert error.code == "identity_unavailable" and time.monotonic() - start < 5
    # It is left alone for a while: others are told at once.
    times = []
    for _ in range(5):
        start = time.monotonic()
        refused(guarded, token, status=503)
        times.append(time.monotonic() - start)
    assert sorted(times)[2] < 0.25, times
    assert ask(guarded, issuer.token())


def test_a_dead_issuer_does_not_hold_up_a_worker(mock, server, issuer):
    server.answers["/slow"] = server.hang
    program = started(
        mock, {"jwt": [
            issuer.configuration(),
            {**issuer.configuration(), "issuer": "slow", "jwks_url": server.url + "/slow", "timeout_ms": 3000},
        ]}, workers=1)
    ask(program, issuer.token())
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(refused, program, issuer.token(iss="slow", sub=str(number)), 503) for number in range(4)]
        time.sleep(0.3)
        start = time.monotonic()
        assert ask(program, issuer.token(sub="quick"))
        assert time.monotonic() - start < 1
        for wait in waiting:
            wait.result()
    assert server.asked["/slow"] == 1
    program.end()


def test_keys_are_rotated(mock):
    server = IdentityServer()
    issuer = Issuer(server)
    program = started(mock, {"jwt": [issuer.configuration(unknown_key_interval_ms=1000)]})
    old = issuer.token()
    assert ask(program, old)
    issuer.add("EdDSA", kid="new")
    assert ask(program, issuer.token("new"))
    assert ask(program, old)
    # Once the old key is gone, what was remembered of it is worth nothing.
    del issuer.keys["ES256"]
    issuer.add("ES256", kid="third")
    time.sleep(1.1)
    assert ask(program, issuer.token("third"))
    refused(program, old)
    program.end()
    server.end()


# OpenID Connect


@pytest.fixture(scope="module")
def openid():
    import threading
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    import oidc_provider_mock

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    application = oidc_provider_mock.app()
    httpd = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()


def test_an_openid_provider_s_users_are_known(mock, openid):
    with httpx2.Client(base_url=openid) as browser:
        query = {"client_id": "sluice-app", "redirect_uri": "http://localhost/back", "response_type": "code", "scope": "openid"}
        there = browser.post("/oauth2/authorize", params=query, data={"sub": "ada@example.com"})
        code = there.headers["location"].split("code=")[1].split("&")[0]
        reply = browser.post("/oauth2/token", data={
            "grant_type": "authorization_code", "code": code, "redirect_uri": query["redirect_uri"],
            "client_id": "sluice-app", "client_secret": "any"})
    token = reply.json()["id_token"]
    program = started(mock, {
        "oidc": [{"issuer": openid, "audiences": ["sluice-app"], "default_roles": ["app"]}],
    })
    assert ask(program, token)
    assert program.log(sluice__principal=f"jwt:{openid}#ada@example.com")
    header, payload, signature = token.split(".")
    refused(program, f"{header}.{payload}.{signature[:-4]}AAAA")
    program.end()
    elsewhere = started(mock, {"oidc": [{"issuer": openid, "audiences": ["another"], "default_roles": ["app"]}]})
    refused(elsewhere, token)
    elsewhere.end()


def test_a_provider_that_calls_itself_otherwise_is_not_believed(mock):
    server = IdentityServer()
    issuer = Issuer(server)
    server.answers["/.well-known/openid-configuration"] = {
        "issuer": "https://another.example", "jwks_uri": server.url + "/jwks"}
    program = started(mock, {"oidc": [{"issuer": server.url, "audiences": ["sluice"], "default_roles": ["app"]}]})
    refused(program, issuer.token(), status=503)
    assert server.asked.get("/jwks", 0) == 0
    program.end()
    server.end()


def test_a_redirect_leads_nowhere(mock):
    server = IdentityServer()
    issuer = Issuer(server, "/elsewhere")
    server.answers["/jwks"] = (302, b"", {"location": server.url + "/elsewhere"})
    program = started(mock, {"jwt": [{**issuer.configuration(), "jwks_url": server.url + "/jwks"}]})
    refused(program, issuer.token(), status=503)
    assert server.asked.get("/elsewhere", 0) == 0
    program.end()
    server.end()


# Introspection


@pytest.mark.parametrize("way", ["basic", "post"])
def test_an_authorization_server_is_asked_once(mock, way):
    server = IdentityServer()
    known = {"opaque-hush-1": {"active": True, "sub": "ada", "client_id": "app", "scope": "chat other"}}

    def introspect(body, fields):
        from urllib.parse import parse_qs

        form = parse_qs(body)
        if way == "basic":
            name, _, secret = base64.b64decode(fields["authorization"].split()[1]).decode().partition(":")
        else:
            name, secret = form["client_id"][0], form["client_secret"][0]
        if (name, secret) != ("sluice", "quite-hush"):
            return 401, b"{}", {}
        return known.get(form["token"][0], {"active": False})

    server.answers["/introspect"] = introspect
    program = started(mock, {"introspection": {
        "url": server.url + "/introspect", "client_id": "sluice", "client_secret": "quite-hush",
        "client_authentication": way, "scope_roles": {"chat": "app"}, "cache_ms": 60000, "negative_cache_ms": 60000,
    }}, workers=1)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: ask(program, "opaque-hush-1"), range(24)))
    assert server.asked["/introspect"] == 1
    for _ in range(3):
        refused(program, "opaque-hush-2")
    assert server.asked["/introspect"] == 2
    assert program.log(sluice__principal=f"oauth:{server.url}/introspect#ada")
    server.answers["/introspect"] = server.hang
    assert ask(program, "opaque-hush-1")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: refused(program, f"opaque-hush-3{number}", 503), range(3)))
    start = time.monotonic()
    refused(program, "opaque-hush-4", status=503)
    assert time.monotonic() - start < 0.5
    program.end()
    server.end()


# Sluice's own tokens


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_key_gives_a_short_lived_token(mock, tmp_path, algorithm):
    key = "an-application-s-own-key-of-some-length-hush"
    (tmp_path / "key").write_text(key)
    program = started(mock, {
        "keys": {"billing": {"secret": f"file:{tmp_path}/key", "roles": ["app"], "team": "money"}},
        "token_endpoint": {
            "algorithm": algorithm, "lifetime_ms": 60000, "requests_per_minute": 20,
            "clients": {"batch": {"secret": "sixteen-bytes-hush", "roles": ["app"]}},
        },
    })
    url = program.url + "/oauth/token"
    grant = {"grant_type": "client_credentials"}
    reply = httpx2.post(url, data=grant, auth=("billing", key))
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 60 and body["scope"] == "app"
    assert ask(program, body["access_token"])
    entry = program.log(sluice__principal="key:billing", url__path="/v1/chat/completions")
    assert entry["sluice.team"] == "money"
    # Whoever has the published keys can verify it too.
    from joserfc import jwk, jwt

    keys = jwk.KeySet.import_key_set(httpx2.get(program.url + "/.well-known/jwks.json").json())
    claims = jwt.decode(body["access_token"], keys, algorithms=[algorithm]).claims
    assert claims["iss"] == "sluice" and claims["aud"] == "sluice" and claims["sub"] == "key:billing"
    # A client of the configuration, in the form.
    own = httpx2.post(url, data={**grant, "client_id": "batch", "client_secret": "sixteen-bytes-hush"})
    assert ask(program, own.json()["access_token"])
    program.end()


def test_the_token_endpoint_s_errors_are_oauth_s(mock):
    program = started(mock, {"token_endpoint": {
        "requests_per_minute": 2, "clients": {"batch": {"secret": "sixteen-bytes-hush", "roles": ["app"]}}}})
    url = program.url + "/oauth/token"
    good = {"grant_type": "client_credentials", "client_id": "batch", "client_secret": "sixteen-bytes-hush"}

    def error(data, status, **more):
        reply = httpx2.post(url, data=data, **more)
        assert reply.status_code == status, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return reply.json()["error"]

    assert error({**good, "client_secret": "another"}, 401) == "invalid_client"
    assert error({**good, "client_id": "nobody"}, 401) == "invalid_client"
    assert error({"client_id": "batch"}, 400) == "invalid_request"
    assert error({**good, "grant_type": "password"}, 400) == "unsupported_grant_type"
    assert error({**good, "scope": "admin"}, 400) == "invalid_scope"
    assert error(good, 400, auth=("batch", "sixteen-bytes-hush")) == "invalid_request"
    token = httpx2.post(url, data=good).json()["access_token"]
    # A token is not given for another.
    assert error({**good, "client_id": "client:batch", "client_secret": token}, 401) == "invalid_client"
    assert httpx2.post(url, data=good).status_code == 200
    assert error(good, 429) == "temporarily_unavailable"
    assert httpx2.get(url).status_code == 405
    assert httpx2.post(url, content=json.dumps(good), headers={"content-type": "application/json"}).status_code == 400
    program.end()


# Certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority, two clients of it, and one of somebody else's."""
    folder = tmp_path_factory.mktemp("authority")

    def run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    def root(name):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")

    def client(name, signer, names, days="3"):
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage=clientAuth,serverAuth\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-CAcreateserial",
            "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    root("ca")
    root("other")
    client("server", "ca", "DNS:localhost,IP:127.0.0.1")
    client("spiffe", "ca", "URI:spiffe://example.org/ns/prod/sa/chat")
    client("dns", "ca", "DNS:worker-7.internal")
    client("stranger", "ca", "DNS:stranger.example")
    client("forged", "other", "URI:spiffe://example.org/ns/prod/sa/chat")
    return folder


@pytest.mark.parametrize("http2", [False, True])
def test_a_certificate_says_who_connects(mock, authority, http2):
    program = started(
        mock, {"mtls": {"rules": [
            {"uri": "spiffe://example.org/ns/prod/*", "roles": ["app"], "team": "chat"},
            {"dns": "worker-*.internal", "roles": ["app"], "user": "worker"},
        ]}},
        listeners=[{"address": "127.0.0.1:0", "tls": {
            "certificates": [{"certificate_file": str(authority / "server.pem"), "key_file": str(authority / "server.key")}],
            "client_ca_file": str(authority / "ca.pem"), "client_certificate": "optional"}}])
    url = program.address(scheme="https").replace("127.0.0.1", "localhost")

    def post(name):
        context = ssl.create_default_context(cafile=str(authority / "ca.pem"))
        if name:
            context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
        with httpx2.Client(verify=context, http2=http2, http1=not http2) as client:
            replies = [client.post(url + "/v1/chat/completions", json={"model": MODEL, "messages": HELLO}) for _ in range(2)]
        return replies[-1].status_code

    assert post("spiffe") == 200
    assert program.log(sluice__principal="cert:spiffe://example.org/ns/prod/sa/chat", sluice__team="chat")
    assert post("dns") == 200
    assert program.log(sluice__principal="cert:dns", user__id="worker")
    assert post("stranger") == 401
    assert post(None) == 401
    with pytest.raises(httpx2.TransportError):
        post("forged")
    program.end()


def test_a_resumed_session_has_its_certificate(mock, authority):
    import socket

    program = started(
        mock, {"mtls": {"rules": [{"uri": "spiffe://example.org/*", "roles": ["app"]}]}},
        listeners=[{"address": "127.0.0.1:0", "tls": {
            "certificates": [{"certificate_file": str(authority / "server.pem"), "key_file": str(authority / "server.key")}],
            "client_ca_file": str(authority / "ca.pem"), "client_certificate": "required"}}])
    port = int(program.address(scheme="https").rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=str(authority / "ca.pem"))
    context.load_cert_chain(authority / "spiffe.pem", authority / "spiffe.key")

    def get(session=None):
        with context.wrap_socket(
            socket.create_connection(("127.0.0.1", port)), server_hostname="localhost", session=session
        ) as connection:
            connection.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            reply = b""
            while piece := connection.recv(65536):
                reply += piece
            return reply.split()[1], connection.session, connection.session_reused

    status, session, reused = get()
    assert status == b"200" and not reused
    status, _, reused = get(session)
    assert status == b"200" and reused
    program.end()


# Kubernetes


@pytest.mark.parametrize("way", ["keys", "token_review"])
def test_a_service_account_is_known(mock, tmp_path, way):
    server = IdentityServer()
    issuer = Issuer(server, "/openid/v1/jwks")
    issuer.name = "https://kubernetes.default.svc.cluster.local"
    own = tmp_path / "token"
    own.write_text("the-pod-s-own-hush\n")

    def guarded(answer):
        return lambda body, fields: (
            answer(body) if fields.get("authorization") == "Bearer the-pod-s-own-hush" else (401, b"{}", {}))

    def review(body):
        spec = json.loads(body)["spec"]
        claims = json.loads(base64.urlsafe_b64decode(spec["token"].split(".")[1] + "=="))
        matching = [name for name in spec["audiences"] if name == claims["aud"]]
        return 201, {"kind": "TokenReview", "status": {
            "authenticated": bool(matching), "audiences": matching, "user": {"username": claims["sub"]}}}, {}

    keys = server.answers["/openid/v1/jwks"]
    server.answers["/openid/v1/jwks"] = guarded(lambda _: keys)
    server.answers["/.well-known/openid-configuration"] = guarded(
        lambda _: {"issuer": issuer.name, "jwks_uri": "https://10.0.0.1/openid/v1/jwks"})
    server.answers["/apis/authentication.k8s.io/v1/tokenreviews"] = guarded(review)
    program = started(mock, {"kubernetes": {
        "verification": way, "server": server.url, "audiences": ["sluice"], "token_file": str(own),
        "rules": [
            {"namespace": "prod", "name": "chat-*", "roles": ["app"], "team": "chat"},
            {"namespace": "prod", "name": "*", "roles": ["auditor"]},
        ]}})

    def token(account, **changes):
        return issuer.token(sub=f"system:serviceaccount:{account}", **changes)

    assert ask(program, token("prod:chat-1"))
    assert program.log(sluice__principal="k8s:prod/chat-1", sluice__team="chat")
    refused(program, token("prod:other"), status=403)
    refused(program, token("dev:chat-1"), status=403)
    refused(program, token("prod:chat-1", aud="https://kubernetes.default.svc"))
    refused(program, issuer.token(sub="system:node:prod"))
    refused(program, issuer.token(sub="system:serviceaccount:prod:chat-1:x"))
    program.end()
    server.end()


def test_a_configuration_that_would_let_anybody_in_is_refused(tmp_path):
    def mistakes(access):
        file = tmp_path / "sluice.json5"
        file.write_text(json.dumps({"access": access, "environment_providers": "never"}))
        program = Program("check", str(file))
        program.process.wait(20)
        program.reader.join(20)
        return "\n".join(program.lines)

    issuer = {"issuer": "x", "jwks_url": "https://issuer.example/keys"}
    assert "audiences" in mistakes({"jwt": [issuer]})
    assert "https" in mistakes({"jwt": [{**issuer, "audiences": ["a"], "jwks_url": "http://issuer.example/keys"}]})
    assert "HS256" in mistakes({"jwt": [{**issuer, "audiences": ["a"], "algorithms": ["HS256"]}]})
    assert "exactly one" in mistakes({"jwt": [{**issuer, "audiences": ["a"], "secret": "x" * 40}]})
    assert "32 bytes" in mistakes({"jwt": [{"issuer": "x", "audiences": ["a"], "secret": "short"}]})
