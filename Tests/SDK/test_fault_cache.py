"""The cache, seen by an application: the same question is paid once, whatever comes between."""

import asyncio

import httpx2
import openai
import pytest

from faults import ASK, STORY, ask
from processes import APPLICATION_KEY, Mock, Sluice
from samples import WEATHER, text_of

# Questions of these tests would be answered differently another time, as most are that applications ask.
CACHE = {"nondeterministic": True, "ttl_ms": 60_000}


@pytest.fixture(scope="module")
def mock():
    program = Mock("--requests", "4000")
    yield program
    program.end()


@pytest.fixture(scope="module")
def sluice(mock):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, cache=CACHE, retries={"attempts_max": 1})
    yield program
    program.end()


@pytest.fixture
def client(sluice):
    with openai.OpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def attempts(mock):
    def count(model: str) -> int:
        models = httpx2.get(mock.url + "/mock/counts").raise_for_status().json()["models"]
        return models.get(model, {}).get("attempts", 0)

    return count


async def test_a_thousand_identical_questions_at_once_are_one_call(sluice, attempts):
    model = "one+latency-ms=300"
    limits = httpx2.Limits(max_connections=1000)
    async with httpx2.AsyncClient(base_url=sluice.url, limits=limits, timeout=30) as http:
        body = {"model": model, "messages": ASK}
        replies = await asyncio.gather(*(http.post("/v1/chat/completions", json=body) for _ in range(1000)))
    assert {reply.status_code for reply in replies} == {200}
    assert {reply.json()["choices"][0]["message"]["content"] for reply in replies} == {STORY}
    assert attempts(model) == 1


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_a_hit_is_what_is_asked_for_whole_or_as_a_stream(client, attempts, first, second):
    model = f"shape-{first}-{second}+prompt-tokens=11"
    miss = ask(client, model, stream=first)
    hit = ask(client, model, stream=second)
    assert miss.headers["x-sluice-cache"] == "miss" and hit.headers["x-sluice-cache"] == "hit"
    assert miss.text == hit.text == STORY and miss.finish == hit.finish == "stop"
    assert attempts(model) == 1 and int(hit.headers["age"]) >= 0


def test_what_differs_is_another_question(client, attempts):
    model = "differs"
    for members in ({}, {"temperature": 0}, {"temperature": 1}, {"max_tokens": 9}, {"tools": [WEATHER], "tool_choice": "none"}, {"seed": 3}):
        assert ask(client, model, **members).error is None
    assert attempts(model) == 6


@pytest.mark.parametrize(
    "words", ["cut=0.66", "stall=0", "error-event", "no-finish+no-done", "status=500", "status=503", "error-in-200"])
def test_what_failed_is_not_kept(sluice, client, attempts, words):
    model = f"failed+{words}+times=1"
    first = ask(client.with_options(timeout=3), model, stream=True)
    assert first.error is not None
    # Until then a second one would be told what comes of the first.
    sluice.log(message="exchange", gen_ai__request__model=model)
    assert ask(client, model, stream=True).text == STORY
    assert attempts(model) == 2


def test_calls_of_tools_are_not_kept(client, attempts):
    for _ in range(2):
        ask(client, "calls", stream=True, tools=[WEATHER])
    assert attempts("calls") == 2


def test_the_application_may_say_no(client, attempts):
    for value, count in [("no-store", 1), ("no-store", 2), ("", 3), ("", 3), ("no-cache", 4)]:
        ask(client, "control", extra_headers={"cache-control": value} if value else {})
        assert attempts("control") == count


def test_a_stream_that_the_application_leaves_is_not_kept_as_whole(sluice, client):
    model = "left+event-ms=20"
    stream = client.chat.completions.create(model=model, messages=ASK, stream=True)
    for _, _ in zip(range(5), stream):
        pass
    stream.close()
    sluice.log(message="exchange", gen_ai__request__model=model)
    assert ask(client, model, stream=True).text == STORY


def test_most_of_what_is_asked_again_is_a_hit(client, attempts):
    """Four of five questions were asked before: four fifths of what can be hits are."""
    model, asked = "share", 0
    questions = 40
    for number in range(questions):
        for _ in range(5):
            messages = [{"role": "user", "content": f"question {number}"}]
            assert client.chat.completions.create(model=model, messages=messages).choices[0].message.content
            asked += 1
    assert asked - attempts(model) >= 0.8 * (asked - questions)


def test_an_idempotency_key_is_honoured(client, attempts):
    key = {"idempotency-key": "ik-1"}
    first = ask(client, "idempotent+vary", extra_headers={**key, "cache-control": "no-cache"})
    again = ask(client, "idempotent+vary", extra_headers={**key, "cache-control": "no-cache"})
    assert first.text == again.text and attempts("idempotent+vary") == 1
    other = ask(client, "idempotent+vary", extra_headers=key, messages=[{"role": "user", "content": "another"}])
    assert isinstance(other.error, openai.ConflictError)
