"""The webhook: golden pairs applied and checked, hostile requests, and the sidecar's command line run for real."""

import base64
import concurrent.futures
import contextlib
import copy
import http.client
import http.server
import json
import re
import socket
import subprocess
import threading
import time

import httpx2
import jsonpatch
import kubernetes_validate
import openai
import pytest

from kubernetes_api import Caller
from processes import MARK, PROVIDER_KEY, ROOT, Program, binary
from redis_server import free_port
from test_manifests import check_restricted

GOLDEN = ROOT / "Tests/SluiceInjectTests/Golden"
NAMES = sorted(path.name.removesuffix(".request.json") for path in GOLDEN.glob("*.request.json"))
KEY = re.compile(r"sk-sluice-[0-9A-Za-z]{46}")


class Injector(Program):
    def __init__(self, certificate, *arguments: str):
        super().__init__(
            "inject", "--image", "registry.example/sluice:0.1.0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
            "--cert", certificate.file, "--key", certificate.key, "--lame-duck-seconds", "0", *arguments)
        self.authorities = open(certificate.file).read()
        self.log(message="the injector is ready")
        self.port = int(self.address("listening", "https").rsplit(":", 1)[1])
        self.admin = self.address("admin")

    def caller(self) -> Caller:
        return Caller(self.port, self.authorities, "localhost")

    def review(self, pod: dict, path: str = "/inject", **request) -> dict:
        with self.caller() as caller:
            status, reply = caller.post(review(pod, **request), path)
        assert status == 200, reply
        return reply["response"]

    def metrics(self) -> dict[str, float]:
        text = httpx2.get(self.admin + "/metrics").raise_for_status().text
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}


@pytest.fixture(scope="module")
def injector(certificate):
    program = Injector(certificate)
    yield program
    program.end()


def review(pod: dict, **request) -> dict:
    return {
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "operation": "CREATE", "namespace": "shop", "object": pod, **request,
        },
    }


def pod(annotations: dict | None = None, *containers: dict, **spec) -> dict:
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "app", "annotations": {f"sluice.io/{key}": value for key, value in (annotations or {}).items()}},
        "spec": {"containers": list(containers) or [{"name": "app", "image": "app:1"}], **spec},
    }


def applied(thing: dict, response: dict) -> dict:
    assert response["allowed"], response
    if "patch" not in response:
        return thing
    assert response["patchType"] == "JSONPatch"
    return jsonpatch.apply_patch(thing, json.loads(base64.b64decode(response["patch"])))


def sidecar_of(thing: dict) -> dict:
    found = [one for one in thing["spec"].get("initContainers", []) + thing["spec"]["containers"] if one["name"] == "sluice"]
    assert len(found) == 1
    return found[0]


# Golden pairs


@pytest.mark.parametrize("name", NAMES)
def test_golden_pairs_hold_and_make_pods_that_are_valid(injector, name):
    request = json.loads((GOLDEN / f"{name}.request.json").read_text())
    golden = json.loads((GOLDEN / f"{name}.response.json").read_text())
    path = "/inject/annotated" if "annotated-" in name else "/inject"
    with injector.caller() as caller:
        status, reply = caller.post(request, path)
    if "malformed" in golden:
        assert status == 400
        assert golden["malformed"] in reply["error"]
        return
    assert status == 200
    response = reply["response"]
    if "patch" in response:
        # Each pod has a key of its own.
        keys = set(KEY.findall(base64.b64decode(response["patch"]).decode()))
        assert len(keys) == 1
        text = KEY.sub("sk-sluice-" + "0" * 46, base64.b64decode(response["patch"]).decode())
        assert golden["response"]["patch"] == json.loads(text)
    assert {**response, "patch": None} == {**golden["response"], "patch": None}
    if "patch" not in response:
        return
    before = request["request"]["object"]
    after = applied(copy.deepcopy(before), response)
    check_pod(before, after)
    # A second look changes nothing.
    again = injector.review(after)
    assert again["allowed"] and "patch" not in again


def check_pod(before: dict, after: dict):
    """What holds of every injected pod."""
    if "metadata" in before:
        for version in ("1.29", "1.37"):
            kubernetes_validate.validate(without_nulls(after), version, strict=True)
    sidecar = sidecar_of(after)
    check_restricted({"containers": [sidecar], "volumes": []})
    assert sidecar["resources"]["limits"]["memory"]
    if "restartPolicy" in sidecar:
        assert after["spec"]["initContainers"][0] is sidecar
    else:
        assert after["spec"]["containers"][0] is sidecar
    variables = {one["name"]: one for one in sidecar["env"]}
    key = variables["SLUICE_POD_KEY"]["value"]
    secrets = {source["secretRef"]["name"] for source in sidecar.get("envFrom", [])}
    mounted = {mount["name"] for mount in sidecar.get("volumeMounts", [])}
    old = {one["name"]: one for one in before["spec"]["containers"] + before["spec"].get("initContainers", [])}
    for container in after["spec"]["containers"] + after["spec"].get("initContainers", []):
        if container is sidecar:
            continue
        # Nothing of the application's containers is changed but variables, and none of the sidecar's secrets comes in.
        was = old[container["name"]]
        assert {**container, "env": None} == {**was, "env": None}
        assert not secrets & {source.get("secretRef", {}).get("name") for source in container.get("envFrom", [])}
        assert not mounted & {mount["name"] for mount in container.get("volumeMounts", [])}
        for variable in container.get("env") or []:
            if variable["name"] == "OPENAI_API_KEY" and variable not in (was.get("env") or []):
                assert variable["value"] == key
    ports = [port["containerPort"] for one in after["spec"]["containers"] + [sidecar] for port in one.get("ports", [])]
    listen = int(sidecar["args"][sidecar["args"].index("--listen") + 1].rsplit(":", 1)[1])
    others = [port["containerPort"] for one in before["spec"]["containers"] for port in one.get("ports", [])]
    assert listen not in others and sidecar["ports"][0]["containerPort"] not in others and listen not in [
        sidecar["ports"][0]["containerPort"]] and ports
    settings = json.loads(sidecar["args"][sidecar["args"].index("--set") + 1])
    assert settings["access"]["keys"]["pod"]["secret"] == "env:SLUICE_POD_KEY"


def without_nulls(value):
    """As the API server keeps it."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def test_containers_that_come_later_get_their_variables(injector):
    first = applied(pod(), injector.review(pod()))
    later = copy.deepcopy(first)
    later["spec"]["containers"].append({"name": "helper", "image": "helper:1"})
    response = injector.review(later)
    after = applied(copy.deepcopy(later), response)
    app, helper = after["spec"]["containers"]
    assert helper["env"] == app["env"]
    assert response["auditAnnotations"] == {"decision": "completed: already_injected"}
    assert "patch" not in injector.review(after)


def test_flags_are_the_defaults_of_annotations(certificate):
    program = Injector(
        certificate, "--mode", "container", "--port", "5010", "--admin-port", "5011", "--workers", "3", "--config-map", "house/main.json5",
        "--secret", "", "--sidecar-log-level", "error", "--memory-limit", "96Mi", "--cpu-request", "50m", "--image-pull-policy", "Always")
    try:
        sidecar = sidecar_of(applied(pod(), program.review(pod())))
        assert sidecar["args"][:11] == [
            "run", "--quiet", "--listen", "127.0.0.1:5010", "--admin", "[::]:5011", "--workers", "3", "--config",
            "/etc/sluice/main.json5", "--set"]
        assert "envFrom" not in sidecar and "restartPolicy" not in sidecar
        assert sidecar["imagePullPolicy"] == "Always"
        assert sidecar["resources"] == {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}}
        assert json.loads(sidecar["args"][11])["log"] == {"level": "error"}
    finally:
        program.end()


@pytest.mark.parametrize("arguments", [
    [], ["--image", "no image"], ["--image", "a:1", "--cert", "/x"], ["--image", "a:1", "--port", "80"], ["--image", "a:1"],
    ["--image", "a:1", "--memory-limit", "1Mi"], ["--image", "a:1", "--port", "4011"], ["--image", "a:1", "--secret", "A_B"],
    ["--image", "a:1", "--api-server", "https://127.0.0.1:1", "--namespace", "A_B"],
])
def test_wrong_command_lines_are_refused(arguments):
    done = subprocess.run([binary(), "inject", *arguments], env={}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 64, done.stdout
    assert done.stderr.startswith("sluice: ")


# Hostile requests


def test_requests_that_are_no_reviews_are_refused(injector):
    good = json.dumps(review(pod())).encode()
    deep = b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":' + b'{"a":' * 100_000
    cases = [
        (404, good, "/", {}), (404, good, "/injected", {}), (415, good, "/inject", {"content-type": "text/plain"}),
        (400, b"", "/inject", {}), (400, b"\xff", "/inject", {}), (400, good[:-1], "/inject", {}), (400, deep, "/inject", {}),
        (400, good.replace(b"/v1", b"/v1beta1", 1), "/inject", {}), (400, good + b"x", "/inject", {}),
        (413, b" " * (4 * 1024 * 1024 + 1), "/inject", {}),
    ]
    for status, body, path, fields in cases:
        with injector.caller() as caller:
            try:
                found, reply = caller.post(body, path, **fields)
            except OSError:
                assert status == 413  # it was told so, and did not listen
                continue
            assert found == status, (body[:80], reply)
            assert reply["error"]
    with injector.caller() as caller:
        caller.connection.request("GET", "/inject")
        assert caller.connection.getresponse().status == 405
    assert injector.review(pod())["allowed"]


def test_the_largest_objects_are_answered_before_the_api_server_gives_up(injector):
    big = pod({"note/": "x"})
    big["metadata"]["annotations"]["note"] = "n" * 256 * 1024
    big["spec"]["containers"] += [
        {"name": f"c{number}", "image": "c:1", "env": [{"name": f"V{one}", "value": "v" * 100} for one in range(500)]}
        for number in range(40)]
    request = json.dumps(review(big))
    assert 2_500_000 < len(request) < 4 * 1024 * 1024
    with injector.caller() as caller:
        caller.post(review(pod()))
        start = time.monotonic()
        status, reply = caller.post(request.encode())
        took = time.monotonic() - start
    assert status == 200
    assert len(json.loads(base64.b64decode(reply["response"]["patch"]))) > 80
    # A debug build on a busy machine: an optimised one takes some 20 ms.
    assert took < 5


def test_large_bodies_that_never_come_do_not_fill_the_memory(injector):
    slow = [injector.caller() for _ in range(6)]
    statuses = []

    def wait(caller):
        try:
            statuses.append(caller.connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            pass  # it was closed

    threads = [threading.Thread(target=wait, args=[caller]) for caller in slow]
    try:
        for caller, thread in zip(slow, threads):
            caller.connection.putrequest("POST", "/inject")
            caller.connection.putheader("content-type", "application/json")
            caller.connection.putheader("content-length", str(4 * 1024 * 1024))
            caller.connection.endheaders()
            thread.start()
        # Four of them are waited for; the others are told so at once, and usual reviews have room of their own.
        end = time.monotonic() + 4
        while len(statuses) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        assert statuses[:2] == [503, 503]
        assert "patch" in injector.review(pod())
    finally:
        for caller in slow:
            with contextlib.suppress(OSError):
                caller.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for caller in slow:
            caller.close()


def test_many_at_once_are_answered(injector):
    def ask(_):
        with injector.caller() as caller:
            return [caller.post(review(pod()))[1]["response"] for _ in range(10)]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [one for some in pool.map(ask, range(16)) for one in some]
    keys = {KEY.search(base64.b64decode(one["patch"]).decode()).group() for one in answers}
    assert len(answers) == len(keys) == 160


def test_decisions_are_counted_and_logged(certificate):
    program = Injector(certificate)
    try:
        program.review(pod())
        program.review(pod({"inject": "disabled"}))
        refused = program.review(pod({"port": "1"}))
        assert refused["status"]["code"] == 400
        with program.caller() as caller:
            assert caller.post(b"{}")[0] == 400
        metrics = program.metrics()
        counted = 'sluice_inject_reviews_total{decision="%s",reason="%s"}'
        assert metrics[counted % ("injected", "none")] == 1
        assert metrics[counted % ("skipped", "annotated_off")] == 1
        assert metrics[counted % ("denied", "annotations")] == 1
        assert metrics[counted % ("skipped", "host_network")] == 0
        assert metrics['sluice_inject_refused_requests_total{status="400"}'] == 1
        assert metrics["sluice_inject_review_seconds_count"] == 3
        assert metrics["sluice_inject_ready"] == 1
        assert metrics['sluice_inject_certificate_end_time_seconds{kind="serving"}'] > time.time()
        # Who vouches for a certificate that it was given, it does not know.
        assert 'sluice_inject_certificate_end_time_seconds{kind="authority"}' not in metrics
        for path, status in [("/healthz", 200), ("/livez", 200), ("/readyz", 200), ("/other", 404)]:
            assert httpx2.get(program.admin + path).status_code == status
        assert httpx2.post(program.admin + "/readyz").status_code == 405
        line = program.log(message="pod reviewed", sluice__inject__decision="denied")
        assert line["orchestrator.namespace"] == "shop" and "sluice.io/port" in line["error.message"]
        assert program.log(message="review refused")["http.response.status_code"] == 400
        assert not any(KEY.search(line) for line in program.lines)
    finally:
        program.end()


def test_certificate_files_are_read_again(certificate, tmp_path):
    class Files:
        file, key = str(tmp_path / "tls.crt"), str(tmp_path / "tls.key")

    def make():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
             "-keyout", Files.key, "-out", Files.file, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True, capture_output=True)

    make()
    program = Injector(Files, "--every-seconds", "1")
    try:
        assert program.review(pod())["allowed"]
        make()
        program.log(message="serving certificate changed")
        program.authorities = open(Files.file).read()
        assert program.review(pod())["allowed"]
    finally:
        program.end()


# The sidecar


class Injected:
    """A pod's containers on this machine: the sidecar with its own command line and variables, and what the application gets."""

    def __init__(self, injector: Injector, mock, annotations: dict | None = None, *containers: dict, **spec):
        ports = {"port": str(free_port()), "admin-port": str(free_port())}
        self.pod = pod({**ports, **(annotations or {})}, *containers, **spec)
        self.pod = applied(self.pod, injector.review(self.pod))
        self.sidecar = sidecar_of(self.pod)
        app = [one for one in self.pod["spec"]["containers"] if one["name"] != "sluice"][0]
        self.variables = {one["name"]: one["value"] for one in app.get("env", []) if "value" in one}
        self.admin = f"127.0.0.1:{self.sidecar['ports'][0]['containerPort']}"
        # What the Secret has that only the sidecar sees.
        self.provider = {"OPENAI_API_KEY": PROVIDER_KEY, "OPENAI_BASE_URL": mock.url + "/v1"}

    def start(self) -> Program:
        own = {one["name"]: one["value"] for one in self.sidecar["env"]}
        return Program(*self.sidecar["args"], variables={**self.provider, **own})

    def hook(self, name: str, **options) -> subprocess.Popen:
        command = self.sidecar["lifecycle"][name]["exec"]["command"]
        assert command[0] == "/usr/bin/sluice"
        return subprocess.Popen([binary(), *command[1:]], env={}, **options)

    def probe(self, name: str) -> int:
        request = self.sidecar[name]["httpGet"]
        return httpx2.get(f"http://127.0.0.1:{request['port']}{request['path']}").status_code

    def client(self, **given) -> openai.OpenAI:
        given = {"api_key": self.variables.get("OPENAI_API_KEY"), "base_url": self.variables["OPENAI_BASE_URL"], **given}
        return openai.OpenAI(max_retries=0, **given)


def ask(client: openai.OpenAI, model: str = "gpt-mock"):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])


def test_the_sidecar_serves_its_pod_and_nobody_else(injector, mock):
    injected = Injected(injector, mock, {"models": "gpt-mock, gpt-mock+*"})
    program = injected.start()
    try:
        program.log(message="ready")
        assert injected.probe("startupProbe") == injected.probe("livenessProbe") == 200
        with injected.client() as client:
            assert ask(client).choices[0].message.content
            assert [one.id for one in client.models.list()] == ["gpt-mock"]
            with pytest.raises(openai.PermissionDeniedError):
                ask(client, "gpt-5.4")
        for key in ("sk-some-key-of-somebody-else", KEY.search(json.dumps(Injected(injector, mock).pod)).group()):
            with injected.client(api_key=key) as client, pytest.raises(openai.AuthenticationError):
                ask(client)
        # Metrics are for whoever scrapes; the rest of the admin port is not, and health says nothing of the load.
        admin = "http://" + injected.admin
        assert "sluice_requests_in_flight" in httpx2.get(admin + "/metrics").text
        assert httpx2.get(admin + "/limits").status_code == 401
        assert httpx2.post(admin + "/metrics").status_code == 401
        assert "in_flight" not in httpx2.get(admin + "/health").text
    finally:
        program.end()
    assert not any(KEY.search(line) for line in program.lines)


def test_the_end_waits_for_the_application(injector, mock):
    injected = Injected(injector, mock, {"mode": "container"}, terminationGracePeriodSeconds=20)
    # The kubelet starts the next container when this hook is done.
    waits = injected.hook("postStart")
    program = injected.start()
    try:
        assert waits.wait(20) == 0
        client = injected.client()
        assert ask(client).choices
        stops = injected.hook("preStop")
        with pytest.raises(subprocess.TimeoutExpired):
            stops.wait(2)  # the application is connected
        assert ask(client).choices
        client.close()
        assert stops.wait(10) == 0
    finally:
        program.end()
    # There is nobody left to wait for.
    assert injected.hook("preStop", stderr=subprocess.DEVNULL).wait(10) == 0


def test_an_answer_that_fails_does_not_hurry_the_end():
    answers = [None, "1", None, None, "1", "1e999", "nan"]

    class Admin(http.server.BaseHTTPRequestHandler):
        asked = 0

        def log_message(self, *_):
            pass

        def do_GET(self):
            answer = answers[Admin.asked] if Admin.asked < len(answers) else "0"
            Admin.asked += 1
            body = f"sluice_downstream_connections {answer}\n".encode()
            self.send_response(503 if answer is None else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with http.server.HTTPServer(("127.0.0.1", 0), Admin) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            command = [binary(), "drain", "--admin", f"127.0.0.1:{server.server_port}", "--seconds", "60"]
            done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=70)
        finally:
            server.shutdown()
    assert (done.returncode, done.stderr) == (0, "")
    assert Admin.asked > len(answers)


def test_health_says_when_nobody_is_there():
    address = f"127.0.0.1:{free_port()}"
    done = subprocess.run([binary(), "health", "--admin", address], env={}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 69
    assert address in done.stderr
    assert subprocess.run([binary(), "health", "--admin", "10.0.0.1:1"], env={}, capture_output=True, timeout=20).returncode == 64


def test_an_application_that_keeps_its_key_is_served(injector, mock):
    own = {"name": "OPENAI_API_KEY", "value": "anything"}
    injected = Injected(injector, mock, None, {"name": "app", "image": "app:1", "env": [own]})
    assert own in injected.pod["spec"]["containers"][0]["env"]
    program = injected.start()
    try:
        program.log(message="ready")
        with injected.client() as client:
            assert ask(client).choices
    finally:
        program.end()


def test_a_config_map_is_the_sidecars_configuration(injector, mock, tmp_path):
    injected = Injected(injector, mock, {"config": "shop", "log-level": "debug"})
    volume = next(one for one in injected.pod["spec"]["volumes"] if one.get("configMap") == {"name": "shop"})
    mount = next(one for one in injected.sidecar["volumeMounts"] if one["name"] == volume["name"])
    (tmp_path / "sluice.json5").write_text(
        json.dumps({"providers": {"house": {**mock.provider(), "models": ["gpt-mock"]}}, "log": {"level": "error"},
                    "listeners": [{"address": "0.0.0.0:9", "trust": "everyone"}], "drain": {"lame_duck_ms": 60_000}}))
    # The node mounts it there; here it is elsewhere.
    at = injected.sidecar["args"].index("--config") + 1
    assert injected.sidecar["args"][at] == mount["mountPath"] + "/sluice.json5"
    injected.sidecar["args"][at] = str(tmp_path / "sluice.json5")
    program = injected.start()
    try:
        program.log(message="ready")
        with injected.client() as client:
            assert ask(client).choices
        with injected.client(api_key="sk-some-key-of-somebody-else") as client, pytest.raises(openai.AuthenticationError):
            ask(client)
    finally:
        program.end()
    assert MARK not in "\n".join(program.lines)
