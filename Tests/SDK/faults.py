"""What the fault suite is made of: providers that break in their own way, one Sluice before them, and what came of a request.

A model of Sluice is a case. Its targets are models of mocks whose names say how they behave, so that each case has targets,
breakers and counts of its own, and all cases share a few processes.
"""

import time
from dataclasses import dataclass, field

import httpx2
import openai

from processes import APPLICATION_KEY, Mock, Sluice

# Long enough that two thirds of it are many events.
STORY = " ".join(f"word{number}" for number in range(60))
ASK = [{"role": "user", "content": STORY}]

# The deadlines of every case, in seconds. Bounds of the tests are these and what a busy machine may add.
FIRST_BYTE = 0.5
FIRST_TOKEN = 0.6
GAP = 0.6
TOTAL = 4.0
TIMEOUTS = {
    "first_byte_ms": round(FIRST_BYTE * 1000), "first_token_ms": round(FIRST_TOKEN * 1000), "stream_idle_ms": round(GAP * 1000),
    "total_ms": round(TOTAL * 1000),
}
# What may come on top of the waits that are due.
SLACK = 1.5


@dataclass(frozen=True)
class Case:
    """A model, and how its targets behave: first the one that is asked first, then those that stand in for it."""

    name: str
    targets: tuple[str, ...]
    # More members of the model.
    members: dict = field(default_factory=dict)
    # Which targets are known to go on after an assistant's message.
    prefills: tuple[bool, ...] = ()

    def upstream(self, place: int) -> str:
        words = self.targets[place]
        return f"{self.name}-{place}" + (f"+{words}" if words else "")

    def model(self) -> dict:
        return {"targets": [self.target(place) for place in range(len(self.targets))], "timeouts": TIMEOUTS, **self.members}

    def target(self, place: int) -> dict:
        goes_on = self.prefills and self.prefills[place]
        known = {"capabilities": {"continuation": "message" if goes_on else "none"}} if self.prefills else {}
        # A prompt may be too long for the first and not for the last.
        return {
            "provider": PROVIDERS[place], "upstream_model": self.upstream(place), "priority": place,
            "context_tokens_max": 10_000 * 10**place, **known}


PROVIDERS = ("one", "two", "three")


@dataclass
class Received:
    """What the application got."""

    text: str = ""
    finish: str | None = None
    error: openai.APIError | None = None
    seconds: float = 0
    headers: httpx2.Headers | None = None
    usage: object = None
    chunks: list = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return self.error is None and self.finish is not None

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]


class World:
    """Three mocks and one Sluice, with one model a case."""

    def __init__(self, cases: list[Case], **configuration):
        self.cases = {case.name: case for case in cases}
        assert len(self.cases) == len(cases), "two cases have the same name"
        self.mocks = [Mock("--requests", "4000") for _ in PROVIDERS]
        self.sluice = None
        try:
            self.sluice = Sluice(
                providers={name: mock.provider() for name, mock in zip(PROVIDERS, self.mocks)},
                models={case.name: case.model() for case in cases}, workers=2,
                **configuration)
            self.client = openai.OpenAI(base_url=self.sluice.url + "/v1", api_key=APPLICATION_KEY, max_retries=0, timeout=20)
        except BaseException:
            self.end()
            raise

    def end(self):
        for program in [self.sluice, *self.mocks]:
            if program is not None:
                program.end()

    def attempts(self, name: str) -> list[int]:
        """How many attempts each target of a case saw."""
        case = self.cases[name]
        return [self.counts(place, case.upstream(place)).get("attempts", 0) for place in range(len(case.targets))]

    def counts(self, place: int, model: str) -> dict:
        counts = httpx2.get(self.mocks[place].url + "/mock/counts").raise_for_status().json()
        return counts["models"].get(model, {})

    def sent(self, place: int, name: str) -> list[dict]:
        """The requests that a target of a case got, oldest first."""
        wanted = self.cases[name].upstream(place)
        requests = httpx2.get(self.mocks[place].url + "/mock/requests", params={"limit": 4000}).raise_for_status().json()
        return [request for request in requests["requests"] if request["model"] == wanted]

    def ask(self, name: str, stream: bool = False, **members) -> Received:
        return ask(self.client, name, stream, **members)

    def log(self, received: Received) -> dict:
        """The line of the log about a request."""
        return self.sluice.log(message="exchange", http__request__id=received.request_id)


def ask(client: openai.OpenAI, model: str, stream: bool = False, **members) -> Received:
    """One request, and everything that came of it, in time."""
    received = Received()
    start = time.monotonic()
    members = {"messages": ASK, **members}
    try:
        if stream:
            raw = client.chat.completions.with_raw_response.create(model=model, stream=True, **members)
            received.headers = raw.headers
            for chunk in raw.parse():
                received.chunks.append(chunk)
                received.usage = chunk.usage or received.usage
                for choice in chunk.choices:
                    received.text += choice.delta.content or ""
                    received.finish = choice.finish_reason or received.finish
        else:
            raw = client.chat.completions.with_raw_response.create(model=model, **members)
            received.headers = raw.headers
            reply = raw.parse()
            received.text = reply.choices[0].message.content
            received.finish = reply.choices[0].finish_reason
            received.usage = reply.usage
    except openai.APIError as error:
        received.error = error
        if isinstance(error, openai.APIStatusError):
            received.headers = error.response.headers
    received.seconds = time.monotonic() - start
    return received
