"""Limits, as the OpenAI SDK sees them: the class, the wait, what is left; and never more than the limit, however many ask at once."""

import asyncio
import time

import httpx2
import openai
import pytest

from faults import ask
from processes import APPLICATION_KEY, Mock, Sluice
from samples import HELLO, PROMPT

# By key, so that each test has a limit of its own.
LIMITS = {
    "rate_limits": [
        {"name": "burst", "when": {"models": ["five-*"]}, "by": ["key"], "limit": 5, "per": "minute"},
        {"name": "second", "when": {"models": ["quick-*"]}, "by": ["key"], "limit": 2, "per": "second"},
        {"name": "tokens", "when": {"models": ["tokens-*"]}, "by": ["key"], "unit": "total_tokens", "limit": 1000},
        {"name": "many", "when": {"models": ["hundred-*"]}, "by": ["key"], "limit": 100, "per": "hour"},
        {"name": "open", "when": {"models": ["two-at-once-*"]}, "by": ["key"], "unit": "concurrency", "limit": 2},
    ]
}


@pytest.fixture(scope="module")
def mock():
    program = Mock("--requests", "4000")
    yield program
    program.end()


@pytest.fixture(scope="module")
def sluice(mock):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, **LIMITS)
    yield program
    program.end()


def client_of(sluice, key: str, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=sluice.url + "/v1", api_key=f"{APPLICATION_KEY}-{key}", **{"max_retries": 0, **options})


def attempts(mock, model: str) -> int:
    models = httpx2.get(mock.url + "/mock/counts").raise_for_status().json()["models"]
    return models.get(model, {}).get("attempts", 0)


def test_what_is_over_the_limit_is_a_rate_limit_error(sluice, mock):
    client = client_of(sluice, "a")
    left = []
    for _ in range(5):
        received = ask(client, "five-a", messages=HELLO)
        assert received.text == PROMPT
        assert received.headers["x-ratelimit-limit-requests"] == "5"
        left.append(int(received.headers["x-ratelimit-remaining-requests"]))
    assert left == sorted(left, reverse=True) and left[-1] == 0
    refused = ask(client, "five-a", messages=HELLO)
    assert isinstance(refused.error, openai.RateLimitError) and refused.error.code == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining-requests"] == "0" and refused.headers["x-ratelimit-reset-requests"]
    assert refused.seconds < 0.5 and attempts(mock, "five-a") == 5
    # Somebody else has a limit of his own.
    assert ask(client_of(sluice, "b"), "five-a", messages=HELLO).text == PROMPT


def test_the_sdk_waits_as_long_as_it_is_told(sluice, mock):
    client = client_of(sluice, "a", max_retries=2)
    start = time.monotonic()
    for _ in range(4):
        assert client.chat.completions.create(model="quick-a", messages=HELLO).choices[0].message.content == PROMPT
    assert 0.4 < time.monotonic() - start < 6
    assert attempts(mock, "quick-a") == 4


def test_tokens_are_settled_on_what_was_used(sluice, mock):
    client = client_of(sluice, "a")
    model = "tokens-a+prompt-tokens=100+completion-tokens=300"
    received = [ask(client, model, messages=HELLO, max_tokens=20) for _ in range(3)]
    assert [one.error for one in received[:2]] == [None, None]
    assert int(received[1].headers["x-ratelimit-limit-tokens"]) == 1000
    # 800 of 1000 are used; what is left is not what was estimated.
    assert received[2].error is None
    refused = ask(client, model, messages=HELLO, max_tokens=20)
    assert isinstance(refused.error, openai.RateLimitError) and int(refused.headers["retry-after"]) >= 1


def test_a_failed_request_gives_its_tokens_back(sluice):
    client = client_of(sluice, "b")
    for _ in range(6):
        failed = ask(client, "tokens-b+status=500", messages=HELLO, max_tokens=800)
        assert isinstance(failed.error, openai.InternalServerError)
    assert ask(client, "tokens-b", messages=HELLO, max_tokens=800).error is None


async def test_never_more_than_the_limit_however_many_ask_at_once(sluice, mock):
    async with openai.AsyncOpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY + "-c", max_retries=0) as client:

        async def one() -> bool:
            try:
                await client.chat.completions.create(model="hundred-a", messages=HELLO)
                return True
            except openai.RateLimitError:
                return False

        admitted = sum(await asyncio.gather(*(one() for _ in range(300))))
    # What flows back within the seconds that this takes is less than one.
    assert 100 <= admitted <= 101 and attempts(mock, "hundred-a") == admitted


async def test_no_more_at_a_time_than_allowed(sluice):
    async with openai.AsyncOpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY + "-d", max_retries=0) as client:

        async def one() -> int:
            try:
                await client.chat.completions.create(model="two-at-once-a+latency-ms=300", messages=HELLO)
                return 200
            except openai.APIStatusError as error:
                return error.status_code

        assert sorted(await asyncio.gather(*(one() for _ in range(6)))) == [200, 200, 429, 429, 429, 429]
        # And what is over is given back.
        assert await one() == 200
