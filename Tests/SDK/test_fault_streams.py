"""Streams that break after they began: continued, or repeated and compared, or ended with an honest error. Never a truncated success,
never a second beginning."""

import asyncio
import json

import anthropic
import openai
import pytest

from faults import ASK, GAP, SLACK, STORY, Case, World, ask
from processes import APPLICATION_KEY
from samples import WEATHER
from test_faults import CONFIGURATION

# Between two pieces of an answer, whatever else comes; in seconds.
CONTENT_GAP = 1.0
# How a stream breaks after two thirds, and the wait until that is known, in seconds.
BREAKS = {
    "cut": ("cut=0.66", 0), "cut-clean": ("cut-clean=0.66", 0), "error": ("error-event=0.66", 0), "stall": ("stall=0.66", GAP),
    "stall-and-keep-alives": ("stall=0.66+comments-ms=50", CONTENT_GAP),
}
# What the fallback does with an assistant's message at the end, whether that is known, and whether the stream can be rescued.
BACKUPS = {
    "continues": ("prefill=continue", True, True),
    "refuses": ("prefill=refuse", True, True),
    "ignores": ("", False, True),
    "refuses-and-differs": ("prefill=refuse+vary", True, False),
    "differs": ("vary", False, False),
    "differs-later": ("vary=0.5", False, False),
}


def cases() -> list[Case]:
    found = [
        Case(f"{breaks}-{backup}", (BREAKS[breaks][0], BACKUPS[backup][0]), prefills=(False, BACKUPS[backup][1]))
        for breaks in BREAKS for backup in BACKUPS]
    found += [
        Case("twice", ("cut=0.3", "prefill=continue+cut=0.5", "prefill=continue"), prefills=(False, True, True)),
        Case("all-cut", ("cut=0.5", "prefill=continue+cut=0.5", "prefill=continue+cut=0.5"), prefills=(False, True, True)),
        Case("alone", ("cut=0.66",)),
        Case("alone-and-once", ("cut=0.66+times=1",)),
        Case("no-done", ("no-done", "")),
        Case("no-finish", ("no-finish", "")),
        Case("malformed", ("malformed", "")),
        Case("slow-events", ("event-ms=20", "")),
        Case("drip", ("drip-ms=1+tokens=8", "")),
        Case("calls", ("cut=0.66", "prefill=continue"), prefills=(False, True)),
        Case("choices", ("cut=0.66", "prefill=continue"), prefills=(False, True)),
        Case("after-the-last-word", ("cut=1", "prefill=continue"), prefills=(False, True)),
        Case("many", ("cut=0.66+event-ms=2", "prefill=continue"), prefills=(False, True)),
        Case("messages", ("cut=0.66", "prefill=continue"), prefills=(False, True)),
        Case("messages-differ", ("cut=0.66", "vary"), prefills=(False, False)),
    ]
    return found


@pytest.fixture(scope="module")
def world():
    # What is no content does not count: keep-alives keep nothing alive that says nothing.
    world = World(cases(), **CONFIGURATION, timeouts={"stream_gap_ms": round(CONTENT_GAP * 1000)})
    yield world
    world.end()


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("backup", [name for name, (_, _, is_rescued) in BACKUPS.items() if is_rescued])
def test_a_broken_stream_is_rescued(world, breaks, backup):
    received = world.ask(name := f"{breaks}-{backup}", stream=True)
    assert received.is_whole, received.error
    assert received.text == STORY and received.finish == "stop"
    assert [chunk.choices[0].delta.role for chunk in received.chunks if chunk.choices].count("assistant") <= 1
    assert len({chunk.id for chunk in received.chunks}) == 1
    attempts = world.attempts(name)
    # The one that failed may be asked once more: nobody is more likely to say the same.
    assert 1 <= attempts[0] <= 2 and attempts[1] <= 2
    assert BREAKS[breaks][1] <= received.seconds < BREAKS[breaks][1] + SLACK


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("backup", [name for name, (_, _, is_rescued) in BACKUPS.items() if not is_rescued])
def test_what_cannot_be_rescued_ends_with_an_error(world, breaks, backup):
    received = world.ask(name := f"{breaks}-{backup}", stream=True)
    assert received.error is not None and received.finish is None
    assert received.text and STORY.startswith(received.text), "never a second beginning"
    assert sum(world.attempts(name)) <= 4
    assert world.log(received)["event.outcome"] != "complete"


def test_it_is_continued_after_what_the_application_has(world):
    received = world.ask("many", stream=True)
    assert received.text == STORY
    sent = json.loads(world.sent(1, "many")[-1]["body"])
    *question, begun = sent["messages"]
    assert question == ASK and begun["role"] == "assistant"
    assert STORY.startswith(begun["content"]) and len(STORY) / 2 < len(begun["content"]) < len(STORY)


def test_it_is_rescued_more_than_once(world):
    received = world.ask("twice", stream=True)
    assert received.text == STORY and received.finish == "stop"
    attempts = world.attempts("twice")
    assert attempts[0] == 1 and attempts[2] == 1 and sum(attempts) <= 4


def test_rescues_end(world):
    received = world.ask("all-cut", stream=True)
    assert received.error is not None and STORY.startswith(received.text) and len(received.text) > len(STORY) / 2
    assert sum(world.attempts("all-cut")) <= 6


def test_without_anybody_else_it_is_an_error(world):
    received = world.ask("alone", stream=True)
    assert received.error is not None and STORY.startswith(received.text) and received.finish is None


def test_without_anybody_else_it_may_be_repeated(world):
    received = world.ask("alone-and-once", stream=True)
    assert STORY.startswith(received.text) and (received.text == STORY) == received.is_whole


@pytest.mark.parametrize("name", ["no-done", "no-finish", "slow-events"])
def test_what_is_odd_but_complete_is_no_fault(world, name):
    received = world.ask(name, stream=True)
    assert received.error is None and received.text == STORY and world.attempts(name) == [1, 0]


def test_a_malformed_event_is_left_out(world):
    received = world.ask("malformed", stream=True)
    assert received.is_whole and received.text == STORY and world.attempts("malformed") == [1, 0]
    assert world.log(received)["sluice.stream.malformed_events"] == 1


def test_a_dripping_stream_is_waited_for(world):
    received = world.ask("drip", stream=True)
    assert received.is_whole and len(received.text.split()) == 8 and world.attempts("drip") == [1, 0]


def test_nothing_is_rescued_when_everything_was_said(world):
    received = world.ask("after-the-last-word", stream=True)
    assert STORY == received.text and (received.is_whole or received.error is not None)


def test_calls_of_tools_are_not_continued(world):
    received = world.ask("calls", stream=True, tools=[WEATHER])
    calls = [call for chunk in received.chunks for choice in chunk.choices for call in choice.delta.tool_calls or []]
    arguments = "".join(call.function.arguments or "" for call in calls)
    if received.error is None:
        assert json.loads(arguments)["city"] and received.finish == "tool_calls"
    else:
        assert received.finish is None


def test_several_choices_are_not_continued(world):
    received = world.ask("choices", stream=True, n=2)
    assert received.error is not None and received.finish is None


@pytest.mark.parametrize("name", ["cut-continues", "cut-ignores"])
def test_usage_is_of_the_whole(world, name):
    whole = world.ask("no-done", stream=True, stream_options={"include_usage": True})
    received = world.ask(name, stream=True, stream_options={"include_usage": True})
    assert received.text == STORY
    line = world.log(received)
    assert line["event.outcome"] == "complete" and 2 <= line["sluice.upstream.attempts"] <= 3
    assert line["gen_ai.usage.output_tokens"] >= whole.usage.completion_tokens
    assert received.usage.completion_tokens >= whole.usage.completion_tokens


async def test_many_at_a_time_are_not_mixed_up(world):
    async with openai.AsyncOpenAI(base_url=world.sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:

        async def story(number: int) -> tuple[str, str]:
            text = " ".join(f"{number}-{place}" for place in range(60))
            stream = await client.chat.completions.create(
                model="many", messages=[{"role": "user", "content": text}], stream=True)
            return text, "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        for text, received in await asyncio.gather(*(story(number) for number in range(100))):
            assert received == text


# Anthropic's SDK


@pytest.fixture
def messages(world):
    with anthropic.Anthropic(base_url=world.sluice.url, api_key=APPLICATION_KEY, max_retries=0) as client:
        yield client.messages


def test_a_broken_stream_of_messages_is_rescued(world, messages):
    with messages.stream(model="messages", max_tokens=500, messages=ASK) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert kinds.count("message_start") == kinds.count("message_stop") == 1
    assert final.content[0].text == STORY and len(final.content) == 1 and final.stop_reason == "end_turn"
    assert sum(world.attempts("messages")) == 2


def test_a_stream_of_messages_that_cannot_be_rescued_ends_with_an_error(world, messages):
    text = ""
    with pytest.raises(anthropic.APIError):
        with messages.stream(model="messages-differ", max_tokens=500, messages=ASK) as stream:
            for part in stream.text_stream:
                text += part
    assert text and STORY.startswith(text)
