"""The platform's own envelope, as its applications send it."""

import json
import time

import httpx2
import pytest

PATH = "/api/v1/chat/completions"
ENVELOPE = {
    "model": "gpt-mock",
    "parameters": {"prompt": "Say 你好", "temperature": 0.7, "max_tokens": 64, "prompt_id": "scene-1"},
    "user_info": {"user_id": "u-1", "user_role": "tester"},
    "request_id": "q-1",
}


@pytest.fixture
def http(sluice):
    with httpx2.Client(base_url=sluice.url) as http:
        yield http


def check(reply):
    body = reply.json()
    assert reply.status_code == 200 and body["code"] == 200 and body["message"] == "success"
    assert body["data"]["result"] == "Say 你好" and body["request_id"] == "q-1"
    assert set(body["data"]["model_info"]) == {"name", "provider", "version"}
    assert body["data"]["usage"]["total_tokens"] > 0
    assert abs(body["timestamp"] / 1000 - time.time()) < 60


def test_as_json(http, provider):
    check(http.post(PATH, json=ENVELOPE))
    sent = json.loads(provider.last()["body"])
    assert sent["messages"] == [{"role": "user", "content": "Say 你好"}]
    assert sent["temperature"] == 0.7 and sent["max_tokens"] == 64 and "prompt_id" not in sent


def test_as_a_form(http):
    fields = {"model": "gpt-mock", "prompt": "Say 你好", "max_tokens": "64", "user_id": "u-1", "request_id": "q-1"}
    check(http.post(PATH, data=fields))


def test_as_a_multipart_form(http):
    fields = {"model": "gpt-mock", "parameters": json.dumps(ENVELOPE["parameters"]), "request_id": "q-1"}
    check(http.post(PATH, files={name: (None, value) for name, value in fields.items()}))


def test_as_a_stream(http):
    envelope = {**ENVELOPE, "parameters": {**ENVELOPE["parameters"], "stream": True}}
    with http.stream("POST", PATH, json=envelope) as reply:
        events = [line[6:] for line in reply.iter_lines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    pieces = [json.loads(event) for event in events[:-1]]
    assert "".join(piece["data"]["delta"] for piece in pieces) == "Say 你好"
    assert pieces[-1]["data"]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_errors_keep_their_status(http, status):
    reply = http.post(PATH, json={**ENVELOPE, "model": f"gpt-mock+status={status}"})
    assert reply.status_code == status and reply.json()["code"] == status
    assert reply.json()["data"] is None and reply.json()["message"] and reply.json()["request_id"] == "q-1"


def test_models_and_health(http):
    names = [model["name"] for model in http.get("/api/v1/models").json()["data"]]
    assert "gpt-mock" in names and "echo" in names
    assert http.get("/health").json()["status"] == "ok"
