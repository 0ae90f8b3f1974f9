"""Every test talks to Sluice with the official SDK; behind Sluice is `sluice mock`, which obeys the model's name."""

import subprocess
from dataclasses import dataclass

import httpx2
import openai
import pytest

from processes import APPLICATION_KEY, Mock, Sluice


@pytest.fixture(scope="session")
def mock():
    program = Mock()
    yield program
    program.end()


@pytest.fixture(scope="session")
def sluice(mock, certificate, socket_path):
    program = Sluice(
        listeners=[
            {"address": "127.0.0.1:0"},
            {
                "address": "127.0.0.1:0",
                "tls": {"certificates": [{"certificate_file": certificate.file, "key_file": certificate.key}]},
            },
            {"address": f"unix:{socket_path}"},
        ],
        providers={"mock": mock.provider()},
        workers=2,
        timeouts={"first_byte_ms": 3000, "stream_idle_ms": 2000},
    )
    yield program
    program.end()


@dataclass
class Certificate:
    file: str
    key: str


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificate")
    found = Certificate(str(directory / "cert.pem"), str(directory / "key.pem"))
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
            "-keyout", found.key, "-out", found.file, "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True, capture_output=True)
    return found


@pytest.fixture(scope="session")
def socket_path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("socket") / "s")


@pytest.fixture
def client(sluice):
    with openai.OpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY) as client:
        yield client


@pytest.fixture
def impatient(sluice):
    """A client that does not try again."""
    with openai.OpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(sluice):
    async with openai.AsyncOpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY) as client:
        yield client


@pytest.fixture
def provider(mock):
    """What the provider saw; forgotten before each test."""
    with httpx2.Client(base_url=mock.url) as http:
        http.post("/mock/reset").raise_for_status()
        yield Provider(http)


@dataclass
class Provider:
    http: httpx2.Client

    def requests(self) -> list[dict]:
        """The last requests, oldest first."""
        return self.http.get("/mock/requests", params={"limit": 200}).raise_for_status().json()["requests"]

    def last(self) -> dict:
        return self.requests()[-1]

    def counts(self, model: str) -> dict:
        return self.http.get("/mock/counts").raise_for_status().json()["models"][model]
