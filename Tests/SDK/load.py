"""A steady load that says how every request went: what the tests of lost helpers look at."""

import statistics
import threading
import time

import httpx2

from processes import APPLICATION_KEY


class Load:
    """So many requests a second from a few threads, each with a prompt of its own, until it is ended."""

    def __init__(self, url: str, model: str, rate: int = 100, threads: int = 4, headers: dict | None = None):
        self.url = url
        self.model = model
        self.headers = headers or {}
        self.interval = threads / rate
        # When each was sent, how long it took, and the status; in seconds.
        self.seen: list[tuple[float, float, int]] = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, number: int):
        with httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {APPLICATION_KEY}", **self.headers}, timeout=10) as http:
            count, due = 0, time.monotonic()
            while not self.over.is_set():
                count += 1
                body = {"model": self.model, "messages": [{"role": "user", "content": f"{number} {count}"}]}
                start = time.monotonic()
                try:
                    status = http.post("/v1/chat/completions", json=body).status_code
                except httpx2.HTTPError:
                    status = 0
                with self.lock:
                    self.seen.append((start, time.monotonic() - start, status))
                due += self.interval
                self.over.wait(max(0, due - time.monotonic()))

    def between(self, start: float, end: float) -> "Seen":
        with self.lock:
            return Seen([(seconds, status) for sent, seconds, status in self.seen if start <= sent < end])

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(15)

    def phase(self, seconds: float) -> "Seen":
        """Lets it run, and says what was seen meanwhile."""
        start = time.monotonic()
        time.sleep(seconds)
        return self.between(start, time.monotonic())


class Seen:
    def __init__(self, requests: list[tuple[float, int]]):
        self.statuses = [status for _, status in requests]
        self.times = sorted(seconds for seconds, _ in requests)

    @property
    def failed(self) -> list[int]:
        return [status for status in self.statuses if status != 200]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    def quantile(self, share: float) -> float:
        return self.times[min(int(len(self.times) * share), len(self.times) - 1)]
