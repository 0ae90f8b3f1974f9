"""Every dialect that applications speak, with every platform that has a dialect of its own, feature by feature.

`EXPECTED` says what comes of each, the tests say what really came, and the documentation's table is written from that
(SLUICE_UPDATE_GOLDEN=1) or compared with it.
"""

import json
import os
import re
import urllib.parse
from pathlib import Path

import httpx2
import openai
import pytest

from platforms import platforms
from processes import APPLICATION_KEY, ROOT, Mock, Program, Sluice
from samples import PROMPT
from speakers import PIXEL, Chat, LangChain, Messages, Responses, Tool

WEATHER = Tool("get_weather", {"city": {"type": "string"}})
CLOCK = Tool("get_time", {})
ANSWER = {
    "type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}, "count": {"type": "integer"}},
    "required": ["kind", "count"], "additionalProperties": False,
}
THOUGHT = "First this, then that."
WORDS = "tokens=40,event-ms=2,"

# What the mock is told by the providers of this name.
BEHAVIOURS = {
    "": "",
    "-two": "tool-calls=2",
    "-thinks": "reasoning=" + urllib.parse.quote(THOUGHT),
    "-counts": "prompt-tokens=70,completion-tokens=30",
    "-json": "text=" + urllib.parse.quote(json.dumps({"kind": "b", "count": 3})),
    "-limited": "status=429,retry-after=7",
    "-overloaded": "status=503",
    "-fails": "error-event",
    "-breaks": WORDS + "error-event=0.5",
    "-cut": WORDS + "cut=0.5",
}
SPEAKERS = {speaker.name: speaker for speaker in (Chat, Responses, Messages, LangChain)}
NAMES = ["openai", "anthropic", "gemini", "vertex", "bedrock", "ernie-v1", "dashscope", "hunyuan-native", "spark-ws"]


@pytest.fixture(scope="module")
def anybody():
    """A mock that takes any key."""
    program = Program("mock", "--listen", "127.0.0.1:0", "--requests", "20000")
    program.url = program.address()
    yield program
    program.end()


@pytest.fixture(scope="module")
def all_platforms(anybody):
    known = {platform.name: platform for platform in platforms(anybody.url)}
    assert list(known) == NAMES
    return known


@pytest.fixture(scope="module")
def gateway(anybody, all_platforms):
    providers = {
        platform.name + suffix: platform.provider(anybody.url, behaviour)
        for platform in all_platforms.values() for suffix, behaviour in BEHAVIOURS.items()}
    for platform in all_platforms.values():
        providers[platform.name + "-refused"] = platform.provider(anybody.url, "status=401" if platform.name == "openai" else "", refused=True)
    program = Sluice(providers=providers, timeouts={"first_byte_ms": 5000, "stream_idle_ms": 5000})
    yield program
    program.end()


@pytest.fixture(scope="module")
def speakers(gateway):
    return {name: speaker(gateway.url) for name, speaker in SPEAKERS.items()}


class Case:
    """One SDK and one platform; remembers whether anything was adapted on the way."""

    def __init__(self, speaker, platform):
        self.speaker = speaker
        self.platform = platform
        self.changes = []

    def begin(self, *given, **named):
        return self.speaker.begin(*given, **named)

    def ask(self, turns, suffix="", model=None, **named):
        answer = self.speaker.ask(f"{self.platform.name}{suffix}/{model or self.platform.model}", turns, **named)
        for name in ("x-sluice-adapted-fields", "x-sluice-dropped-fields"):
            if value := self.speaker.headers.get(name):
                self.changes.append(f"{name}: {value}")
        return answer

    @property
    def outcome(self) -> str:
        return "adapted" if self.changes else "yes"

    def fails(self, kinds, suffix, **named):
        with pytest.raises(kinds) as caught:
            self.ask(self.begin(PROMPT), suffix, **named)
        return caught.value


# Features. Each says what came of it, after it has looked at everything.


def whole_answer(case):
    answer = case.ask(case.begin(PROMPT))
    assert answer.text == PROMPT and answer.finish == "stop" and not answer.calls and not answer.reasoning
    return case.outcome


def streamed_answer(case):
    answer = case.ask(case.begin(PROMPT), stream=True)
    assert answer.text == PROMPT and answer.finish == "stop" and not answer.calls and answer.pieces > 1
    return case.outcome


def system(case):
    answer = case.ask(case.begin(PROMPT, system="Be brief."))
    assert PROMPT in answer.text and answer.finish == "stop"
    return case.outcome


def usage(case):
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), "-counts", stream=stream)
        assert answer.usage == (70, 30)
    return case.outcome


def a_call(case):
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), tools=[WEATHER], stream=stream)
        if not answer.calls:
            assert case.changes and answer.text == PROMPT
            continue
        assert answer.finish == "tool_calls"
        check(answer.calls, ["get_weather"])
    return case.outcome if answer.calls else "not offered"


def check(calls, names):
    assert [call.name for call in calls] == names
    assert all(call.id for call in calls) and len({call.id for call in calls}) == len(calls)
    for call in calls:
        arguments = {} if call.name == CLOCK.name else {"city"}
        assert call.arguments.keys() == set(arguments)


def parallel_calls(case):
    counts = set()
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), "-two", tools=[WEATHER, CLOCK], stream=stream)
        counts.add(len(answer.calls))
        check(answer.calls, ["get_weather", "get_time"][:len(answer.calls)])
    assert len(counts) == 1
    return case.outcome if counts == {2} else "not offered"


def empty_arguments(case):
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), tools=[CLOCK], stream=stream)
        if not answer.calls:
            assert case.changes
            continue
        check(answer.calls, ["get_time"])
        turns = case.speaker.results(case.begin(PROMPT), answer, ["noon"])
        assert case.ask(turns, tools=[CLOCK], stream=stream).text
    return case.outcome if answer.calls else "not offered"


def second_turn(case, stream, suffix="", model=None, thinks=False):
    turns = case.begin(PROMPT)
    first = case.ask(turns, suffix, model, tools=[WEATHER, CLOCK], stream=stream, thinks=thinks)
    if not first.calls:
        assert case.changes
        return first, "not offered"
    results = ["28 °C, sunny", "noon"][:len(first.calls)]
    turns = case.speaker.results(turns, first, results)
    second = case.ask(turns, suffix, model, tools=[WEATHER, CLOCK], stream=stream, thinks=thinks)
    assert second.finish == "stop" and not second.calls and results[-1] in second.text
    turns += second.kept + case.begin("Thank you.")
    third = case.ask(turns, suffix, model, tools=[WEATHER], stream=stream, thinks=thinks)
    assert third.calls
    return first, case.outcome


def two_turns(case):
    return second_turn(case, False)[1]


def two_turns_streamed(case):
    return second_turn(case, True)[1]


def two_turns_parallel(case):
    first, outcome = second_turn(case, True, "-two")
    return outcome if len(first.calls) == 2 else "not offered"


def reasoning(case):
    model = case.platform.thinking
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), "-thinks" if model else "", model, thinks=True, stream=stream)
        assert answer.text == PROMPT and answer.reasoning == (THOUGHT if model and case.speaker.name != "langchain" else "")
    return case.outcome if model else "not offered"


def reasoning_and_tools(case):
    """Providers refuse the second turn unless what they sealed comes back as it was."""
    model = case.platform.thinking
    outcomes = set()
    for stream in (False, True):
        first, outcome = second_turn(case, stream, "-thinks" if model else "", model, thinks=True)
        if model and case.speaker.name != "langchain" and first.calls:
            assert first.reasoning == THOUGHT
        outcomes.add(outcome)
    assert len(outcomes) == 1 or outcomes == {"yes", "adapted"}
    return case.outcome if model and outcomes != {"not offered"} else "not offered"


def schema(case):
    suffix = "" if case.platform.answers_schemas else "-json"
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), suffix, schema=ANSWER, stream=stream)
        value = json.loads(answer.text)
        assert value.keys() == {"kind", "count"} and value["kind"] in ("a", "b") and isinstance(value["count"], int)
        assert answer.finish == "stop" and not answer.calls
    return case.outcome


def image(case):
    answer = case.ask(case.begin("What is it?", image=PIXEL), model=case.platform.vision)
    assert "What is it?" in answer.text
    return case.outcome


def rate_limit(case):
    error = case.fails(case.speaker.package.RateLimitError, "-limited")
    assert error.status_code == 429 and error.body
    wait = error.response.headers.get("retry-after")
    assert wait in (None, "7")
    if case.speaker.package is openai:
        assert error.code == "rate_limit_exceeded" and error.type
    return "yes" if wait else "without the wait"


def refused_key(case):
    error = case.fails(case.speaker.package.APIStatusError, "-refused")
    assert error.status_code in (401, 403)
    assert "hush" not in str(error.body)
    return "yes"


def overloaded(case):
    error = case.fails(case.speaker.package.InternalServerError, "-overloaded")
    assert error.status_code >= 500
    return "yes"


def error_at_first(case):
    """An error as the first event of a stream is the request's own."""
    error = case.fails(case.speaker.package.APIStatusError, "-fails", stream=True)
    assert error.status_code >= 500 and not case.speaker.came
    return "yes"


def error_in_stream(case):
    case.fails(failures(case), "-breaks", stream=True)
    assert case.speaker.came
    return "yes"


def cut_stream(case):
    case.fails(failures(case), "-cut", stream=True)
    assert case.speaker.came
    return "yes"


def failures(case):
    return case.speaker.package.APIError


FEATURES = {
    "an answer": whole_answer,
    "a streamed answer": streamed_answer,
    "instructions": system,
    "usage, streamed too": usage,
    "a call of a tool": a_call,
    "two calls at once": parallel_calls,
    "a call without arguments": empty_arguments,
    "results of a tool": two_turns,
    "results of a tool, streamed": two_turns_streamed,
    "results of two tools": two_turns_parallel,
    "reasoning": reasoning,
    "reasoning, tools and results": reasoning_and_tools,
    "JSON by a schema": schema,
    "an image": image,
    "429 and how long to wait": rate_limit,
    "a key that is refused": refused_key,
    "an overloaded platform": overloaded,
    "an error before the stream": error_at_first,
    "an error within the stream": error_in_stream,
    "a stream that is cut": cut_stream,
}

seen = {}


def observe(case, feature) -> str:
    try:
        return FEATURES[feature](case)
    except (openai.BadRequestError, case.speaker.package.BadRequestError) as error:
        if error.response.headers.get("x-sluice-error-owner") != "caller":
            raise
        return "refused"


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("speaker", SPEAKERS)
def test_cell(speakers, all_platforms, speaker, name, feature):
    case = Case(speakers[speaker], all_platforms[name])
    found = observe(case, feature)
    seen[speaker, name, feature] = found
    if os.environ.get("MATRIX_DEBUG"):
        print("OUT", found, case.changes)
