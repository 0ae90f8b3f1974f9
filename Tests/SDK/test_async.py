"""The asynchronous client, and many requests at a time."""

import asyncio

import openai
import pytest

from processes import APPLICATION_KEY
from samples import HELLO, PROMPT


async def test_a_chat_and_a_stream(async_client):
    reply = await async_client.chat.completions.create(model="gpt-mock", messages=HELLO)
    assert reply.choices[0].message.content == PROMPT
    stream = await async_client.chat.completions.create(model="gpt-mock", messages=HELLO, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == PROMPT


async def test_two_hundred_at_a_time(async_client):
    async def ask(number):
        messages = [{"role": "user", "content": f"number {number}"}]
        reply = await async_client.chat.completions.create(model="gpt-mock+latency-ms=100", messages=messages)
        return reply.choices[0].message.content

    answers = await asyncio.gather(*(ask(number) for number in range(200)))
    assert answers == [f"number {number}" for number in range(200)]


async def test_a_hundred_streams_at_a_time(async_client):
    async def ask(number):
        messages = [{"role": "user", "content": f"one two three {number}"}]
        stream = await async_client.chat.completions.create(
            model="gpt-mock+event-ms=10", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    answers = await asyncio.gather(*(ask(number) for number in range(100)))
    assert answers == [f"one two three {number}" for number in range(100)]


async def test_a_task_that_is_cancelled_cancels_the_provider(async_client, provider):
    model = "gpt-mock+silence"
    task = asyncio.create_task(async_client.chat.completions.create(model=model, messages=HELLO))
    while model not in provider.http.get("/mock/counts").json()["models"]:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(500):
        if provider.counts(model)["open"] == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"still open: {provider.counts(model)}")


async def test_embeddings_and_models(async_client):
    reply = await async_client.embeddings.create(model="text-embedding-mock", input=["a", "b"])
    assert [item.index for item in reply.data] == [0, 1]
    assert "echo" in [model.id async for model in async_client.models.list()]


async def test_errors(sluice):
    async with openai.AsyncOpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(model="gpt-mock+status=429", messages=HELLO)
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=0.2).chat.completions.create(model="gpt-mock+silence", messages=HELLO)
