"""Who may come in, as the official SDKs see it: keys of Sluice's own, roles, and errors of the classes that they have for them."""

import subprocess

import anthropic
import httpx2
import openai
import pytest

from processes import Sluice, binary
from samples import HELLO


def issue(pepper_file: str) -> tuple[str, str]:
    """A key and its hash, as `sluice key new` prints them."""
    output = subprocess.run(
        [binary(), "key", "new", "--quiet", "--pepper", f"file:{pepper_file}"], check=True, capture_output=True, text=True)
    key, hash = output.stdout.split()
    return key, hash


@pytest.fixture(scope="module")
def pepper(tmp_path_factory):
    file = tmp_path_factory.mktemp("pepper") / "pepper"
    file.write_text("a pepper for tests, hush, and long enough\n")
    return str(file)


@pytest.fixture(scope="module")
def keys(pepper):
    names = ["app", "reader", "small", "off"]
    return {name: issue(pepper) for name in names}


@pytest.fixture(scope="module")
def guarded(mock, pepper, keys):
    program = Sluice(
        listeners=[{"address": "0.0.0.0:0"}],
        providers={"mock": mock.provider()},
        access={
            "pepper": f"file:{pepper}",
            "keys": {
                "app": {"hash": keys["app"][1], "roles": ["app"]},
                "reader": {"hash": keys["reader"][1], "roles": ["auditor"]},
                "small": {"hash": keys["small"][1], "roles": ["app"], "models": ["gpt-mock-small*"]},
                "off": {"hash": keys["off"][1], "disabled": True},
            },
        })
    yield program
    program.end()
    text = "\n".join(program.lines)
    for key, _ in keys.values():
        assert key not in text


@pytest.fixture
def url(guarded):
    return guarded.url.replace("0.0.0.0", "127.0.0.1")


def client(url, key, **options):
    return openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, **options)


def test_a_key_is_an_api_key(url, keys):
    with client(url, keys["app"][0]) as sdk:
        assert sdk.chat.completions.create(model="gpt-mock", messages=HELLO).choices[0].message.content
        stream = sdk.chat.completions.create(model="gpt-mock", messages=HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert [model.id for model in sdk.models.list()]


def test_anthropic_s_sdk_shows_it_in_its_own_field(url, keys):
    with anthropic.Anthropic(base_url=url, api_key=keys["app"][0], max_retries=0) as sdk:
        assert sdk.messages.create(model="gpt-mock", max_tokens=50, messages=HELLO).content[0].text
    with anthropic.Anthropic(base_url=url, api_key="sk-sluice-nonsense", max_retries=0) as sdk:
        with pytest.raises(anthropic.AuthenticationError):
            sdk.messages.create(model="gpt-mock", max_tokens=50, messages=HELLO)
    with anthropic.Anthropic(base_url=url, api_key=keys["reader"][0], max_retries=0) as sdk:
        with pytest.raises(anthropic.PermissionDeniedError):
            sdk.messages.create(model="gpt-mock", max_tokens=50, messages=HELLO)


@pytest.mark.parametrize("name", ["off", "unknown"])
def test_what_is_not_accepted_is_an_authentication_error(url, keys, name, pepper):
    key = keys[name][0] if name in keys else issue(pepper)[0]
    with client(url, key) as sdk, pytest.raises(openai.AuthenticationError) as caught:
        sdk.chat.completions.create(model="gpt-mock", messages=HELLO)
    assert caught.value.code == "invalid_api_key" and caught.value.type == "authentication_error"
    assert caught.value.response.headers["www-authenticate"].startswith("Bearer")


def test_what_roles_do_not_allow_is_a_permission_error(url, keys):
    with client(url, keys["reader"][0]) as sdk:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            sdk.chat.completions.create(model="gpt-mock", messages=HELLO)
        assert caught.value.code == "endpoint_not_allowed"
        assert sdk.models.list().data


def test_a_key_for_some_models_sees_and_uses_no_others(url, keys):
    with client(url, keys["small"][0]) as sdk:
        assert sdk.chat.completions.create(model="gpt-mock-small", messages=HELLO).choices
        with pytest.raises(openai.PermissionDeniedError) as caught:
            sdk.chat.completions.create(model="gpt-mock", messages=HELLO)
        assert caught.value.code == "model_not_allowed" and caught.value.param == "model"
        assert all(model.id.startswith("gpt-mock-small") for model in sdk.models.list())
        with pytest.raises(openai.PermissionDeniedError):
            sdk.batches.create(
                input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")


def test_the_sdk_s_own_headers_are_no_second_credential(url, keys):
    with client(url, keys["app"][0], organization="org-1", project="proj-1") as sdk:
        assert sdk.chat.completions.create(model="gpt-mock", messages=HELLO).choices
    reply = httpx2.post(
        url + "/v1/chat/completions", json={"model": "gpt-mock", "messages": HELLO},
        headers={"authorization": f"Bearer {keys['app'][0]}", "x-api-key": keys["reader"][0]})
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "ambiguous_credentials"


def test_the_provider_never_sees_it(url, keys, mock):
    """The mock takes its own key alone: a request that came through showed that."""
    with client(url, keys["app"][0]) as sdk:
        reply = sdk.chat.completions.with_raw_response.create(model="gpt-mock", messages=HELLO)
        assert reply.http_response.status_code == 200
    assert keys["app"][0] not in "\n".join(mock.lines)
