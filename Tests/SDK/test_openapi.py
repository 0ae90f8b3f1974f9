"""The OpenAPI document of a running Sluice: schemathesis asks everything that it describes, and judges the answers."""

import json
import os
import subprocess
import sys
import tempfile

import pytest

import api_page
from processes import MARK, Mock, Sluice


@pytest.fixture(scope="module")
def described(mock):
    with tempfile.TemporaryDirectory() as directory:
        program = Sluice(
            providers={"mock": mock.provider()}, workers=2,
            storage={"directory": directory},
            control={"shared_secret": f"shared-{MARK}-0123456789abcdef0123456789abcdef"},
            access={"local": {"roles": ["admin"]}},
        )
        yield program
        program.end()


def ask(program, method, path, body=None):
    import urllib.request

    request = urllib.request.Request(
        program.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read())


def test_document_is_openapi(described):
    document = ask(described, "GET", "/openapi.json")
    assert document["openapi"] == "3.1.0"
    ids = [
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    ]
    assert len(ids) == len(set(ids)) and len(ids) > 30


def test_answers_are_as_described(described, tmp_path):
    """What applications ask of providers is theirs to describe; everything else is judged."""
    # 501 is what HTTP has for a method that nobody knows (RFC 9110 §9.1), and no server's error.
    settings = tmp_path / "schemathesis.toml"
    settings.write_text('[phases.coverage]\nunexpected-methods = ["PUT", "DELETE", "PATCH", "POST", "TRACE"]\n')
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", str(settings), "run", described.url + "/openapi.json",
        "--max-examples", os.environ.get("SLUICE_EXAMPLES", "15"), "--seed", "20", "--workers", "1",
        "--include-path-regex", "^/(api/v1/(config|keys|users|roles|models|providers|limits)|health|livez|readyz|openapi)",
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "negative_data_rejection",
        "--phases", "examples,coverage,fuzzing", "--no-color",
    ]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=400)
    assert result.returncode == 0, result.stdout[-12000:] + result.stderr[-2000:]
    assert ask(described, "GET", "/health")["status"] == "ok"


def test_page_shows_what_the_document_says(described):
    page = api_page.PAGE.read_text()
    wanted = api_page.replaced(page, ask(described, "GET", "/openapi.json"))
    if os.environ.get("SLUICE_UPDATE_GOLDEN") == "1":
        api_page.PAGE.write_text(wanted)
    else:
        assert page == wanted, "APIReference.md is out of date: run this test with SLUICE_UPDATE_GOLDEN=1"
