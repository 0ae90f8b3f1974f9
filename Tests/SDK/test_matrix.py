"""Every dialect that applications speak, with every platform that has a dialect of its own, feature by feature.

`EXPECTED` says what comes of each, the tests say what really came, and the documentation's table is written from that
(SLUICE_UPDATE_GOLDEN=1) or compared with it.
"""

import json
import os
import re
import urllib.parse
from typing import Literal

import anthropic
import httpx2
import openai
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from matrix_page import PAGE, page
from platforms import platforms
from processes import APPLICATION_KEY, MARK, Program, Sluice
from samples import PROMPT
from speakers import PIXEL, Chat, LangChain, Messages, Responses, Tool

WEATHER = Tool("get_weather", {"city": {"type": "string"}})
CLOCK = Tool("get_time", {})
ANSWER = {
    "type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}, "count": {"type": "integer"}},
    "required": ["kind", "count"], "additionalProperties": False,
}
# Requests of Messages cannot be without a limit; where a platform has none, nothing is missed.
NO_LIMIT = "without `max_tokens`"
THOUGHT = "First this, then that."
WORDS = "tokens=40,event-ms=2,"

# What the mock is told by the providers of this name.
BEHAVIOURS = {
    "": "",
    "-two": "tool-calls=2",
    "-thinks": "reasoning=" + urllib.parse.quote(THOUGHT),
    "-counts": "prompt-tokens=70,completion-tokens=30",
    "-long": "tokens=200",
    "-json": "text=" + urllib.parse.quote(json.dumps({"kind": "b", "count": 3})),
    "-limited": "status=429,retry-after=7",
    "-overloaded": "status=503",
    "-fails": "error-event",
    "-breaks": WORDS + "error-event=0.5",
    "-cut": WORDS + "cut=0.5",
}
SPEAKERS = {speaker.name: speaker for speaker in (Chat, Responses, Messages, LangChain)}
NAMES = ["openai", "anthropic", "gemini", "vertex", "bedrock", "ernie-v1", "dashscope", "hunyuan-native", "spark-ws"]

LETTERS = {"y": "yes", "a": "adapted", "r": "refused", "-": "not offered", "w": "without the wait"}
# What comes of each feature, in the order of NAMES; where an SDK is named, its row is another one.
EXPECTED = {
    "an answer": "y y y y y y y y y",
    "a streamed answer": "y y y y y y y y y",
    "instructions": "y y y y y y y y y",
    "a limit of the output": "y y y y y y y - y",
    "usage": "y y y y y y y y y",
    "a call of a tool": "y y y y y y y y y",
    ("responses", "a call of a tool"): "y y a a y y y y y",
    "two calls at once": "y y y y y - y y -",
    ("responses", "two calls at once"): "y y a a y - y y -",
    "a call without arguments": "y y y y y y y y a",
    ("responses", "a call without arguments"): "y y a a y y y y a",
    "results of a tool": "y y y y y y y y a",
    ("responses", "results of a tool"): "y y a a y y y y a",
    "results of a tool in a stream": "y y y y y y y y a",
    ("responses", "results of a tool in a stream"): "y y a a y y y y a",
    "results of two tools": "y y y y y - y y -",
    ("responses", "results of two tools"): "y y a a y - y y -",
    "reasoning": "- y y y a - a a a",
    ("messages", "reasoning"): "- y a a a - a a a",
    "reasoning with tools and results": "- y y y a - a a -",
    ("responses", "reasoning with tools and results"): "- y a a a - a a -",
    ("messages", "reasoning with tools and results"): "- y a a a - a a -",
    "JSON by a schema": "y y y y y a a a a",
    "an image": "y y y y y - y y -",
    "429 and how long to wait": "y y y y w w w w w",
    "a key that is refused": "y y y y y y y y y",
    "an overloaded platform": "y y y y y y y y y",
    "an error before the stream": "y y y y y y y y y",
    "an error within the stream": "y y y y y y y y y",
    "a stream that is cut": "y y y y y y y y y",
    "embeddings": "y - y - - y y y -",
    "an agent with a tool": "y y a a y y y y a",
    ("pydantic-ai, anthropic", "an agent with a tool"): "y y y y y y y y a",
    "a streamed agent with a tool": "y y a a y y y y a",
    ("pydantic-ai, anthropic", "a streamed agent with a tool"): "y y y y y y y y a",
    "an agent's typed output": "y y a a y y a a a",
    ("pydantic-ai, anthropic", "an agent's typed output"): "y y y y y y a a a",
}


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
        # The mock's own interface knows no key that is refused.
        behaviour = "status=401" if platform.name == "openai" else ""
        providers[platform.name + "-refused"] = platform.provider(anybody.url, behaviour, refused=True)
    program = Sluice(providers=providers, timeouts={"first_byte_ms": 5000, "stream_idle_ms": 5000})
    yield program
    program.end()


@pytest.fixture(scope="module")
def speakers(gateway):
    return {name: speaker(gateway.url) for name, speaker in SPEAKERS.items()}


@pytest.fixture(scope="module")
def recorder(anybody):
    """What the mock saw."""
    with httpx2.Client(base_url=anybody.url) as http:
        yield http


class Case:
    """One SDK and one platform; remembers whether anything was adapted on the way."""

    def __init__(self, speaker, platform):
        self.speaker = speaker
        self.platform = platform
        self.changes = set()

    def begin(self, *given, **named):
        return self.speaker.begin(*given, **named)

    def ask(self, turns, suffix="", model=None, **named):
        answer = self.speaker.ask(f"{self.platform.name}{suffix}/{model or self.platform.model}", turns, **named)
        self.note(self.speaker.headers)
        if self.speaker.name == "messages" and "limit" not in named:
            self.changes.discard(NO_LIMIT)
        return answer

    def note(self, headers):
        """What was changed, and what was left out."""
        for name, word in (("x-sluice-adapted-fields", ""), ("x-sluice-dropped-fields", "without ")):
            for field in filter(None, headers.get(name, "").split(", ")):
                # Anthropic's requests cannot be without a limit: one is added.
                if field.endswith("as it must be given"):
                    continue
                path, _, how = re.sub(r"\[\d+\]", "[]", field).partition(": ")
                self.changes.add(f"{word}`{path}`" + (f" {how}" if how else ""))

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


def limit(case):
    for stream in (False, True):
        answer = case.ask(case.begin(PROMPT), "-long", limit=16, stream=stream)
        holds = answer.usage[1] == 16
        assert answer.finish == ("length" if holds and case.platform.tells_length else "stop")
        assert holds or case.changes
    return case.outcome if holds else "not offered"


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
    assert third.calls if case.platform.has_results else third.text
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
        shown = THOUGHT if model and case.speaker.name != "langchain" else ""
        assert answer.text == PROMPT and answer.reasoning == shown
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
    return "not offered" if any("image" in change for change in case.changes) else case.outcome


def rate_limit(case):
    error = case.fails(case.speaker.package.RateLimitError, "-limited")
    assert error.status_code == 429 and error.body
    # Who is not told how long leaves the target alone for a second, and says so.
    wait = error.response.headers["retry-after"]
    assert wait in ("1", "7")
    if case.speaker.package is openai:
        assert error.code == "rate_limit_exceeded" and error.type
    return "yes" if wait == "7" else "without the wait"


def refused_key(case):
    kinds = (case.speaker.package.AuthenticationError, case.speaker.package.PermissionDeniedError)
    error = case.fails(kinds, "-refused")
    assert MARK not in str(error.body) and error.response.headers["x-sluice-error-owner"] == "gateway"
    return "yes"


def overloaded(case):
    error = case.fails(case.speaker.package.APIStatusError, "-overloaded")
    assert error.status_code >= 500 or error.status_code == 429 and case.platform.name == "hunyuan-native"
    return "yes"


def error_at_first(case):
    """An error as the first event of a stream is the request's own."""
    error = case.fails(case.speaker.package.APIStatusError, "-fails", stream=True)
    assert error.status_code >= 500 or error.status_code == 429 and case.platform.name == "bedrock"
    assert not case.speaker.came
    return "yes"


def error_in_stream(case):
    case.fails(case.speaker.package.APIError, "-breaks", stream=True)
    assert case.speaker.came
    return "yes"


def cut_stream(case):
    case.fails(case.speaker.package.APIError, "-cut", stream=True)
    assert case.speaker.came
    return "yes"


FEATURES = {
    "an answer": whole_answer,
    "a streamed answer": streamed_answer,
    "instructions": system,
    "a limit of the output": limit,
    "usage": usage,
    "a call of a tool": a_call,
    "two calls at once": parallel_calls,
    "a call without arguments": empty_arguments,
    "results of a tool": two_turns,
    "results of a tool in a stream": two_turns_streamed,
    "results of two tools": two_turns_parallel,
    "reasoning": reasoning,
    "reasoning with tools and results": reasoning_and_tools,
    "JSON by a schema": schema,
    "an image": image,
    "429 and how long to wait": rate_limit,
    "a key that is refused": refused_key,
    "an overloaded platform": overloaded,
    "an error before the stream": error_at_first,
    "an error within the stream": error_in_stream,
    "a stream that is cut": cut_stream,
}

# What came of each: by SDK, platform and feature, with what was changed on the way.
seen = {}


def last_number(http) -> int:
    requests = http.get("/mock/requests", params={"limit": 1}).raise_for_status().json()["requests"]
    return requests[-1]["number"] if requests else 0


def observe(case, feature, http) -> str:
    """What comes of a feature, which looks at everything itself."""
    before = last_number(http)
    try:
        return feature(case)
    except (openai.BadRequestError, anthropic.BadRequestError) as error:
        # What cannot be said is refused before anybody is asked.
        if last_number(http) != before:
            raise
        assert error.response.headers["x-sluice-error-owner"] == "caller"
        return "not offered" if error.body.get("code") == "unsupported_operation" else "refused"


def settle(sdk, name, feature, found, changes=()):
    seen[sdk, name, feature] = found, frozenset(changes)
    row = EXPECTED.get((sdk, feature)) or EXPECTED[feature]
    assert found == LETTERS[row.split()[NAMES.index(name)]], sorted(changes)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sdk", SPEAKERS)
def test_feature(speakers, all_platforms, recorder, sdk, name, feature):
    case = Case(speakers[sdk], all_platforms[name])
    found = observe(case, FEATURES[feature], recorder)
    settle(sdk, name, feature, found, case.changes)


@pytest.mark.parametrize("name", NAMES)
def test_embeddings(speakers, all_platforms, recorder, name):
    platform = all_platforms[name]

    def embed(case):
        texts = ["one", "two", "one"]
        model = f"{name}/{platform.embedding or platform.model}"
        reply = case.speaker.client.embeddings.create(model=model, input=texts)
        case.note(case.speaker.headers)
        vectors = [item.embedding for item in reply.data]
        assert [item.index for item in reply.data] == [0, 1, 2] and vectors[0] == vectors[2] != vectors[1]
        assert all(isinstance(number, float) for number in vectors[0]) and len({len(vector) for vector in vectors}) == 1
        # Gemini does not say how many there were.
        assert reply.usage.prompt_tokens > 0 or name == "gemini"
        return case.outcome

    case = Case(speakers["chat"], platform)
    settle("chat", name, "embeddings", observe(case, embed, recorder), case.changes)


# Agents of pydantic-ai: each run is a loop of its own over the SDK.


class Reply(BaseModel):
    kind: Literal["a", "b"]
    count: int


def agent_model(kind, url, model, case):
    async def note(response):
        case.note(response.headers)

    hooks = {"event_hooks": {"response": [note]}}
    if kind == "pydantic-ai, anthropic":
        client = anthropic.AsyncAnthropic(
            base_url=url, api_key=APPLICATION_KEY, max_retries=0, http_client=anthropic.DefaultAsyncHttpxClient(**hooks))
        return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))
    client = openai.AsyncOpenAI(
        base_url=url + "/v1", api_key=APPLICATION_KEY, max_retries=0, http_client=openai.DefaultAsyncHttpxClient(**hooks))
    provider = OpenAIProvider(openai_client=client)
    kinds = {"pydantic-ai, openai": OpenAIChatModel, "pydantic-ai, responses": OpenAIResponsesModel}
    return kinds[kind](model, provider=provider)


async def agent_with_tool(model, case):
    asked = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "28 °C, sunny"

    agent = Agent(model, tools=[get_weather], instructions="Be brief.")
    result = await agent.run(PROMPT)
    assert len(asked) == 1 and "28 °C, sunny" in result.output
    more = await agent.run("And now?", message_history=result.all_messages())
    if case.platform.has_results:
        assert len(asked) == 2 and "28 °C, sunny" in more.output
    else:
        assert more.output


async def agent_streamed(model, case):
    asked = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "28 °C, sunny"

    async with Agent(model, tools=[get_weather]).run_stream(PROMPT) as result:
        text = "".join([piece async for piece in result.stream_text(delta=True)])
    assert len(asked) == 1 and "28 °C, sunny" in text


async def agent_typed(model, case):
    result = await Agent(model, output_type=Reply).run(PROMPT)
    assert isinstance(result.output, Reply)


AGENTS = {
    "an agent with a tool": agent_with_tool,
    "a streamed agent with a tool": agent_streamed,
    "an agent's typed output": agent_typed,
}
AGENT_SDKS = ["pydantic-ai, openai", "pydantic-ai, responses", "pydantic-ai, anthropic"]


@pytest.mark.parametrize("feature", AGENTS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sdk", AGENT_SDKS)
async def test_agent(gateway, all_platforms, sdk, name, feature):
    case = Case(None, all_platforms[name])
    await AGENTS[feature](agent_model(sdk, gateway.url, f"{name}/{case.platform.model}", case), case)
    if sdk == "pydantic-ai, anthropic":
        case.changes.discard(NO_LIMIT)
    settle(sdk, name, feature, case.outcome, case.changes)


# What all of that left behind.


def test_credentials_stay_with_their_platform(all_platforms, recorder):
    """Each platform saw its own credentials, and nobody else's."""
    requests = recorder.get("/mock/requests", params={"limit": 20000}).raise_for_status().json()["requests"]
    seen_by = dict.fromkeys(NAMES, 0)
    for request in requests:
        text = urllib.parse.unquote(json.dumps(request, ensure_ascii=False))
        assert APPLICATION_KEY not in text
        for name, platform in all_platforms.items():
            is_own = request["path"].startswith("/" + platform.path.split("/")[1] + "/")
            shown = [secret for secret in platform.secrets if secret in text]
            assert is_own or not shown, f"{name}'s credential at {request['path']}"
            assert not any(secret in text for secret in platform.hidden), f"what {name} signs with at {request['path']}"
            seen_by[name] += bool(shown)
    assert requests and all(seen_by[name] for name in NAMES if any(one == name for _, one, _ in seen)), seen_by


def test_the_documentation_says_so():
    wanted = {(sdk, name, feature) for sdk in SPEAKERS for name in NAMES for feature in FEATURES}
    wanted |= {("chat", name, "embeddings") for name in NAMES}
    wanted |= {(sdk, name, feature) for sdk in AGENT_SDKS for name in NAMES for feature in AGENTS}
    if not wanted <= seen.keys():
        pytest.skip("some of the features were not looked at")
    text = page(seen, NAMES)
    if os.environ.get("SLUICE_UPDATE_GOLDEN") == "1":
        PAGE.write_text(text)
    assert PAGE.exists() and PAGE.read_text() == text, "SLUICE_UPDATE_GOLDEN=1 writes it anew"
