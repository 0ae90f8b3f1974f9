"""The programs that the tests talk to: `sluice run` and `sluice mock`, on free ports, ended by their process ids."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20

# What must never be written anywhere. All have the same word in them, so that one search finds them.
MARK = "hush"
PROVIDER_KEY = f"sk-provider-{MARK}-77ab"
APPLICATION_KEY = f"sk-app-{MARK}-9c41"


def binary() -> str:
    if given := os.environ.get("SLUICE_BINARY"):
        return given
    built = [ROOT / ".build" / kind / "sluice" for kind in ("release", "debug")]
    there = [path for path in built if path.exists()]
    if not there:
        raise RuntimeError("build Sluice first: swift build --product sluice")
    return str(max(there, key=lambda path: path.stat().st_mtime))


class Program:
    """A program of ours, from its banner to its exit status."""

    def __init__(self, *arguments: str, variables: dict[str, str] | None = None):
        environment = {"PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no", **(variables or {})}
        self.process = subprocess.Popen(
            [binary(), *arguments], env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def wait_for_line(self, matches, what: str) -> str:
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                for line in self.lines:
                    if matches(line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None and not self.reader.is_alive():
                    raise TimeoutError(f"no line for {what}:\n" + "\n".join(self.lines))
                self.changed.wait(min(left, 0.1))

    def address(self, word: str = "listening", scheme: str = "http") -> str:
        """Where it says that it listens: scheme, host and port."""
        line = self.wait_for_line(lambda line: re.search(rf"  {word} +{scheme}://", line), f"{word} {scheme}")
        return re.search(rf"{scheme}://[^/ ]+", line).group()

    def log(self, **fields) -> dict:
        """Waits for a line of the log with these fields; a dot in a name is written as two underscores."""
        wanted = {name.replace("__", "."): value for name, value in fields.items()}

        def matches(line):
            if not line.startswith("{"):
                return False
            entry = json.loads(line)
            return all(entry.get(name) == value for name, value in wanted.items())

        return json.loads(self.wait_for_line(matches, f"a log line with {wanted}"))

    def end(self):
        """Ends it as a supervisor does; it must not have crashed, and must not have written a secret."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        text = "\n".join(self.lines)
        assert status == 0, f"it ended with {status}:\n{text}"
        assert MARK not in text, f"a secret was written:\n{text}"


class Sluice(Program):
    def __init__(self, environment: dict | None = None, **configuration):
        self.directory = tempfile.TemporaryDirectory()
        settings = {
            "listeners": [{"address": "127.0.0.1:0"}], "admin": "127.0.0.1:0", "environment_providers": "never",
            "drain": {"lame_duck_ms": 0}, **configuration,
        }
        file = Path(self.directory.name) / "sluice.json5"
        file.write_text(json.dumps(settings))
        super().__init__("run", "--config", str(file), variables=environment)
        self.wait_for_line(lambda line: '"message":"ready"' in line, "readiness")

    @property
    def url(self) -> str:
        return self.address()

    @property
    def admin(self) -> str:
        return self.address("admin")

    def end(self):
        super().end()
        self.directory.cleanup()


class Mock(Program):
    def __init__(self, *arguments: str):
        super().__init__("mock", "--listen", "127.0.0.1:0", "--api-key", PROVIDER_KEY, *arguments)

    @property
    def url(self) -> str:
        return self.address()

    def provider(self, **members) -> dict:
        return {"base_url": self.url + "/v1", "api_key": PROVIDER_KEY, **members}
