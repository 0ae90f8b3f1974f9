"""Anthropic's official SDK, with a provider behind Sluice that speaks OpenAI's dialect."""

import json

import anthropic
import pytest

from processes import APPLICATION_KEY, PROVIDER_KEY
from samples import HELLO, PROMPT

TOOL = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def messages(sluice):
    with anthropic.Anthropic(base_url=sluice.url, api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client.messages


def ask(messages, model="gpt-mock", /, **members):
    return messages.create(**{"model": model, "max_tokens": 64, "messages": HELLO, **members})


def test_a_message_is_answered(messages, provider):
    reply = ask(messages, system="Be brief.", stop_sequences=["END"], metadata={"user_id": "u-1"})
    assert reply.type == "message" and reply.role == "assistant" and reply.stop_reason == "end_turn"
    assert reply.content[0].type == "text" and reply.content[0].text == PROMPT
    assert reply.usage.input_tokens > 0 and reply.usage.output_tokens > 0
    assert reply._request_id.startswith("req_")
    sent = json.loads(provider.last()["body"])
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, *HELLO]
    assert sent["max_tokens"] == 64 and sent["stop"] == ["END"] and sent["user"] == "u-1"


def test_the_application_s_key_stays(sluice, provider):
    for credential in ({"api_key": APPLICATION_KEY}, {"auth_token": APPLICATION_KEY}):
        with anthropic.Anthropic(base_url=sluice.url, **credential) as client:
            client.beta.messages.create(model="gpt-mock", max_tokens=9, messages=HELLO, betas=["future-2026-01-01"])
        seen = json.dumps(provider.last())
        assert APPLICATION_KEY not in seen and "anthropic-" not in seen
        assert provider.last()["headers"]["authorization"] == f"Bearer {PROVIDER_KEY}"


def test_a_stream(messages):
    with messages.stream(model="gpt-mock+tokens=20", max_tokens=64, messages=HELLO) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == 1 and kinds.count("content_block_delta") > 10
    assert final.stop_reason == "end_turn" and final.content[0].text
    assert final.usage.output_tokens > 0 and final.usage.input_tokens > 0


def test_a_stream_and_the_whole_say_the_same(messages):
    with messages.stream(model="gpt-mock", max_tokens=64, messages=HELLO) as stream:
        final = stream.get_final_message()
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in ask(messages).content]


@pytest.mark.parametrize("streams", [False, True])
def test_two_turns_with_a_tool(messages, provider, streams):
    conversation = [{"role": "user", "content": "How is the weather in Xi'an?"}]
    request = {"model": "gpt-mock", "max_tokens": 64, "tools": [TOOL]}
    if streams:
        with messages.stream(**request, messages=conversation) as stream:
            first = stream.get_final_message()
    else:
        first = messages.create(**request, messages=conversation)
    call = first.content[-1]
    assert first.stop_reason == "tool_use" and call.type == "tool_use" and call.name == "get_weather"
    assert "city" in call.input
    conversation += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "28 °C, sunny"}]},
    ]
    second = messages.create(**request, messages=conversation)
    assert second.stop_reason == "end_turn" and second.content[0].text
    sent = json.loads(provider.last()["body"])["messages"]
    assert sent[1]["tool_calls"][0]["id"] == call.id
    assert sent[2] == {"role": "tool", "tool_call_id": call.id, "content": "28 °C, sunny"}


def test_tools_side_by_side(messages):
    with messages.stream(model="gpt-mock+tool-calls=3", max_tokens=64, messages=HELLO, tools=[TOOL]) as stream:
        calls = [block for block in stream.get_final_message().content if block.type == "tool_use"]
    assert len(calls) == 3 == len({call.id for call in calls}) and all("city" in call.input for call in calls)


def test_images_and_choices_of_tools(messages, provider):
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    ask(
        messages, messages=[{"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]}], tools=[TOOL],
        tool_choice={"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True})
    sent = json.loads(provider.last()["body"])
    assert sent["messages"][0]["content"][0] == {
        "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert sent["parallel_tool_calls"] is False


def test_what_cannot_be_said_is_named(messages):
    raw = messages.with_raw_response.create(model="gpt-mock", max_tokens=64, messages=HELLO, extra_body={"top_k": 5})
    assert raw.headers["x-sluice-dropped-fields"] == "top_k"


def test_tokens_are_estimated(messages):
    raw = messages.with_raw_response.count_tokens(model="gpt-mock", messages=HELLO)
    assert raw.parse().input_tokens > 5 and raw.headers["x-sluice-usage"] == "estimated"


def test_models(sluice):
    with anthropic.Anthropic(base_url=sluice.url, api_key=APPLICATION_KEY) as client:
        assert {"echo", "gpt-mock"} <= {model.id for model in client.models.list()}
        assert client.models.retrieve("gpt-mock").type == "model"


@pytest.mark.parametrize(
    "status, kind, name",
    [
        (400, anthropic.BadRequestError, "invalid_request_error"), (401, anthropic.AuthenticationError, "authentication_error"),
        (404, anthropic.NotFoundError, "not_found_error"), (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"), (503, anthropic.InternalServerError, "overloaded_error"),
    ])
def test_a_provider_s_error_is_the_sdk_s(messages, status, kind, name):
    with pytest.raises(kind) as caught:
        ask(messages, f"gpt-mock+status={status}")
    assert caught.value.status_code == status and caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == name and caught.value.body["error"]["message"]
    assert caught.value.body["request_id"] == caught.value.request_id


@pytest.mark.parametrize("fault", ["cut=0.5", "cut-clean=0.5", "stall=0.3", "error-event=0.5"])
def test_a_stream_that_breaks_is_an_error_after_what_came(messages, fault):
    came = []
    with pytest.raises(anthropic.APIError):
        for event in ask(messages, f"gpt-mock+tokens=30+event-ms=5+{fault}", stream=True):
            came.append(event.type)
    assert "content_block_delta" in came and "message_stop" not in came


def test_a_stream_that_begins_with_an_error_is_an_error_of_the_request(messages):
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(messages, "gpt-mock+error-event", stream=True)
    assert caught.value.status_code >= 400 and caught.value.body["type"] == "error"


def test_the_echo(messages):
    assert ask(messages, "echo").content[0].text == PROMPT
    with messages.stream(model="echo", max_tokens=64, messages=HELLO) as stream:
        assert stream.get_final_text() == PROMPT


def test_thinking_is_asked_for_in_the_provider_s_words(messages, provider):
    raw = messages.with_raw_response.create(
        model="gpt-mock", max_tokens=9000, messages=HELLO, thinking={"type": "enabled", "budget_tokens": 8000})
    assert raw.headers["x-sluice-adapted-fields"] == "thinking: as reasoning_effort high"
    assert json.loads(provider.last()["body"])["reasoning_effort"] == "high"
    ask(messages, thinking={"type": "adaptive"}, output_config={"effort": "low"})
    assert json.loads(provider.last()["body"])["reasoning_effort"] == "low"
