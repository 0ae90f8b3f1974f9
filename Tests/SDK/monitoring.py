"""Real Prometheus and Alertmanager for the tests, Debian's: on free ports of the loopback, ended by their process ids."""

import json
import re
import signal
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx2
import yaml

from processes import ROOT
from redis_server import free_port

TOOLS = ROOT / ".build" / "tools" / "bin"
PATIENCE = 20


def tool(name: str) -> str:
    """A monitoring program; it is fetched if it is not there."""
    path = TOOLS / name
    if not path.exists():
        subprocess.run([str(ROOT / "Tests" / "tools")], check=True, timeout=300)
    return str(path)


def promtool(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([tool("promtool"), *arguments], input=stdin, capture_output=True, text=True, timeout=60)


def wait_until(is_so, what, patience: float = PATIENCE):
    """Asks until the answer is true, and gives it back. `what`: a sentence, or what says one."""
    deadline = time.monotonic() + patience
    while not (found := is_so()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.1)
    return found


class Server:
    """A program that is told where to listen, and says when it is ready."""

    def __init__(self, name: str, configuration: dict, arguments: list[str], ready: str):
        self.name = name
        self.directory = tempfile.TemporaryDirectory()
        self.home = Path(self.directory.name)
        (self.home / "settings.yaml").write_text(yaml.safe_dump(configuration))
        self.command = [self.program(name), "--config.file=settings.yaml", "--log.level=warn", *arguments]
        self.log = (self.home / "log").open("wb")
        self._start()
        try:
            wait_until(lambda: self._is_ready(ready), lambda: f"{name} is not ready:\n{self._said()}")
        except BaseException:
            self.end()
            raise

    def _start(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.http = httpx2.Client(base_url=self.url, timeout=10)
        self.process = subprocess.Popen(
            [*self.command, f"--web.listen-address={self.url.removeprefix('http://')}"], cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)

    def _is_ready(self, path: str) -> bool:
        if self.process.poll() is not None:
            # Somebody was faster with the port that was free.
            if "address already in use" not in self._said():
                raise RuntimeError(self._said())
            self.log.seek(0)
            self.log.truncate()
            self.http.close()
            self._start()
        try:
            return self.http.get(path).status_code == 200
        except httpx2.TransportError:
            return False

    def _said(self) -> str:
        return (self.home / "log").read_text()

    def program(self, name: str) -> str:
        return tool(name)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.http.close()
        self.log.close()
        self.directory.cleanup()


class Prometheus(Server):
    def __init__(self, configuration: dict):
        super().__init__("prometheus", configuration, ["--storage.tsdb.path=data"], "/-/ready")

    def get(self, path: str, **parameters) -> dict | list:
        reply = self.http.get("/api/v1/" + path, params=parameters)
        body = reply.json() if reply.headers["content-type"].startswith("application/json") else {}
        assert body.get("status") == "success", f"{path} {parameters}: {reply.text}"
        return body["data"]

    def query(self, expr: str, at: float | None = None) -> list[tuple[dict, float]]:
        """Labels and value of each series."""
        result = self.get("query", query=expr, **({"time": at} if at else {}))
        if result["resultType"] == "scalar":
            return [({}, float(result["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in result["result"]]

    def wait_for_scrapes(self, job: str):
        """Every target of a job has been asked again from now on, and has answered."""
        since = time.time()

        def are_newer() -> bool:
            targets = [target for target in self.get("targets", state="active")["activeTargets"] if target["labels"]["job"] == job]
            return targets and all(target["health"] == "up" and seconds(target["lastScrape"]) > since for target in targets)

        wait_until(are_newer, f"Prometheus does not scrape {job}")

    def firing(self) -> dict[str, list[dict]]:
        """Alerts that fire, by name."""
        found: dict[str, list[dict]] = {}
        for alert in self.get("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert)
        return found


def seconds(text: str) -> float:
    """A time as Go writes it, since 1970."""
    whole = re.sub(r"(\.\d{1,6})\d*", r"\1", text)
    return datetime.fromisoformat(whole).timestamp()


class Alertmanager(Server):
    """Keeps what it is told, and tells nobody."""

    # Debian's reads them there, whatever it is told, and will not start without them.
    TEMPLATES = Path("/usr/share/prometheus/alertmanager")

    def __init__(self):
        route = {"receiver": "nobody", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
        super().__init__(
            "alertmanager", {"route": route, "receivers": [{"name": "nobody"}]},
            ["--storage.path=data", "--cluster.listen-address="], "/-/ready")

    def program(self, name: str) -> str:
        """Where the package is unpacked but not installed: a copy that looks for its templates where it runs. It uses none."""
        if (self.TEMPLATES / "default.tmpl").exists():
            return tool(name)
        there = str(self.TEMPLATES).encode()
        copy = self.home / name
        copy.write_bytes(Path(tool(name)).read_bytes().replace(there, b"." + b"/" * (len(there) - 1)))
        copy.chmod(0o755)
        for template in ("default.tmpl", "email.tmpl"):
            (self.home / template).touch()
        return str(copy)

    def alerts(self) -> list[dict]:
        reply = self.http.get("/api/v2/alerts", params={"active": "true"})
        return json.loads(reply.raise_for_status().text)
