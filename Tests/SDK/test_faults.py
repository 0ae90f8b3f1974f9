"""Every kind of a provider's failure, driven through the OpenAI SDK: what the application got, how many attempts the providers
saw, and how long it took."""

import json
import time
from dataclasses import dataclass

import openai
import pytest

from faults import ASK, FIRST_BYTE, FIRST_TOKEN, GAP, SLACK, STORY, TOTAL, Case, World

@dataclass(frozen=True)
class Fault:
    """A primary that breaks, with a fallback that is well: what is due."""

    # The words of the mock.
    words: str
    # How many attempts the primary may see for one request.
    attempts: range = range(1, 3)
    # The wait that is due before somebody else is asked, in seconds.
    wait: float = 0


# What may go wrong before the first content of an answer: the application never learns of it, whether it asked for a stream or not.
BEFORE_THE_ANSWER = {
    "429-and-when": Fault("status=429+retry-after=30", range(1, 2)),
    "429-and-a-date": Fault("status=429+retry-after-date=30", range(1, 2)),
    "429-in-ms": Fault("status=429+retry-after-ms=30000", range(1, 2)),
    "429-in-words": Fault("status=429", range(1, 2)),
    "quota": Fault("quota", range(1, 2)),
    "500-forever": Fault("status=500"),
    "503-forever": Fault("status=503"),
    "529-forever": Fault("status=529"),
    "reset": Fault("reset"),
    "close": Fault("close"),
    "garbage": Fault("garbage"),
    "redirect": Fault("redirect"),
    "huge-head": Fault("huge-head"),
    "silence": Fault("silence", wait=FIRST_BYTE),
    "slow-head": Fault("slow-head", wait=FIRST_BYTE),
    "error-in-200": Fault("error-in-200"),
}
# What only a stream can do before its first content.
BEFORE_THE_STREAM = {
    "error-as-first-event": Fault("error-event"),
    "only-a-role-and-cut": Fault("cut=0"),
    "only-a-role-and-end": Fault("cut-clean=0"),
    "only-a-role-and-silence": Fault("stall=0", wait=FIRST_TOKEN),
    "slow-first-token": Fault("first-token-ms=8000", wait=FIRST_TOKEN),
    "only-keep-alives": Fault("comments-ms=20", wait=FIRST_TOKEN),
    "keep-alives-and-late": Fault("first-token-ms=8000+comments-ms=20", wait=FIRST_TOKEN),
}
# What only a whole answer can do.
BEFORE_THE_WHOLE = {
    "cut-body": Fault("cut=0.5"),
    "bad-length": Fault("bad-length"),
    "half-json": Fault("malformed"),
    "stalled-body": Fault("stall=0.5", wait=GAP),
}
FAULTS = {
    **{("whole", name): fault for name, fault in (BEFORE_THE_ANSWER | BEFORE_THE_WHOLE).items()},
    **{("stream", name): fault for name, fault in (BEFORE_THE_ANSWER | BEFORE_THE_STREAM).items()},
}


def cases() -> list[Case]:
    found = [Case(f"{kind}-{name}", (fault.words, "")) for (kind, name), fault in FAULTS.items()]
    found += [Case(f"once-{name}", (f"{words}+times=1",)) for name, words in ONCE.items()]
    found += [Case(f"once-with-more-{name}", (f"{words}+times=1", "")) for name, words in ONCE.items()]
    found += [
        Case("again-429", ("status=429+retry-after=30", "")),
        Case("again-429-soon", ("status=429+retry-after=1+times=1", "")),
        Case("all-429", ("status=429+retry-after=40", "status=429+retry-after=7", "status=429+retry-after=20")),
        Case("all-503", ("status=503", "status=503", "status=503")),
        Case("all-silent", ("silence", "silence", "silence")),
        Case("all-different", ("status=500", "reset", "status=429+retry-after=9")),
        Case("third", ("status=503", "reset", "")),
        Case("too-long", ("context-length",)),
        Case("too-long-with-more", ("context-length", "")),
        Case("refused", ("content-filter=refuse",)),
        Case("refused-with-more", ("content-filter=refuse", "")),
        Case("filtered", ("content-filter", "")),
        Case("bad-request", ("status=400", "")),
        Case("unprocessable", ("status=422", "")),
        Case("flapping", ("status=503+flap=5:5", "")),
        Case("sometimes", ("status=500+chance=0.2+seed=7", "")),
        Case("accounts", ("status=503+prompt-tokens=999", "status=500", "prompt-tokens=21+completion-tokens=34")),
    ]
    return found


@pytest.fixture(scope="module")
def world():
    world = World(cases(), **CONFIGURATION)
    yield world
    world.end()


CONFIGURATION = {"retries": {"content_policy": "next"}, "breakers": {}}
# What fails once is asked once more, if there is nobody else.
ONCE = {
    "500": "status=500", "502": "status=502", "503": "status=503", "529": "status=529", "reset": "reset", "close": "close",
    "error-in-200": "error-in-200",
}


@pytest.mark.parametrize("kind, name", FAULTS)
def test_what_breaks_before_the_answer_is_not_noticed(world, kind, name):
    fault = FAULTS[kind, name]
    received = world.ask(f"{kind}-{name}", stream=kind == "stream")
    assert received.is_whole, received.error
    assert received.text == STORY and received.finish == "stop"
    primary, backup = world.attempts(f"{kind}-{name}")
    assert primary in fault.attempts and backup == 1
    # A wait is due once, or once for each attempt.
    assert fault.wait <= received.seconds < primary * fault.wait + SLACK


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("kind", ["once", "once-with-more"])
def test_what_fails_once_is_made_good_by_one_more_attempt(world, kind, fault):
    received = world.ask(f"{kind}-{fault}", stream=kind == "once")
    assert received.is_whole, received.error
    assert received.text == STORY and received.seconds < SLACK
    assert sum(world.attempts(f"{kind}-{fault}")) == 2


def test_who_said_when_is_not_asked_before(world):
    for _ in range(5):
        received = world.ask("again-429")
        assert received.text == STORY and received.seconds < SLACK
    assert world.attempts("again-429") == [1, 5]


def test_who_said_when_is_asked_again_after_it(world):
    world.ask("again-429-soon")
    assert world.attempts("again-429-soon") == [1, 1]
    time.sleep(1.2)
    assert world.ask("again-429-soon").text == STORY
    assert world.attempts("again-429-soon") == [2, 1]


def test_when_all_are_at_their_limit_the_soonest_is_told(world):
    received = world.ask("all-429")
    assert isinstance(received.error, openai.RateLimitError)
    assert 1 <= int(received.headers["retry-after"]) <= 7
    assert world.attempts("all-429") == [1, 1, 1] and received.seconds < SLACK
    # And nobody is asked before that.
    again = world.ask("all-429")
    assert isinstance(again.error, (openai.RateLimitError, openai.InternalServerError))
    assert 1 <= int(again.headers["retry-after"]) <= 7
    assert world.attempts("all-429") == [1, 1, 1]


@pytest.mark.parametrize("name, kind", [("all-503", openai.InternalServerError), ("all-different", openai.APIStatusError)])
def test_when_all_fail_it_is_one_error_and_a_few_attempts(world, name, kind):
    received = world.ask(name)
    assert isinstance(received.error, kind) and received.error.status_code >= 429
    attempts = world.attempts(name)
    assert all(1 <= count <= 2 for count in attempts) and received.seconds < TOTAL + SLACK
    assert world.log(received)["sluice.upstream.attempts"] == sum(attempts)


def test_all_attempts_are_under_one_deadline(world):
    received = world.ask("all-silent")
    assert isinstance(received.error, openai.InternalServerError) and received.error.status_code == 504
    assert FIRST_BYTE <= received.seconds < TOTAL + SLACK
    assert all(count <= 2 for count in world.attempts("all-silent"))


def test_the_third_answers_when_two_cannot(world):
    for stream in (False, True):
        received = world.ask("third", stream=stream)
        assert received.text == STORY and received.finish == "stop" and received.seconds < SLACK


# What another attempt cannot change


def test_a_prompt_that_is_too_long_is_never_sent_again_to_the_same(world):
    received = world.ask("too-long")
    assert isinstance(received.error, openai.BadRequestError) and received.error.code == "context_length_exceeded"
    assert world.attempts("too-long") == [1]


def test_a_prompt_that_is_too_long_may_go_to_a_larger_one(world):
    received = world.ask("too-long-with-more", stream=True)
    assert received.text == STORY and world.attempts("too-long-with-more") == [1, 1]


def test_a_prompt_that_is_refused_is_never_sent_again_to_the_same(world):
    received = world.ask("refused")
    assert isinstance(received.error, openai.BadRequestError) and received.error.code == "content_filter"
    assert world.attempts("refused") == [1]


def test_a_prompt_that_is_refused_may_go_to_another(world):
    received = world.ask("refused-with-more")
    assert received.text == STORY and world.attempts("refused-with-more") == [1, 1]


def test_an_answer_that_was_filtered_is_an_answer(world):
    for stream in (False, True):
        received = world.ask("filtered", stream=stream)
        assert received.finish == "content_filter" and STORY.startswith(received.text) and received.text
    assert world.attempts("filtered") == [2, 0]


@pytest.mark.parametrize("name, kind", [("bad-request", openai.BadRequestError), ("unprocessable", openai.UnprocessableEntityError)])
def test_a_wrong_request_is_nobody_else_s_affair(world, name, kind):
    # More often than a breaker would bear, if it counted.
    for number in range(1, 31):
        received = world.ask(name)
        assert isinstance(received.error, kind) and world.attempts(name) == [number, 0]


# Trouble that lasts


def test_a_flapping_primary_costs_few_attempts(world):
    requests = 200
    for number in range(requests):
        assert world.ask("flapping", stream=number % 2 == 0).text == STORY
    assert sum(world.attempts("flapping")) <= 1.1 * requests


def test_a_primary_that_fails_now_and_then_is_never_noticed(world):
    requests = 60
    for _ in range(requests):
        received = world.ask("sometimes")
        assert received.text == STORY and received.seconds < SLACK
    assert sum(world.attempts("sometimes")) <= 1.4 * requests


# Accounts


@pytest.mark.parametrize("stream", [False, True])
def test_after_a_failover_the_one_who_answered_is_accounted_for(world, stream):
    before = world.attempts("accounts")
    options = {"stream_options": {"include_usage": True}} if stream else {}
    received = world.ask("accounts", stream=stream, **options)
    assert received.text == STORY
    assert (received.usage.prompt_tokens, received.usage.completion_tokens) == (21, 34)
    line = world.log(received)
    attempts = sum(world.attempts("accounts")) - sum(before)
    assert line["sluice.upstream.attempts"] == attempts
    assert line["gen_ai.provider.name"] == "three" and line["event.outcome"] == "complete"
    assert line["gen_ai.usage.input_tokens"] == 21 and line["gen_ai.usage.output_tokens"] == 34
    assert line["sluice.usage.source"] == "provider" and line["http.response.status_code"] == 200
    assert line["sluice.upstream.model"] == world.cases["accounts"].upstream(2)


def test_each_attempt_has_its_own_target_and_nothing_of_another(world):
    received = world.ask("third", temperature=0.5)
    assert received.text == STORY
    for place in range(3):
        for request in world.sent(place, "third"):
            body = json.loads(request["body"])
            assert body["model"] == world.cases["third"].upstream(place) and body["messages"] == ASK
