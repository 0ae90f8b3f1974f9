"""Traffic in which everything happens once that a dashboard shows: good answers and streams, caches, limits, retries, and every kind
of failure, on a Sluice in front of `sluice mock` with a Redis that dies."""

import asyncio
import json
import signal
import tempfile
from pathlib import Path

import httpx2

from monitoring import wait_until
from processes import APPLICATION_KEY, PROVIDER_KEY, Mock, Sluice
from redis_server import RedisServer, free_port

# A million tokens of requests, and of answers.
PRICE = {"input": 2.0, "output": 10.0}
# What the mock is told to count.
INPUT, OUTPUT = 100, 40
COUNTS = f"prompt-tokens={INPUT}+completion-tokens={OUTPUT}"
# How often a round asks the model that has a price.
PAID = 6
# So many that alerts which do not look at a handful take notice.
FLAKY = 16
STORY = " ".join(f"word{number}" for number in range(30))


def model(name: str, *words: str, **members) -> dict:
    """Targets that are asked one after the other, each at a provider of its own."""
    targets = [
        {"provider": provider, "upstream_model": f"{name}-{provider}" + (f"+{word}" if word else ""), "priority": place}
        for place, (provider, word) in enumerate(zip(("one", "two"), words))
    ]
    targets[0] |= members
    return {"targets": targets}


MODELS = {
    "paid": model("paid", COUNTS, price=PRICE),
    "stream": model("stream", f"event-ms=2+{COUNTS}", price=PRICE),
    "cached": model("cached", "prompt-tokens=10+cached-tokens=4+reasoning-tokens=2"),
    "uncounted": model("uncounted", "usage=none"),
    "stand-in": model("stand-in", "status=500", ""),
    "failing": model("failing", "status=503"),
    # Each name that stands for the asterisk is a target of its own, with its own breaker.
    "flaky-*": {"provider": "two", "upstream_model": "flaky-*+status=500"},
    "refusing": model("refusing", "status=400"),
    "cut": model("cut", "cut=0.5"),
    "rescued": model("rescued", "cut=0.5+event-ms=1", ""),
    "silent": model("silent", "stall=0.5"),
    "malformed": model("malformed", "malformed"),
    "lossy": model("lossy", "", capabilities={"sampling": False}),
    "narrow": model("narrow", "latency-ms=200"),
    "keyed": {"provider": "keyed"},
    "few": model("few", ""),
    "budgeted": model("budgeted", COUNTS),
}


class World:
    """- Parameter certificate: what a listener of the edge shows; it ends in three days."""

    def __init__(self, certificate):
        self.parts: list = []
        self.certificate = certificate
        try:
            self.redis = self._add(RedisServer())
            self.mock = self._add(Mock("--requests", "4000"))
            self.edge = self._add(self._edge())
            self.sidecar = self._add(
                Sluice(providers={"one": self.mock.provider()}, models={"paid": model("paid", COUNTS)}, workers=1))
        except BaseException:
            self.end()
            raise

    def _add(self, part):
        self.parts.append(part)
        return part

    def _edge(self) -> Sluice:
        mock = self.mock.provider()
        tls = {"certificates": [{"certificate_file": self.certificate.file, "key_file": self.certificate.key}]}
        return Sluice(
            listeners=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": tls}],
            providers={"one": mock, "two": mock, "keyed": {**mock, "api_key": [PROVIDER_KEY, PROVIDER_KEY + "-of-somebody"]}},
            models=MODELS, workers=2, timeouts={"stream_idle_ms": 1000},
            retries={"backoff_base_ms": 10},
            # Once open they stay so: what a scrape sees is no matter of luck.
            breakers={"failures_in_row": 3, "open_base_ms": 300_000, "open_max_ms": 300_000},
            cache={"nondeterministic": True, "models": {name: {"enabled": False} for name in MODELS if name not in ("cached", "flaky-*")}},
            redis={"url": f"redis://{self.redis.address}"},
            rate_limits=[
                {"name": "few", "when": {"models": ["few"]}, "limit": 1, "per": "day"},
                {"name": "fleet", "when": {"models": ["paid"]}, "limit": 1_000_000, "scope": "fleet", "lease_percent": 0},
            ],
            budgets=[
                {"name": "spent", "when": {"models": ["budgeted"]}, "unit": "total_tokens", "limit": INPUT, "period": "month"},
                {"name": "ample", "when": {"models": ["paid"]}, "unit": "total_tokens", "limit": 1_000_000, "period": "month"},
            ],
            concurrency={
                "models": {"narrow": {"max_concurrency": 1, "queue_max": 1, "queue_ms": 2000}},
                "priorities": {"classes": [{"name": "normal"}]},
            },
            # Nobody is there.
            metrics={"push": [{"kind": "pushgateway", "url": f"http://127.0.0.1:{free_port()}", "interval_ms": 1000}]},
            storage={"directory": str(Path(self._directory()) / "storage")}, records={})

    def _directory(self) -> str:
        directory = tempfile.TemporaryDirectory()
        self.parts.append(Directory(directory))
        return directory.name

    def round(self, number: int):
        """Everything once."""
        asyncio.run(self._round(number))

    async def _round(self, number: int):
        headers = {"authorization": f"Bearer {APPLICATION_KEY}"}
        limits = httpx2.Limits(max_connections=20)
        async with httpx2.AsyncClient(base_url=self.edge.url, headers=headers, timeout=20, limits=limits) as http:
            for _ in range(PAID):
                assert await ask(http, "paid") == 200
            for _ in range(3):
                assert await ask(http, "stream", stream=True) == 200
                assert await ask(http, "cached") == 200
                await ask(http, "keyed")
            for name in ("uncounted", "stand-in", "rescued", "malformed"):
                assert await ask(http, name, stream=True) == 200
            assert await ask(http, "lossy", temperature=0.5) == 200
            assert await ask(http, "refusing") == 400
            # Three failures open the breaker, and then nobody is asked any more.
            for _ in range(3):
                assert await ask(http, "failing") >= 500
            for name in range(FLAKY):
                assert await ask(http, f"flaky-{number}-{name}") >= 500
            await asyncio.gather(*(ask(http, name, stream=True) for name in ("cut", "cut", "silent")))
            await asyncio.gather(*(ask(http, "narrow") for _ in range(4)))
            for _ in range(2):
                await ask(http, "few")
                await ask(http, "budgeted", max_tokens=10)
            await leave(http, "stream")
            assert (await http.post("/v1/chat/completions", content=b"{")).status_code == 400
        async with httpx2.AsyncClient(base_url=self.sidecar.url, headers=headers, timeout=20) as http:
            assert await ask(http, "paid") == 200

    def reload_sidecar(self):
        """Once with success, and once with a mistake."""
        file = Path(self.sidecar.directory.name) / "sluice.json5"
        settings = json.loads(file.read_text())
        for text, message in [
            (json.dumps({**settings, "timeouts": {"total_ms": 60_000}}), "configuration reloaded"),
            ("{nonsense", "configuration not reloaded: the old one stays in force"),
        ]:
            # Whole at once: the file is also looked at in between.
            file.with_suffix(".new").write_text(text)
            file.with_suffix(".new").rename(file)
            self.sidecar.process.send_signal(signal.SIGHUP)
            self.sidecar.log(message=message)

    def lose_redis(self):
        self.redis.kill()
        wait_until(lambda: httpx2.get(self.edge.admin + "/redis").json()["state"] == "down", "Redis is dead and nobody noticed", 20)

    def end(self):
        for part in reversed(self.parts):
            part.end()


class Directory:
    def __init__(self, directory):
        self.directory = directory

    def end(self):
        self.directory.cleanup()


async def ask(http, name: str, stream: bool = False, **members) -> int:
    body = {"model": name, "messages": [{"role": "user", "content": STORY}], "stream": stream, **members}
    async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        try:
            async for _ in reply.aiter_bytes():
                pass
        except httpx2.RemoteProtocolError:
            assert stream, "an answer that is no stream broke off"
        return reply.status_code


async def leave(http, name: str):
    """Reads the beginning of a stream, and goes."""
    body = {"model": name, "messages": [{"role": "user", "content": STORY * 10}], "stream": True}
    async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
        async for _ in reply.aiter_bytes():
            return
