"""OpenAI's official SDK talks to every provider that speaks a dialect of OpenAI's chat completions, each with its own deviations.

Behind Sluice is `sluice mock`, which under each prefix is as strict as that provider. What differs between them is in `PROVIDERS`.
"""

import json
from dataclasses import dataclass, field

import openai
import pytest

from processes import APPLICATION_KEY, MARK, PROVIDER_KEY, Sluice
from samples import HELLO, PROMPT, WEATHER, text_of

CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
THOUGHT = "First%20I%20think.%20Then%20I%20answer."
THOUGHTS = "First I think. Then I answer."

# What OpenAI has and others may not: none of these makes a reply another one.
GREEDY = {
    "seed": 7, "max_completion_tokens": 50, "user": "somebody", "temperature": 0.5, "stop": ["never said"], "frequency_penalty": 0.1,
    "logit_bias": {"50256": -1}, "store": True, "metadata": {"a": "b"}, "service_tier": "flex", "prompt_cache_key": "k",
    "safety_identifier": "s", "verbosity": "low",
}
# What hardly any other provider has.
OWN = {"store", "metadata", "service_tier", "verbosity", "prompt_cache_key", "safety_identifier"}
RENAMED = {"max_completion_tokens": None, "max_tokens": 50}
REFUSED, EXHAUSTED, LIMITED = (401, "invalid_api_key"), (429, "insufficient_quota"), (429, "rate_limit_exceeded")


@dataclass(frozen=True)
class Expected:
    """One provider: where it is, and in what it deviates."""

    path: str
    model: str
    adapter: str = ""
    settings: dict = field(default_factory=dict)
    tools: bool = True
    embeddings: bool = False
    lists: bool = False
    # Where reasoning is in a message; None: the mock's has none.
    reasoning: str | None = "reasoning_content"
    # Of `GREEDY`: what is dropped, and what has another name or another value there; None: it is not there.
    lost: frozenset = frozenset(OWN)
    sent: dict = field(default_factory=dict)
    takes_developer: bool = False
    says_length: bool = True
    # Statuses and codes.
    refused: tuple = REFUSED
    quota: tuple = EXHAUSTED
    overloaded: int = 503
    missing: int = 404
    # Whether the provider says how long to wait.
    retry_after: bool = True
    # Whether it refuses two messages of the user in a row.
    alternates: bool = False
    # Whether it has a word of its own for a prompt that it does not want.
    filters: bool = True


def lost(*names, but=()):
    return frozenset((OWN | set(names)) - set(but))


PROVIDERS = {
    "baidu": Expected("/baidu/v2", "ernie-4.5-turbo", embeddings=True, lists=True, lost=lost("logit_bias")),
    "spark": Expected(
        "/spark/v1", "4.0Ultra", settings={"capabilities": [{"models": ["4.0Ultra*"], "tools": True, "system_role": True}]},
        lost=lost("logit_bias", "seed", "stop"), sent={**RENAMED, "tools": [{"type": "web_search", "web_search": {"enable": False}}]},
        says_length=False, retry_after=False),
    "qwen": Expected(
        "/qwen/compatible-mode/v1", "qwen-plus", embeddings=True, lists=True, lost=lost("logit_bias", "frequency_penalty", "user"),
        sent=RENAMED, quota=LIMITED),
    "zhipu": Expected(
        "/zhipu/api/paas/v4", "glm-4.5", embeddings=True, lost=lost("logit_bias", "seed", "frequency_penalty"),
        sent={**RENAMED, "user": None, "user_id": "somebody", "thinking": {"type": "disabled"}}, retry_after=False),
    "hunyuan": Expected(
        "/hunyuan/v1", "hunyuan-turbos-latest", embeddings=True, lost=lost("logit_bias", "frequency_penalty", "user"), sent=RENAMED,
        quota=LIMITED, filters=False, alternates=True),
    "azure": Expected("/azure-v1/openai/v1", "gpt-4o", embeddings=True, reasoning=None, lost=frozenset(), takes_developer=True, quota=LIMITED),
    "azure-deployments": Expected(
        "/azure", "gpt-4o", embeddings=True, reasoning=None, lost=lost(but={"verbosity"}), takes_developer=True, quota=LIMITED),
    "azure-entra": Expected(
        "/azure", "gpt-4o", adapter="azure-deployments", embeddings=True, reasoning=None, lost=lost(but={"verbosity"}), takes_developer=True),
    "deepseek": Expected(
        "/deepseek", "deepseek-v4-flash", lists=True, lost=lost("logit_bias", "seed"),
        sent={**RENAMED, "user": None, "user_id": "somebody"}),
    "moonshot": Expected(
        "/moonshot/v1", "moonshot-v1-8k", lists=True,
        lost=lost("logit_bias", "seed", but={"prompt_cache_key", "safety_identifier"})),
    "minimax": Expected(
        "/minimax/v1", "MiniMax-M2.7", lost=lost("logit_bias", "seed", "frequency_penalty", "user"), sent={"reasoning_split": True},
        overloaded=502, missing=400, retry_after=False),
    "ark": Expected("/ark/api/v3", "doubao-seed-1-6", lost=lost("seed", "user", but={"service_tier"})),
    "mistral": Expected(
        "/mistral/v1", "mistral-medium", embeddings=True, lists=True, lost=lost("logit_bias", "user"),
        sent={**RENAMED, "seed": None, "random_seed": 7}, quota=LIMITED, filters=False),
    "groq": Expected("/groq/openai/v1", "llama-3.3", lists=True, lost=lost("logit_bias", "frequency_penalty", but={"service_tier"})),
    "xai": Expected("/xai/v1", "grok-3", lists=True, lost=lost("logit_bias"), filters=False),
    "perplexity": Expected(
        "/perplexity", "sonar", tools=False, lost=lost("logit_bias", "seed", "stop", "user"), sent=RENAMED, filters=False,
        alternates=True),
    "openrouter": Expected(
        "/openrouter/api/v1", "any/model", lists=True, reasoning="reasoning", lost=frozenset(), takes_developer=True,
        quota=(402, "insufficient_quota"), filters=False),
    "ollama": Expected(
        "/ollama/v1", "qwen3", embeddings=True, lists=True, lost=lost("logit_bias", "user"), sent=RENAMED,
        quota=LIMITED, filters=False),
    "vllm": Expected("/vllm/v1", "Qwen/Qwen3", embeddings=True, lists=True, lost=lost("user"), quota=LIMITED, filters=False),
    "sglang": Expected("/sglang/v1", "qwen", embeddings=True, lists=True, lost=lost("user"), quota=LIMITED, filters=False),
    "llamacpp": Expected("/llamacpp/v1", "gguf", embeddings=True, lists=True, lost=lost("user"), quota=LIMITED, filters=False),
    "together": Expected("/together/v1", "meta/llama", embeddings=True, lists=True, sent=RENAMED),
    "fireworks": Expected("/fireworks/inference/v1", "accounts/f/models/m", embeddings=True, lists=True, sent=RENAMED),
    "cohere": Expected(
        "/cohere/compatibility/v1", "command-a", embeddings=True, reasoning=None, takes_developer=True,
        lost=frozenset({"store", "metadata", "logit_bias", "service_tier"})),
}

ZHIPU_KEY = "testid0123456789.testsecretABC"
pytestmark = pytest.mark.timeout(30)


def settings(mock, name: str, expected: Expected, key: str | None = None) -> dict:
    """A provider of the configuration; with a key that is refused or has no quota if one is given."""
    made = {
        "adapter": expected.adapter or name, "base_url": mock.url + expected.path, "api_key": key or PROVIDER_KEY, **expected.settings,
    }
    if name == "zhipu" and not (key or "").endswith("quota"):
        made |= {"auth": "recipe:zhipu-jwt", "api_key": key or ZHIPU_KEY}
    if name == "azure-entra":
        del made["api_key"]
        made["auth"] = "recipe:azure-client-credentials"
        made["auth_settings"] = {
            "tenant_id": "t", "client_id": "c", "client_secret": key or f"{MARK}-secret",
            "token_url": mock.url + "/azure/t/oauth2/v2.0/token",
        }
    return made


@pytest.fixture(scope="module")
def compatible(mock):
    providers = {name: settings(mock, name, expected) for name, expected in PROVIDERS.items()}
    for name, expected in PROVIDERS.items():
        providers[name + "-refused"] = settings(mock, name, expected, f"{MARK}.sk-refused")
        if name != "azure-entra":
            providers[name + "-poor"] = settings(mock, name, expected, f"{MARK}.sk-quota")
    models = {
        "strict-" + name: {"provider": name, "upstream_model": expected.model, "unsupported": "strict"}
        for name, expected in PROVIDERS.items()
    }
    program = Sluice(providers=providers, models=models)
    yield program
    program.end()


@pytest.fixture(scope="module")
def client(compatible):
    with openai.OpenAI(base_url=compatible.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client


@pytest.fixture(params=PROVIDERS)
def name(request):
    return request.param


@pytest.fixture
def expected(name):
    return PROVIDERS[name]


@pytest.fixture
def model(name, expected):
    return f"{name}/{expected.model}"


def sent(provider) -> dict:
    return json.loads(provider.last()["body"])


def create(client, model, messages=HELLO, **more):
    return client.chat.completions.create(model=model, messages=messages, **more)


def stream(client, model, messages=HELLO, **more) -> list:
    """The chunks of a stream that ends as OpenAI's do."""
    raw = client.chat.completions.with_streaming_response
    chunks = []
    with raw.create(model=model, messages=messages, stream=True, **more) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line and not line.startswith(":")]
    assert lines[-1] == "data: [DONE]" and lines.count("data: [DONE]") == 1
    for line in lines[:-1]:
        chunks.append(openai.types.chat.ChatCompletionChunk.model_validate(json.loads(line.removeprefix("data: "))))
    with_choices = [chunk for chunk in chunks if chunk.choices]
    assert with_choices[0].choices[0].delta.role == "assistant"
    assert sum(chunk.choices[0].delta.role is not None for chunk in with_choices) == 1
    reasons = [chunk.choices[0].finish_reason for chunk in with_choices if chunk.choices[0].finish_reason]
    assert len(reasons) == 1 and with_choices[-1].choices[0].finish_reason == reasons[0]
    assert len({chunk.id for chunk in chunks}) == 1 and chunks[0].id
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    return chunks


def finish_of(chunks) -> str:
    return next(chunk.choices[0].finish_reason for chunk in reversed(chunks) if chunk.choices)


def calls_of(chunks) -> list[tuple[str, str, str]]:
    """The calls that a stream makes: identifier, name and arguments."""
    calls = {}
    for chunk in chunks:
        for delta in chunk.choices[0].delta.tool_calls or [] if chunk.choices else []:
            if delta.index not in calls:
                assert delta.index == len(calls) and delta.id and delta.type == "function" and delta.function.name
                calls[delta.index] = [delta.id, delta.function.name, ""]
            else:
                assert delta.id is None and delta.function.name is None
            calls[delta.index][2] += delta.function.arguments or ""
    return [tuple(call) for call in calls.values()]


def reasoning_of(chunks, member: str) -> str:
    return "".join(getattr(chunk.choices[0].delta, member, None) or "" for chunk in chunks if chunk.choices)


def word(model: str, words: str) -> str:
    return f"{model}+{words}"


# Chat


def test_a_chat(client, provider, model):
    reply = create(client, model, temperature=0.7)
    assert reply.object == "chat.completion" and reply.id and reply.model and reply.created
    assert reply.choices[0].message.content == PROMPT and reply.choices[0].message.role == "assistant"
    assert reply.choices[0].index == 0 and reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0
    seen = json.dumps(provider.last())
    assert APPLICATION_KEY not in seen and "sluice" not in sent(provider)["messages"]


def test_a_stream(client, model):
    chunks = stream(client, word(model, "tokens=30"))
    whole = create(client, word(model, "tokens=30"))
    assert text_of(chunks) == whole.choices[0].message.content
    assert len(chunks) > 25 and finish_of(chunks) == "stop"
    assert all(chunk.usage is None and chunk.choices for chunk in chunks), "usage was not asked for"


def test_usage_in_a_stream_that_asks_for_it(client, model):
    chunks = stream(client, model, stream_options={"include_usage": True})
    assert text_of(chunks) == PROMPT
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_length(client, model, expected):
    reason = "length" if expected.says_length else "stop"
    reply = create(client, word(model, "tokens=30"), max_tokens=5)
    assert reply.choices[0].finish_reason == reason
    assert finish_of(stream(client, word(model, "tokens=30"), max_completion_tokens=5)) == reason


def test_the_developer_role(client, provider, model, expected):
    messages = [{"role": "developer", "content": "Be brief."}, *HELLO]
    assert create(client, model, messages).choices[0].message.content.endswith(PROMPT)
    roles = [message["role"] for message in sent(provider)["messages"]]
    assert ("developer" in roles) == expected.takes_developer


def test_turns_that_do_not_alternate(client, model, expected):
    messages = [{"role": "system", "content": "Be brief."}, *HELLO, {"role": "user", "content": "And now?"}]
    if expected.alternates:
        with pytest.raises(openai.BadRequestError, match="alternate"):
            create(client, model, messages)
        return
    assert create(client, model, messages).choices[0].message.content.endswith("And now?")


def test_a_stop(client, model, expected):
    """It ends the answer and is no part of it."""
    messages = [{"role": "user", "content": "one STOP two"}]
    text = "one STOP two" if "stop" in expected.lost else "one "
    assert create(client, model, messages, stop="STOP").choices[0].message.content == text
    assert text_of(stream(client, model, messages, stop="STOP")) == text


def test_a_schema(client, model):
    schema = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": WEATHER["function"]["parameters"]}}
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, response_format=schema)
    reply = raw.parse()
    assert reply.choices[0].finish_reason == "stop" and not reply.choices[0].message.tool_calls
    if "instruction" not in raw.headers.get("x-sluice-adapted-fields", ""):
        assert "response_format" not in raw.headers.get("x-sluice-dropped-fields", "")
        assert isinstance(json.loads(reply.choices[0].message.content)["city"], str)


# Tools


@pytest.fixture
def tool_model(model, expected):
    if not expected.tools:
        pytest.skip("has no tools")
    return model


def test_a_tool(client, tool_model):
    reply = create(client, tool_model, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "tool_calls"
    (call,) = reply.choices[0].message.tool_calls
    assert call.id and call.type == "function" and call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    chunks = stream(client, tool_model, tools=[WEATHER])
    ((id, name, arguments),) = calls_of(chunks)
    assert name == "get_weather" and json.loads(arguments) == json.loads(call.function.arguments)
    assert finish_of(chunks) == "tool_calls" and not text_of(chunks)


def test_parallel_tools(client, tool_model):
    model = word(tool_model, "tool-calls=3")
    reply = create(client, model, tools=[WEATHER, CLOCK])
    calls = reply.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time", "get_weather"]
    assert len({call.id for call in calls}) == 3
    streamed = calls_of(stream(client, model, tools=[WEATHER, CLOCK]))
    assert [name for _, name, _ in streamed] == ["get_weather", "get_time", "get_weather"]
    assert len({id for id, _, _ in streamed}) == 3
    assert [json.loads(arguments) for _, _, arguments in streamed] == [json.loads(call.function.arguments) for call in calls]


def test_empty_arguments(client, tool_model):
    for model in (tool_model, word(tool_model, "arguments=")):
        (call,) = create(client, model, tools=[CLOCK]).choices[0].message.tool_calls
        assert json.loads(call.function.arguments or "{}") == {}
        ((_, _, arguments),) = calls_of(stream(client, model, tools=[CLOCK]))
        assert json.loads(arguments or "{}") == {}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_two_turns(client, provider, tool_model, streamed):
    """What came back as calls is accepted as it came, reasoning and all."""
    model = word(tool_model, f"tool-calls=2+reasoning={THOUGHT}")
    tools = [WEATHER, CLOCK]
    if streamed:
        with client.chat.completions.stream(model=model, messages=HELLO, tools=tools) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = create(client, model, tools=tools).choices[0].message
    turn = message.to_dict()
    for call in turn["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
    turn.pop("parsed", None)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": f"{index} degrees"} for index, call in enumerate(turn["tool_calls"])]
    reply = create(client, model, [*HELLO, turn, *results], tools=tools)
    assert reply.choices[0].message.content.endswith("1 degrees") and reply.choices[0].finish_reason == "stop"
    seen = sent(provider)["messages"]
    assert [one["role"] for one in seen] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in seen[1]["tool_calls"]] == [one["tool_call_id"] for one in seen[2:]]


def test_a_forced_tool(client, provider, tool_model):
    raw = client.chat.completions.with_raw_response.create(
        model=tool_model, messages=HELLO, tools=[WEATHER], tool_choice="required")
    assert raw.parse().choices[0].message.tool_calls[0].function.name == "get_weather"
    choice = sent(provider).get("tool_choice")
    changes = raw.headers.get("x-sluice-dropped-fields", "") + raw.headers.get("x-sluice-adapted-fields", "")
    assert choice == "required" or "tool_choice" in changes, choice


# Reasoning


def test_reasoning(client, model, expected):
    model = word(model, f"reasoning={THOUGHT}")
    thoughts = THOUGHTS if expected.reasoning else ""
    message = create(client, model).choices[0].message
    assert message.content == PROMPT
    assert getattr(message, expected.reasoning or "reasoning_content", "") == thoughts
    chunks = stream(client, model)
    assert text_of(chunks) == PROMPT
    assert reasoning_of(chunks, expected.reasoning or "reasoning_content") == thoughts


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh"])
def test_an_effort(client, model, effort):
    """Every word is one that the provider takes, or is dropped."""
    assert create(client, model, reasoning_effort=effort).choices[0].message.content == PROMPT
    assert text_of(stream(client, model, reasoning_effort=effort)) == PROMPT


def test_open_models_that_think_in_streams_only(client):
    assert create(client, "qwen/qwen3-32b").choices[0].message.content == PROMPT
    assert text_of(stream(client, "qwen/qwen3-32b", reasoning_effort="high")) == PROMPT


def test_a_model_that_takes_no_temperature(client):
    raw = client.chat.completions.with_raw_response.create(model="moonshot/kimi-k2.5", messages=HELLO, temperature=0.2)
    assert raw.headers["x-sluice-dropped-fields"] == "temperature" and raw.parse().choices[0].message.content == PROMPT


def test_reasoning_goes_back(client, model):
    turn = {"role": "assistant", "content": "Hello.", "reasoning_content": THOUGHTS, "refusal": None}
    reply = create(client, model, [*HELLO, turn, {"role": "user", "content": "And now?"}])
    assert reply.choices[0].message.content == "And now?"


# Fields


def test_fields_that_others_do_not_have(client, provider, model, expected, name):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, **GREEDY)
    assert raw.parse().choices[0].message.content == PROMPT
    dropped = raw.headers.get("x-sluice-dropped-fields", "")
    assert set(dropped.split(", ") if dropped else []) == expected.lost
    body = sent(provider)
    assert not expected.lost & body.keys()
    wanted = {key: value for key, value in GREEDY.items() if key not in expected.lost} | expected.sent
    given = {key: value for key, value in body.items() if key not in ("model", "messages")}
    assert given == {key: value for key, value in wanted.items() if value is not None}


def test_strict_refuses_what_would_be_lost(client, provider, name, expected):
    if not expected.lost:
        pytest.skip("nothing is lost")
    with pytest.raises(openai.BadRequestError) as caught:
        create(client, "strict-" + name, **GREEDY)
    assert caught.value.code == "unsupported_parameter" and caught.value.param in expected.lost
    assert not provider.requests(), "it never went out"


# Errors


def failing(client, model, kind, **more):
    with pytest.raises(kind) as caught:
        create(client, model, **more)
    assert caught.value.message and caught.value.request_id.startswith("req_")
    with pytest.raises(kind) as streamed:
        create(client, model, stream=True, **more)
    assert streamed.value.code == caught.value.code
    return caught.value


def test_a_refused_key(client, name, expected):
    error = failing(client, f"{name}-refused/{expected.model}", openai.APIStatusError)
    assert (error.status_code, error.code) == expected.refused


def test_a_key_without_quota(client, name, expected):
    if name == "azure-entra":
        pytest.skip("has no key")
    error = failing(client, f"{name}-poor/{expected.model}", openai.APIStatusError)
    assert (error.status_code, error.code) == expected.quota


def test_a_rate_limit(client, model, expected):
    error = failing(client, word(model, "status=429+retry-after=7"), openai.RateLimitError)
    assert error.code == "rate_limit_exceeded"
    # Who is not told how long leaves the target alone for a second, and says so.
    assert error.response.headers["retry-after"] == ("7" if expected.retry_after else "1")


def test_an_overloaded_provider(client, model, expected):
    error = failing(client, word(model, "status=503"), openai.InternalServerError)
    assert error.status_code == expected.overloaded


def test_a_missing_model(client, name, expected):
    error = failing(client, name + "/missing", openai.APIStatusError)
    assert error.status_code == expected.missing and (error.code == "model_not_found" or expected.missing == 400)


def test_a_context_that_is_too_long(client, model):
    assert failing(client, word(model, "context-length"), openai.BadRequestError).code == "context_length_exceeded"


def test_a_prompt_that_is_refused(client, model, expected):
    code = failing(client, word(model, "content-filter=refuse"), openai.BadRequestError).code
    assert code == "content_filter" or not expected.filters


def test_an_error_with_status_200(client, model):
    assert failing(client, word(model, "error-in-200"), openai.InternalServerError).status_code in (500, 502)


@pytest.mark.parametrize("share", ["", "=0.5"], ids=["first", "later"])
def test_an_error_in_a_stream(client, model, share):
    came = []
    with pytest.raises(openai.APIError):
        for chunk in create(client, word(model, f"tokens=8+event-ms=10+error-event{share}"), stream=True):
            came.append(chunk)
    assert bool(came) == bool(share)
    assert not any(chunk.choices and chunk.choices[0].finish_reason for chunk in came)


# Other operations


def test_embeddings(client, name, expected, model):
    if not expected.embeddings:
        with pytest.raises(openai.BadRequestError) as caught:
            client.embeddings.create(model=model, input="x")
        assert caught.value.code == "unsupported_operation"
        return
    reply = client.embeddings.create(model=model, input=["a", "b"])
    assert [item.index for item in reply.data] == [0, 1] and len(reply.data[0].embedding) >= 256
    assert reply.usage.prompt_tokens > 0


def test_the_list_of_models(client):
    owners = {model.owned_by for model in client.models.list()}
    assert {name for name, expected in PROVIDERS.items() if expected.lists} <= owners
