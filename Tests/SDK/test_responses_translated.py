"""OpenAI's official SDK asks for responses, and the provider behind Sluice has chat completions only."""

import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel

from processes import APPLICATION_KEY, Sluice
from samples import PROMPT

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
    },
    "strict": True,
}


@pytest.fixture(scope="module")
def translating(mock):
    program = Sluice(providers={"mock": mock.provider(responses="translated")})
    yield program
    program.end()


@pytest.fixture
def responses(translating):
    with openai.OpenAI(base_url=translating.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client.responses


def sent(provider) -> dict:
    last = provider.last()
    assert last["path"].endswith("/chat/completions")
    return json.loads(last["body"])


def test_a_response(responses, provider):
    reply = responses.create(
        model="gpt-mock", input=PROMPT, instructions="Be brief.", max_output_tokens=64, metadata={"a": "b"}, temperature=0.5)
    assert reply.output_text == PROMPT and reply.status == "completed" and reply.object == "response"
    assert reply.id.startswith("resp_") and reply.output[0].id.startswith("msg_")
    assert reply.instructions == "Be brief." and reply.metadata == {"a": "b"} and reply.temperature == 0.5
    assert reply.usage.input_tokens > 0 and reply.usage.output_tokens_details.reasoning_tokens >= 0
    request = sent(provider)
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
    assert request["max_tokens"] == 64 and "metadata" not in request and "input" not in request


def test_a_stream(responses):
    with responses.stream(model="gpt-mock+tokens=20", input=PROMPT) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    assert kinds[-4:] == [
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 10 and deltas[-1].snapshot == final.output_text == "".join(event.delta for event in deltas)
    assert final.usage.output_tokens > 0


def test_a_stream_and_the_whole_say_the_same(responses):
    with responses.stream(model="gpt-mock", input=PROMPT, tools=[TOOL]) as stream:
        final = stream.get_final_response()
    whole = responses.create(model="gpt-mock", input=PROMPT, tools=[TOOL])
    made_up = {"id", "call_id", "parsed", "parsed_arguments"}
    assert [item.type for item in final.output] == [item.type for item in whole.output]
    for one, other in zip(final.output, whole.output):
        assert {k: v for k, v in one.to_dict().items() if k not in made_up} == {
            k: v for k, v in other.to_dict().items() if k not in made_up}


@pytest.mark.parametrize("streams", [False, True])
def test_two_turns_with_a_tool(responses, provider, streams):
    conversation = [{"role": "user", "content": "How is the weather in Xi'an?"}]
    request = {"model": "gpt-mock", "tools": [TOOL]}
    if streams:
        with responses.stream(**request, input=conversation) as stream:
            first = stream.get_final_response()
    else:
        first = responses.create(**request, input=conversation)
    call = first.output[-1]
    assert call.type == "function_call" and call.name == "get_weather" and "city" in json.loads(call.arguments)
    conversation += [item.to_dict(exclude_unset=True) for item in first.output]
    conversation.append({"type": "function_call_output", "call_id": call.call_id, "output": "28 °C, sunny"})
    second = responses.create(**request, input=conversation)
    assert second.output_text
    messages = sent(provider)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["id"] == call.call_id
    assert messages[2] == {"role": "tool", "tool_call_id": call.call_id, "content": "28 °C, sunny"}


def test_tools_side_by_side(responses):
    with responses.stream(model="gpt-mock+tool-calls=3", input=PROMPT, tools=[TOOL]) as stream:
        calls = [item for item in stream.get_final_response().output if item.type == "function_call"]
    assert len(calls) == 3 == len({call.call_id for call in calls}) and all("city" in json.loads(call.arguments) for call in calls)


class Answer(BaseModel):
    kind: Literal["a", "b"]
    count: int


def test_structured_output(responses, provider):
    reply = responses.parse(model="gpt-mock", input=PROMPT, text_format=Answer)
    assert isinstance(reply.output_parsed, Answer)
    form = sent(provider)["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["name"] == "Answer" and form["json_schema"]["strict"] is True
    with responses.stream(model="gpt-mock", input=PROMPT, text_format=Answer) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Answer)


def test_what_needs_a_memory_is_refused(responses):
    with pytest.raises(openai.BadRequestError) as refused:
        responses.create(model="gpt-mock", input=PROMPT, previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"
    with pytest.raises(openai.NotFoundError):
        responses.retrieve("resp_1")
    with pytest.raises(openai.NotFoundError):
        responses.delete("resp_1")


def test_what_cannot_be_said_is_named(responses):
    raw = responses.with_raw_response.create(model="gpt-mock", input=PROMPT, store=True, tools=[{"type": "web_search"}])
    assert raw.headers["x-sluice-dropped-fields"] == "tools[0], store"
