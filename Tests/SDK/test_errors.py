"""Errors of every kind arrive as the class that the SDK has for them, and are tried again where that helps."""

import time

import openai
import pytest

from processes import APPLICATION_KEY, Sluice
from samples import HELLO


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, openai.BadRequestError), (401, openai.AuthenticationError), (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError), (409, openai.ConflictError), (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError), (500, openai.InternalServerError), (502, openai.InternalServerError),
        (503, openai.InternalServerError), (529, openai.InternalServerError),
    ])
def test_a_provider_s_status_is_the_sdk_s_class(impatient, status, kind):
    with pytest.raises(kind) as caught:
        impatient.chat.completions.create(model=f"gpt-mock+status={status}", messages=HELLO)
    assert caught.value.status_code == status and type(caught.value) is kind
    assert caught.value.message and caught.value.request_id.startswith("req_")
    assert caught.value.body["message"]


def test_the_provider_s_words_are_kept(impatient):
    with pytest.raises(openai.RateLimitError) as caught:
        impatient.chat.completions.create(model="gpt-mock+quota", messages=HELLO)
    assert caught.value.code == "insufficient_quota"
    with pytest.raises(openai.BadRequestError) as caught:
        impatient.chat.completions.create(model="gpt-mock+context-length", messages=HELLO)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("fault", ["reset", "close", "garbage", "redirect", "huge-head"])
def test_a_provider_that_breaks_is_a_server_s_error(impatient, fault):
    with pytest.raises(openai.InternalServerError) as caught:
        impatient.chat.completions.create(model=f"gpt-mock+{fault}", messages=HELLO)
    assert caught.value.status_code == 502 and caught.value.code.startswith("upstream_")


def test_a_reply_that_is_cut_is_an_error(impatient):
    with pytest.raises(openai.APIError):
        impatient.chat.completions.create(model="gpt-mock+tokens=200+bad-length", messages=HELLO)


def test_a_redirect_is_not_followed(impatient, provider):
    with pytest.raises(openai.InternalServerError):
        impatient.chat.completions.create(model="gpt-mock+redirect", messages=HELLO)
    assert provider.http.get("/mock/counts").json()["redirects_followed"] == 0


def test_silence_is_a_timeout_of_the_gateway(impatient):
    with pytest.raises(openai.InternalServerError) as caught:
        impatient.chat.completions.create(model="gpt-mock+silence", messages=HELLO)
    assert caught.value.status_code == 504 and caught.value.code == "upstream_timeout"


def test_a_timeout_of_the_application(impatient):
    with pytest.raises(openai.APITimeoutError):
        impatient.with_options(timeout=0.3).chat.completions.create(model="gpt-mock+latency-ms=2000", messages=HELLO)


def test_errors_of_the_gateway_itself(impatient):
    with pytest.raises(openai.BadRequestError) as caught:
        impatient.chat.completions.create(model="", messages=HELLO)
    assert caught.value.param == "model"
    with pytest.raises(openai.BadRequestError) as caught:
        impatient.chat.completions.create(model="gpt-mock", messages="not a list")
    assert caught.value.param == "messages"
    with pytest.raises(openai.NotFoundError) as caught:
        impatient.get("/nothing/here", cast_to=object)
    assert caught.value.code == "unknown_url"


def test_a_missing_model(impatient):
    with pytest.raises(openai.NotFoundError):
        impatient.chat.completions.create(model="missing", messages=HELLO)


# Trying again


def test_a_rate_limit_is_waited_for(client, provider):
    model = "gpt-mock+status=429+retry-after=1+times=1"
    start = time.monotonic()
    reply = client.chat.completions.create(model=model, messages=HELLO)
    assert reply.choices[0].message.content and 0.9 < time.monotonic() - start < 5
    assert provider.counts(model)["attempts"] == 2


@pytest.mark.parametrize("fault", ["status=500", "status=503", "reset", "close"])
def test_a_passing_failure_is_tried_again_once_and_not_by_two(client, provider, fault):
    model = f"gpt-mock+{fault}+times=1"
    assert client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content
    assert provider.counts(model)["attempts"] == 2


def test_retries_end_and_the_sdk_does_not_begin_them_again(mock, provider):
    model = "gpt-mock+status=500"
    # One of its own: no test before has used up its retries.
    sluice = Sluice(providers={"mock": mock.provider()})
    try:
        with openai.OpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=1) as client:
            with pytest.raises(openai.InternalServerError) as caught:
                client.chat.completions.create(model=model, messages=HELLO)
        assert caught.value.response.headers["x-should-retry"] == "false"
        assert provider.counts(model)["attempts"] == 3
    finally:
        sluice.end()


def test_what_cannot_succeed_is_not_tried_again(client, provider):
    start = time.monotonic()
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="gpt-mock", messages="no")
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gpt-mock+status=429+should-retry=false", messages=HELLO)
    assert time.monotonic() - start < 2
    assert len(provider.requests()) == 1


def test_a_provider_that_is_not_there():
    sluice = Sluice(providers={"gone": {"base_url": "http://127.0.0.1:9/v1", "api_key": "x"}})
    try:
        with openai.OpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0) as client:
            with pytest.raises(openai.InternalServerError) as caught:
                client.chat.completions.create(model="m", messages=HELLO)
            assert caught.value.code == "upstream_connect"
    finally:
        sluice.end()
