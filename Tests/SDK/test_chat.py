"""Chat completions, whole and streamed."""

import json
import time

import openai
import pydantic
import pytest

from processes import APPLICATION_KEY, PROVIDER_KEY
from samples import HELLO, PROMPT, WEATHER, text_of


def test_a_chat_is_answered(client, provider):
    reply = client.chat.completions.create(model="gpt-mock", messages=HELLO, temperature=0.7)
    assert reply.choices[0].message.content == PROMPT
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0
    assert reply._request_id.startswith("req_")


def test_the_provider_gets_its_key_and_not_the_application_s(client, provider):
    client.chat.completions.create(model="gpt-mock", messages=HELLO)
    seen = json.dumps(provider.last())
    assert APPLICATION_KEY not in seen
    assert provider.last()["headers"]["user-agent"].startswith("OpenAI/Python")


def test_unknown_fields_and_headers_reach_the_provider(client, provider):
    client.chat.completions.create(
        model="gpt-mock", messages=HELLO, extra_body={"future_field": {"deep": [1, 2.5, None]}, "seed2": 7},
        extra_headers={"OpenAI-Beta": "future=v1", "Idempotency-Key": "ik-1", "X-Private": "stays", "Cookie": "a=b"})
    seen = provider.last()
    body = json.loads(seen["body"])
    assert body["future_field"] == {"deep": [1, 2.5, None]} and body["seed2"] == 7
    assert seen["headers"]["openai-beta"] == "future=v1" and seen["headers"]["idempotency-key"] == "ik-1"
    assert "x-private" not in seen["headers"] and "cookie" not in seen["headers"]


def test_the_raw_response_has_its_headers(client, provider):
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-mock", messages=HELLO, extra_headers={"x-request-id": "sdk-raw-1"})
    assert raw.headers["x-request-id"] == "sdk-raw-1" and raw.headers["content-type"] == "application/json"
    assert "server" not in raw.headers and "set-cookie" not in raw.headers
    assert raw.parse().choices[0].message.content == PROMPT
    assert provider.last()["headers"]["x-request-id"] == "sdk-raw-1"


def test_several_choices(client):
    reply = client.chat.completions.create(model="gpt-mock", messages=HELLO, n=3)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]


# Streams


def test_a_stream_is_the_same_text_in_pieces(client):
    chunks = list(client.chat.completions.create(model="gpt-mock+tokens=40", messages=HELLO, stream=True))
    whole = client.chat.completions.create(model="gpt-mock+tokens=40", messages=HELLO)
    assert text_of(chunks) == whole.choices[0].message.content
    assert len(chunks) > 30
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None and chunk.choices for chunk in chunks), "usage was not asked for"


def test_usage_in_a_stream_that_asks_for_it(client):
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="gpt-mock", messages=HELLO, stream=True, stream_options=options))
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_provider_is_always_asked_for_usage(client, provider):
    list(client.chat.completions.create(model="gpt-mock", messages=HELLO, stream=True))
    assert json.loads(provider.last()["body"])["stream_options"] == {"include_usage": True}


def test_the_stream_helper(client):
    with client.chat.completions.stream(model="gpt-mock+tokens=20", messages=HELLO) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in kinds and "content.done" in kinds
    assert final.choices[0].finish_reason == "stop" and final.choices[0].message.content


def test_events_come_as_the_provider_sends_them(client):
    arrivals = []
    for chunk in client.chat.completions.create(model="gpt-mock+tokens=10+event-ms=50", messages=HELLO, stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            arrivals.append(time.monotonic())
    gaps = sorted(later - earlier for earlier, later in zip(arrivals, arrivals[1:]))
    assert 0.03 < gaps[len(gaps) // 2] < 0.12, gaps


def test_the_raw_bytes_of_a_stream(client):
    streaming = client.chat.completions.with_streaming_response
    with streaming.create(model="gpt-mock", messages=HELLO, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = list(response.iter_lines())
    assert [line for line in lines if line][-1] == "data: [DONE]"


def test_leaving_a_stream_cancels_it_at_the_provider(client, provider):
    model = "gpt-mock+tokens=1000+event-ms=20"
    with client.chat.completions.create(model=model, messages=HELLO, stream=True) as stream:
        for _, _ in zip(range(3), stream):
            pass
    deadline = time.monotonic() + 5
    while provider.counts(model)["cancelled"] == 0:
        assert time.monotonic() < deadline
    assert provider.counts(model)["open"] == 0


@pytest.mark.parametrize("fault", ["cut=0.5", "cut-clean=0.5", "stall=0.3"])
def test_a_stream_that_breaks_is_an_error_after_what_came(client, fault):
    came = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in client.chat.completions.create(model=f"gpt-mock+tokens=30+{fault}", messages=HELLO, stream=True):
            came.append(chunk)
    assert text_of(came)
    assert "mock" in str(caught.value)
    assert caught.value.code in ("upstream_truncated", "upstream_idle_timeout")


def test_an_error_event_within_a_stream(client):
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="gpt-mock+tokens=30+error-event=0.5", messages=HELLO, stream=True))


def test_a_stream_that_begins_with_an_error_is_an_error_of_the_request(impatient):
    with pytest.raises(openai.APIStatusError) as caught:
        impatient.chat.completions.create(model="gpt-mock+error-event", messages=HELLO, stream=True)
    assert caught.value.status_code >= 400


@pytest.mark.parametrize("defect", ["malformed", "no-done"])
def test_what_can_be_repaired_or_does_not_matter_goes_unnoticed(client, defect):
    chunks = list(client.chat.completions.create(model=f"gpt-mock+tokens=30+{defect}", messages=HELLO, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"


# Tools


def test_a_tool_is_called_and_its_result_answered(client):
    messages = [{"role": "user", "content": "How is the weather in Xi'an?"}]
    first = client.chat.completions.create(model="gpt-mock", messages=messages, tools=[WEATHER])
    call = first.choices[0].message.tool_calls[0]
    assert first.choices[0].finish_reason == "tool_calls" and call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "28 °C, sunny"}]
    second = client.chat.completions.create(model="gpt-mock", messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content


def test_tools_called_side_by_side_in_a_stream(client):
    with client.chat.completions.stream(model="gpt-mock+tool-calls=3", messages=HELLO, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert len(calls) == 3 and len({call.id for call in calls}) == 3
    for call in calls:
        assert "city" in json.loads(call.function.arguments)


# Structured output


class City(pydantic.BaseModel):
    name: str
    population: int
    districts: list[str]


def test_structured_output_is_parsed(client):
    reply = client.chat.completions.parse(model="gpt-mock", messages=HELLO, response_format=City)
    assert isinstance(reply.choices[0].message.parsed, City)


def test_structured_output_in_a_stream(client):
    with client.chat.completions.stream(model="gpt-mock", messages=HELLO, response_format=City) as stream:
        final = stream.get_final_completion()
    assert isinstance(final.choices[0].message.parsed, City)


# Sluice's own model


def test_the_echo_needs_no_provider(client, provider):
    reply = client.chat.completions.create(model="echo", messages=HELLO)
    assert (reply.choices[0].message.content, reply.model) == (PROMPT, "echo")
    chunks = list(client.chat.completions.create(model="echo", messages=HELLO, stream=True))
    assert {chunk.model for chunk in chunks} == {"echo"}
    assert text_of(chunks) == PROMPT
    assert provider.requests() == []


def test_a_large_prompt(client, provider):
    text = "Lorem ipsum dolor sit amet — 你好. " * 4000
    reply = client.chat.completions.create(model="gpt-mock+tokens=3", messages=[{"role": "user", "content": text}])
    assert reply.usage.prompt_tokens > 10_000
    assert provider.last()["body_bytes"] > len(text)
