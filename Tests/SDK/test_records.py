"""What was asked and answered, as its users look it up: calls with OpenAI's SDK, then the history, exports and sums of who may see them."""

import csv
import io
import json
import tempfile
import time

import httpx2
import openai
import pytest

from processes import MARK, Sluice
from samples import HELLO

MODEL = "gpt-mock"
KEYS = {
    "ada": {"secret": f"adas-key-{MARK}-0123456789", "roles": ["developer"], "user": "ada", "team": "engines"},
    "bob": {"secret": f"bobs-key-{MARK}-0123456789", "roles": ["app"], "user": "bob", "team": "looms"},
    "desk": {"secret": f"desk-key-{MARK}-0123456789", "roles": ["app"], "may_claim": True},
    "auditor": {"secret": f"auditor-{MARK}-0123456789", "roles": ["auditor"]},
    "operator": {"secret": f"operator-{MARK}-0123456789", "roles": ["operator"]},
}


@pytest.fixture(scope="module")
def program(mock):
    with tempfile.TemporaryDirectory() as directory:
        program = Sluice(
            providers={"mock": mock.provider()},
            models={"priced": {"targets": [
                {"provider": "mock", "upstream_model": MODEL, "price": {"input": 2, "output": 8}}]}},
            storage={"directory": directory}, records={"commit_interval_ms": 20, "bodies": "redacted"},
            access={"keys": KEYS},
        )
        program.ids = make_calls(program)
        yield program
        program.end()


def client(program, name):
    return openai.OpenAI(base_url=program.url + "/v1", api_key=KEYS[name]["secret"], max_retries=0)


def make_calls(program):
    """What this module looks up."""
    ids = {}
    with client(program, "ada") as ada:
        reply = ada.chat.completions.with_raw_response.create(
            model="priced", messages=[{"role": "user", "content": "Where is the treasure? Mail me: ada@example.com"}],
            temperature=0.25)
        ids["treasure"] = reply.headers["x-request-id"]
        stream = ada.chat.completions.create(
            model=MODEL, messages=HELLO, stream=True, extra_headers={"x-request-id": "streamed-1"})
        ids["stream"] = "streamed-1"
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        with pytest.raises(openai.APIStatusError):
            ada.chat.completions.create(model=MODEL, messages="nothing", extra_headers={"x-request-id": "wrong-1"})
    with client(program, "bob") as bob:
        for _ in range(3):
            bob.chat.completions.create(model="priced", messages=HELLO)
    with client(program, "desk") as desk:
        desk.chat.completions.create(
            model=MODEL, messages=HELLO, extra_headers={"x-sluice-user": "carol", "x-sluice-team": "desk"})
    deadline = time.monotonic() + 20
    while len(history(program, "auditor")["records"]) < 7:
        assert time.monotonic() < deadline, history(program, "auditor")
        time.sleep(0.02)
    return ids


def ask(program, name, path, accept=None, **query):
    return httpx2.get(
        program.url + path, params=query,
        headers={"authorization": f"Bearer {KEYS[name]['secret']}", **({"accept": accept} if accept else {})})


def history(program, name, **query):
    reply = ask(program, name, "/api/v1/history", **query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def users(page):
    return [record["user_id"] for record in page["records"]]


def test_users_see_their_own_and_auditors_all(program):
    assert users(history(program, "ada")) == ["ada"] * 3
    assert users(history(program, "bob")) == ["bob"] * 3
    assert users(history(program, "auditor")) == ["carol", "bob", "bob", "bob", "ada", "ada", "ada"]
    # Nor by naming another: what is another's is not there.
    assert users(history(program, "bob", user="ada")) == []
    assert ask(program, "bob", "/api/v1/history", principal="key:ada").status_code == 403
    assert ask(program, "bob", "/api/v1/history/" + program.ids["treasure"]).status_code == 404
    # Who runs Sluice does not read what others said.
    assert users(history(program, "operator")) == []


def test_it_is_found_by_user_model_status_text_and_request(program):
    def found(**query):
        return [record["request_id"] for record in history(program, "auditor", **query)["records"]]

    treasure = program.ids["treasure"]
    assert found(request_id=treasure) == [treasure]
    assert found(text="the TREASURE") == [treasure]
    assert len(found(user="bob")) == 3 and len(found(model="priced")) == 4
    assert found(user="ada", model="priced") == [treasure]
    assert found(status="failed") == ["wrong-1"] == found(status="rejected") + found(status="provider_error")
    assert len(found(status="200")) == 6 and found(status="418") == []
    assert len(found(team="desk")) == 1 and len(found(provider="mock", status="complete")) == 6
    now = int(time.time() * 1000)
    assert len(found(to=now + 60_000, **{"from": now - 600_000})) == 7 and found(**{"from": now + 60_000}) == []


def test_pages_have_every_record_once(program):
    seen, cursor = [], {}
    while True:
        page = history(program, "auditor", limit=2, **cursor)
        seen += [record["id"] for record in page["records"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == 7 and seen == sorted(seen, reverse=True)
    assert ask(program, "auditor", "/api/v1/history", user="ada", **cursor).status_code == 400


def test_a_record_tells_what_it_cost_and_what_was_said(program):
    record = ask(program, "ada", "/api/v1/history/" + program.ids["treasure"]).json()
    tokens = record["tokens"]
    assert tokens["input"] > 0 and tokens["total"] == tokens["input"] + tokens["output"]
    assert record["cost_micros"] == 2 * tokens["input"] + 8 * tokens["output"]
    assert record["usage_source"] == "provider" and record["request_params"]["temperature"] == 0.25
    assert record["attempts"][0]["provider"] == "mock" and record["attempts"][0]["result"] == "ok"
    assert "treasure" in record["request_body"] and "ada@example.com" not in record["request_body"]
    assert "[redacted:email]" in record["request_body"]
    assert record["response_data"] and record["end_time"] >= record["start_time"]
    stream = ask(program, "ada", "/api/v1/history/streamed-1").json()
    assert stream["stream"] is True and stream["first_byte_us"] > 0 and stream["cost_micros"] is None
    wrong = ask(program, "ada", "/api/v1/history/wrong-1").json()
    assert wrong["http_status"] == 400 and wrong["error_message"]


def test_it_can_be_taken_away_as_a_table_or_as_lines(program):
    table = ask(program, "auditor", "/api/v1/history", accept="text/csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["user_id"] for row in rows] == users(history(program, "auditor"))
    assert rows[-1]["cost_micros"].isdigit() and json.loads(rows[-1]["attempts"])[0]["provider"] == "mock"
    lines = ask(program, "bob", "/api/v1/history", accept="application/x-ndjson").text.splitlines()
    assert [json.loads(line)["user_id"] for line in lines] == ["bob"] * 3


def test_sums_are_by_whom_and_what(program):
    reply = ask(program, "auditor", "/api/v1/usage", group_by="user,model")
    sums = {(row["user"], row["model"]): row for row in reply.json()["usage"]}
    assert sums["bob", "priced"]["requests"] == 3 and sums["bob", "priced"]["cost_micros"] > 0
    assert sums["ada", MODEL]["requests"] == 2 and sums["ada", MODEL]["errors"] == 1
    own = ask(program, "bob", "/api/v1/usage").json()["usage"]
    assert [row["requests"] for row in own] == [3]
    assert ask(program, "operator", "/api/v1/usage").json()["usage"][0]["requests"] == 7
    table = list(csv.DictReader(io.StringIO(
        ask(program, "auditor", "/api/v1/usage", accept="text/csv", group_by="team").text)))
    assert {row["team"]: row["requests"] for row in table} == {"engines": "3", "looms": "3", "desk": "1"}


def test_models_tell_how_they_do(program):
    listed = {model["name"]: model for model in ask(program, "operator", "/api/v1/models").json()["data"]}
    model = listed["priced"]
    assert model["id"] == "priced" and model["version"] is None and model["max_concurrency"] is None
    assert model["success_rate"] == 1 and model["average_latency_ms"] > 0
    target = model["targets"][0]
    assert target["endpoint"].startswith("http://127.0.0.1:") and target["endpoint"].endswith("/v1")
    assert target["api_key"] == "<set>" and target["status"] == "active"
    assert target["price_per_token"] == {"input": 2e-06, "output": 8e-06}
    assert MARK not in json.dumps(listed)
