"""Everything else that the SDK calls: embeddings, images, audio, files, batches, responses, moderations, models."""

import io
import json
import time

import openai
import pytest

from samples import HELLO, PROMPT


def test_embeddings_as_the_sdk_asks_for_them(client, provider):
    reply = client.embeddings.create(model="text-embedding-mock", input=["one", "two", "three"], dimensions=64)
    assert [len(item.embedding) for item in reply.data] == [64, 64, 64]
    assert all(isinstance(value, float) for value in reply.data[0].embedding)
    assert json.loads(provider.last()["body"])["encoding_format"] == "base64"
    assert reply.usage.total_tokens > 0


def test_embeddings_as_numbers(client):
    request = {"model": "text-embedding-mock", "input": "one", "dimensions": 16}
    as_numbers = client.embeddings.create(**request, encoding_format="float")
    as_base64 = client.embeddings.create(**request)
    assert as_numbers.data[0].embedding == pytest.approx(as_base64.data[0].embedding, abs=1e-6)


def test_completions(client):
    reply = client.completions.create(model="instruct-mock", prompt="one two", max_tokens=16)
    assert reply.choices[0].text
    stream = client.completions.create(model="instruct-mock", prompt="one two", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices)


def test_moderations(client):
    reply = client.moderations.create(model="omni-moderation-mock", input="harmless")
    assert reply.results[0].flagged is False


def test_models(client):
    listed = {model.id: model.owned_by for model in client.models.list()}
    assert listed["echo"] == "sluice" and listed["gpt-mock"] == "mock"
    assert client.models.retrieve("gpt-mock").id == "gpt-mock"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("missing")


# Images and audio


def test_an_image_is_made(client):
    reply = client.images.generate(model="image-mock", prompt="a sluice", size="1024x1024", response_format="b64_json")
    assert reply.data[0].b64_json


def test_an_image_is_changed(client, provider):
    picture = io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100)
    picture.name = "picture.png"
    reply = client.images.edit(model="image-mock", image=picture, prompt="more water")
    assert reply.data
    assert provider.last()["headers"]["content-type"].startswith("multipart/form-data")
    assert provider.last()["body_bytes"] > 25_600


def test_speech_goes_into_a_file(client, tmp_path):
    target = tmp_path / "speech.mp3"
    with client.audio.speech.with_streaming_response.create(model="tts-mock", voice="alloy", input=PROMPT) as response:
        response.stream_to_file(target)
    assert target.stat().st_size > 1000
    whole = client.audio.speech.create(model="tts-mock", voice="alloy", input=PROMPT)
    assert whole.content == target.read_bytes()


@pytest.mark.parametrize("form", ["json", "text", "verbose_json"])
def test_speech_is_written_down(client, form):
    sound = io.BytesIO(b"RIFF" + bytes(50_000))
    sound.name = "sound.wav"
    reply = client.audio.transcriptions.create(model="transcribe-mock", file=sound, response_format=form)
    assert reply if form == "text" else reply.text


def test_speech_is_translated(client):
    sound = io.BytesIO(b"RIFF" + bytes(1000))
    sound.name = "sound.wav"
    assert client.audio.translations.create(model="transcribe-mock", file=sound).text


# Files and batches


def test_a_file_lives_and_dies(client):
    content = ("\n".join(json.dumps({"prompt": "é", "n": number}) for number in range(5000))).encode()
    file = client.files.create(file=("train.jsonl", content), purpose="fine-tune")
    assert file.bytes == len(content) and file.filename == "train.jsonl"
    assert file.id in [listed.id for listed in client.files.list(purpose="fine-tune")]
    assert client.files.retrieve(file.id).id == file.id
    assert client.files.content(file.id).read() == content
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_a_large_file_passes_without_being_held(client):
    content = bytes(range(256)) * 40_000
    file = client.files.create(file=("large.bin", content), purpose="user_data")
    assert file.bytes == len(content)
    with client.files.with_streaming_response.content(file.id) as response:
        assert b"".join(response.iter_bytes()) == content
    client.files.delete(file.id)


def test_a_batch_runs(client):
    body = {"model": "gpt-mock", "messages": HELLO}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    file = client.files.create(file=("batch.jsonl", json.dumps(line).encode()), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    deadline = time.monotonic() + 10
    while batch.status not in ("completed", "failed"):
        assert time.monotonic() < deadline, batch
        batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed" and batch.id in [listed.id for listed in client.batches.list()]
    result = json.loads(client.files.content(batch.output_file_id).text.splitlines()[0])
    assert result["custom_id"] == "a" and result["response"]["status_code"] == 200


def test_an_upload_in_parts(client):
    content = b"x" * 200_000
    upload = client.uploads.create(filename="big.jsonl", bytes=len(content), mime_type="text/jsonl", purpose="batch")
    parts = [client.uploads.parts.create(upload.id, data=content[start:start + 100_000]).id for start in (0, 100_000)]
    done = client.uploads.complete(upload.id, part_ids=parts)
    assert done.status == "completed" and done.file.bytes == len(content)


# Responses


def test_a_response_is_made_found_and_deleted(client):
    reply = client.responses.create(model="gpt-mock", input=PROMPT)
    assert reply.output_text == PROMPT and reply.usage.total_tokens > 0
    assert client.responses.retrieve(reply.id).id == reply.id
    client.responses.delete(reply.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(reply.id)


def test_a_response_in_a_stream(client):
    events = list(client.responses.create(model="gpt-mock+tokens=12", input=PROMPT, stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_helper_for_streams_of_responses(client):
    with client.responses.stream(model="gpt-mock", input=PROMPT) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == PROMPT


def test_a_response_that_breaks(client):
    with pytest.raises(openai.APIError):
        list(client.responses.create(model="gpt-mock+tokens=40+cut=0.5", input=PROMPT, stream=True))
