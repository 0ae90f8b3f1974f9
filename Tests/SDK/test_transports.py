"""Every way to reach Sluice, with the SDK unchanged but for its HTTP client."""

import ssl

import httpx2
import openai
import pytest

from processes import APPLICATION_KEY
from samples import HELLO, PROMPT, text_of


def use(url: str, http: httpx2.Client):
    with openai.OpenAI(base_url=url + "/v1", api_key=APPLICATION_KEY, http_client=http) as client:
        raw = client.chat.completions.with_raw_response.create(model="gpt-mock", messages=HELLO)
        assert raw.parse().choices[0].message.content == PROMPT
        assert text_of(client.chat.completions.create(model="gpt-mock", messages=HELLO, stream=True)) == PROMPT
        file = client.files.create(file=("a.txt", b"y" * 300_000), purpose="user_data")
        assert len(client.files.content(file.id).read()) == 300_000
        with pytest.raises(openai.APIError):
            list(client.chat.completions.create(model="gpt-mock+tokens=30+cut=0.5", messages=HELLO, stream=True))
        with pytest.raises(openai.RateLimitError):
            client.with_options(max_retries=0).chat.completions.create(model="gpt-mock+status=429", messages=HELLO)
        return raw.http_response.http_version


def trusting(certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate.file)


def test_http_1(sluice):
    assert use(sluice.url, httpx2.Client(http2=False)) == "HTTP/1.1"


def test_http_2_by_prior_knowledge(sluice):
    assert use(sluice.url, httpx2.Client(http1=False, http2=True)) == "HTTP/2"


def test_http_2_over_tls(sluice, certificate):
    url = sluice.address(scheme="https")
    assert use(url, httpx2.Client(http2=True, verify=trusting(certificate))) == "HTTP/2"


def test_http_1_over_tls(sluice, certificate):
    url = sluice.address(scheme="https")
    assert use(url, httpx2.Client(http2=False, verify=trusting(certificate))) == "HTTP/1.1"


def test_a_unix_socket(sluice, socket_path):
    assert use("http://sluice.local", httpx2.Client(transport=httpx2.HTTPTransport(uds=socket_path))) == "HTTP/1.1"


def test_http_2_over_a_unix_socket(sluice, socket_path):
    transport = httpx2.HTTPTransport(uds=socket_path, http1=False, http2=True)
    assert use("http://sluice.local", httpx2.Client(transport=transport)) == "HTTP/2"


def test_a_certificate_that_is_not_trusted(sluice):
    with openai.OpenAI(base_url=sluice.address(scheme="https") + "/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError):
            client.models.list()


async def test_many_streams_on_one_http_2_connection(sluice):
    import asyncio

    http = httpx2.AsyncClient(http1=False, http2=True, limits=httpx2.Limits(max_connections=1))
    async with openai.AsyncOpenAI(base_url=sluice.url + "/v1", api_key=APPLICATION_KEY, http_client=http) as client:
        async def ask(number):
            messages = [{"role": "user", "content": f"number {number}"}]
            stream = await client.chat.completions.create(model="gpt-mock+event-ms=5", messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        answers = await asyncio.gather(*(ask(number) for number in range(60)))
    assert answers == [f"number {number}" for number in range(60)]
