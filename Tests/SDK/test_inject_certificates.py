"""The injector's certificates, against an API server that a test can make as bad as it likes."""

import base64
import datetime
import re
import ssl
import threading
import time

import httpx2
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubernetes_api import HOST, SECRET, TOKEN, WEBHOOK, Caller, Cluster
from processes import PATIENCE, ROOT, Program
from test_inject import pod, review

INJECTOR = ROOT / "k8s/base/injector"


def manifest(name: str) -> dict:
    return yaml.safe_load((INJECTOR / name).read_text())


@pytest.fixture
def cluster(certificate):
    """With the manifests that are shipped."""
    found = Cluster(certificate, manifest("webhook.yaml"), manifest("secret.yaml"))
    yield found
    found.end()


class Replica(Program):
    def __init__(self, cluster: Cluster, certificate, tmp_path, *arguments: str, token: str = TOKEN):
        file = tmp_path / "token"
        file.write_text(token + "\n")
        super().__init__(
            "inject", "--image", "registry.example/sluice:0.1.0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
            "--api-server", cluster.url, "--api-ca", certificate.file, "--token-file", str(file), "--namespace", "sluice-system",
            "--every-seconds", "1", "--lame-duck-seconds", "0", *arguments)
        self.cluster = cluster

    @property
    def port(self) -> int:
        return int(self.address("listening", "https").rsplit(":", 1)[1])

    @property
    def admin(self) -> str:
        return self.address("admin")

    def call(self) -> Caller:
        """As the API server does: with what the webhook's configuration says."""
        bundles = set(self.cluster.bundles)
        assert len(bundles) == 1
        return Caller(self.port, bundles.pop())

    def is_ready(self) -> bool:
        return httpx2.get(self.admin + "/readyz").status_code == 200


def eventually(condition, what: str):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def rounds(replica: Replica, result: str) -> int:
    text = httpx2.get(replica.admin + "/metrics").text
    return int(re.search(rf'sluice_inject_certificate_rounds_total{{result="{result}"}} (\d+)', text).group(1))


def trusts(cluster: Cluster) -> bool:
    bundles = set(cluster.bundles)
    return "" not in bundles and len(bundles) == 1


def certificates(pem: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem)


def test_it_makes_its_own_and_tells_the_api_server(cluster, certificate, tmp_path):
    replica = Replica(cluster, certificate, tmp_path)
    try:
        eventually(lambda: trusts(cluster), "caBundle is set")
        with replica.call() as caller:
            status, reply = caller.post(review(pod()))
            assert status == 200 and reply["response"]["allowed"]
        with pytest.raises(ssl.SSLCertVerificationError):
            Caller(replica.port, cluster.bundles[0], "sluice-injector.elsewhere.svc")
        eventually(replica.is_ready, "ready")
        data = cluster.data
        assert set(data) == {"ca.crt", "ca.key", "tls.crt", "tls.key"}
        [authority], [serving] = certificates(data["ca.crt"]), certificates(data["tls.crt"])
        assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
        assert authority.extensions.get_extension_for_class(x509.KeyUsage).critical
        assert serving.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
        assert HOST in serving.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        assert serving.public_key().curve.name == "secp256r1"
        assert serving.serial_number > 2**100
        serving.verify_directly_issued_by(authority)
        days = serving.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
        assert datetime.timedelta(days=29) < days <= datetime.timedelta(days=30)
        # It asked for nothing but its two objects, and wrote each once.
        assert {path for _, path, _ in cluster.asked} == {SECRET, WEBHOOK}
        assert cluster.count("PATCH", SECRET) == cluster.count("PATCH", WEBHOOK) == 1
        # Nothing else of the configuration was changed.
        kept = manifest("webhook.yaml")["webhooks"]
        for webhook in cluster.objects[WEBHOOK]["webhooks"]:
            webhook = {**webhook, "clientConfig": {key: value for key, value in webhook["clientConfig"].items() if key != "caBundle"}}
            assert webhook in kept
        assert "PRIVATE KEY" not in "\n".join(replica.lines)
    finally:
        replica.end()


def test_whatever_others_do_to_it_is_mended(cluster, certificate, tmp_path):
    replica = Replica(cluster, certificate, tmp_path)
    try:
        eventually(lambda: trusts(cluster), "caBundle is set")
        before = cluster.bundles
        cluster.change(WEBHOOK, lambda thing: thing["webhooks"][1]["clientConfig"].pop("caBundle"))
        eventually(lambda: cluster.bundles == before, "caBundle is put back")
        # Somebody applies another version of the manifest.
        cluster.change(WEBHOOK, lambda thing: thing.update(webhooks=manifest("webhook.yaml")["webhooks"][:1]))
        eventually(lambda: cluster.bundles == before[:1], "caBundle is set again")
        cluster.change(SECRET, lambda thing: thing.pop("data"))
        eventually(lambda: trusts(cluster) and cluster.bundles != before[:1], "all is made anew")
        eventually(lambda: replica.call().close() is None, "served with the new one")
    finally:
        replica.end()


def test_two_replicas_agree_from_the_first_moment(cluster, certificate, tmp_path):
    # Both have read the empty Secret before either writes.
    both = threading.Barrier(2)

    def wait(method, path):
        if method == "GET" and path == WEBHOOK and not both.broken:
            try:
                both.wait(5)
            except threading.BrokenBarrierError:
                pass
            else:
                cluster.before = lambda *_: None

    cluster.before = wait
    replicas = [Replica(cluster, certificate, tmp_path) for _ in range(2)]
    try:
        for replica in replicas:
            eventually(replica.is_ready, "ready")
        eventually(lambda: trusts(cluster), "caBundle is set")

        def served():
            found = set()
            for replica in replicas:
                with replica.call() as caller:
                    found.add(caller.certificate)
            return found

        assert len(served()) == 1
        assert cluster.count("PATCH", SECRET) == 1
        assert cluster.count("PATCH", SECRET, 409) == 1
        assert cluster.count("PATCH", WEBHOOK) == 1
        # Each looks again, and finds nothing to do.
        asked = len(cluster.asked)
        eventually(lambda: len(cluster.asked) >= asked + 8, "they look again")
        assert cluster.count("PATCH", SECRET) == cluster.count("PATCH", WEBHOOK) == 1
    finally:
        for replica in replicas:
            replica.end()


def test_authorities_are_exchanged_under_load_without_a_failure(cluster, certificate, tmp_path):
    old = seed(cluster, remaining=120)
    # Of the authority's 600 s two thirds are over, and of the certificate's 300 s too.
    lifetimes = ["--authority-seconds", "600", "--certificate-seconds", "300", "--overlap-seconds", "2"]
    replicas = [Replica(cluster, certificate, tmp_path, *lifetimes) for _ in range(2)]
    failures, issuers, is_over = [], [set(), set()], threading.Event()

    def load(number: int):
        while not is_over.is_set():
            try:
                with replicas[number].call() as caller:
                    issuers[number].add(caller.issuer)
                    assert caller.post(review(pod()))[0] == 200
            except Exception as failure:  # whatever it is, the API server would not have had its answer
                failures.append(failure)
            time.sleep(0.01)

    threads = [threading.Thread(target=load, args=[number]) for number in range(2)]
    try:
        for replica in replicas:
            eventually(replica.is_ready, "ready")
        for thread in threads:
            thread.start()
        eventually(lambda: certificates(cluster.data["ca.crt"])[0] != old, "another authority")
        new = certificates(cluster.data["ca.crt"])[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        eventually(lambda: all(new in found for found in issuers), "both serve under it")
    finally:
        is_over.set()
        for thread in threads:
            if thread.ident:
                thread.join()
        for replica in replicas:
            replica.end()
    assert failures == []
    assert issuers[0] == issuers[1] == {"old authority", new}
    # The old one is trusted as long as it lasts; the next one's place is empty.
    assert certificates(cluster.data["ca.crt"])[1] == old
    assert not {"next-ca.crt", "next-ca.key"} & set(cluster.data)


def seed(cluster: Cluster, remaining: int) -> x509.Certificate:
    """An authority in the Secret and in the webhook's configuration, which ends soon, and a certificate of it."""
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old authority")])
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]

    def build(subject, key, *extensions):
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(seconds=remaining)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(keys[0], hashes.SHA256())

    authority = build(name, keys[0], (x509.BasicConstraints(True, 0), True))
    hosts = [HOST, HOST + ".cluster.local", HOST.removesuffix(".svc")]
    serving = build(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), keys[1],
        (x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False))

    def text(thing) -> str:
        if isinstance(thing, x509.Certificate):
            pem = thing.public_bytes(serialization.Encoding.PEM)
        else:
            pem = thing.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return base64.b64encode(pem).decode()

    data = {"ca.crt": text(authority), "ca.key": text(keys[0]), "tls.crt": text(serving), "tls.key": text(keys[1])}
    cluster.change(SECRET, lambda thing: thing.update(data=data))

    def trust(thing):
        for webhook in thing["webhooks"]:
            webhook["clientConfig"]["caBundle"] = data["ca.crt"]

    cluster.change(WEBHOOK, trust)
    return authority


def test_an_api_server_in_trouble_is_asked_again_and_costs_no_answer(cluster, certificate, tmp_path):
    cluster.before = lambda *_: (500, {"message": "etcd is away"})
    replica = Replica(cluster, certificate, tmp_path)
    try:
        assert "etcd is away" in replica.log(message="certificates cannot be kept")["error.message"]
        assert not replica.is_ready()
        cluster.before = lambda *_: None
        eventually(replica.is_ready, "ready")
        replica.log(message="certificates are kept again")
        # It hangs: who asks for a review is answered all the same.
        gate, hung = threading.Event(), threading.Event()

        def hang(*_):
            hung.set()
            gate.wait(PATIENCE)

        cluster.before = hang
        assert hung.wait(PATIENCE)
        failed = rounds(replica, "failed")
        with replica.call() as caller:
            assert caller.post(review(pod()))[0] == 200
        # It did not wait for the look to end: that hangs still, and would count as failed.
        assert rounds(replica, "failed") == failed
        gate.set()
        cluster.before = lambda *_: None
        assert rounds(replica, "changed") == 1
    finally:
        cluster.before = lambda *_: None
        replica.end()


def test_a_token_is_read_anew_for_each_question(cluster, certificate, tmp_path):
    cluster.tokens = {"another-token-altogether"}
    replica = Replica(cluster, certificate, tmp_path)
    try:
        assert "status 401" in replica.log(message="certificates cannot be kept")["error.message"]
        (tmp_path / "token").write_text("another-token-altogether")
        eventually(replica.is_ready, "ready")
        assert TOKEN not in "\n".join(replica.lines)
    finally:
        replica.end()


def test_numbers_that_cannot_be_are_survived(cluster, certificate, tmp_path):
    seed(cluster, remaining=120)
    bundle = cluster.objects[SECRET]["data"]
    since = base64.b64encode(str(2**63 - 1).encode()).decode()
    cluster.change(SECRET, lambda thing: thing["data"].update(
        {"next-ca.crt": bundle["ca.crt"], "next-ca.key": bundle["ca.key"], "next-ca.since": since}))
    replica = Replica(
        cluster, certificate, tmp_path, "--authority-seconds", "600", "--certificate-seconds", "300", "--overlap-seconds", "60")
    try:
        # One that was announced in the future is announced anew.
        eventually(lambda: cluster.data.get("next-ca.crt") not in (None, base64.b64decode(bundle["ca.crt"])), "another one")
        eventually(replica.is_ready, "ready")
    finally:
        replica.end()


@pytest.mark.parametrize("body", [[], {}, {"metadata": {}}, {"metadata": {"resourceVersion": "1"}, "webhooks": {}}, "x" * 5_000_000])
def test_nonsense_from_the_api_server_is_survived(cluster, certificate, tmp_path, body):
    cluster.before = lambda method, path: (200, body) if path == WEBHOOK else None
    replica = Replica(cluster, certificate, tmp_path)
    try:
        replica.log(message="certificates cannot be kept")
        cluster.before = lambda *_: None
        eventually(replica.is_ready, "ready")
    finally:
        replica.end()
