"""Real Redis servers for the tests: on free ports of the loopback, killed, paused, filled, and ended by their process ids."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 10
IS_INSTALLED = shutil.which("redis-server") is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    def __init__(self, *arguments: str, port: int | None = None):
        self.port = port or free_port()
        self.arguments = arguments
        self.directory = tempfile.TemporaryDirectory()
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", self.directory.name, *self.arguments,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.call("PING") == b"PONG":
                    return
            except OSError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise TimeoutError(f"redis-server on port {self.port} does not answer")
            time.sleep(0.02)

    def kill(self):
        """Without a word to anybody."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(PATIENCE)

    def pause(self):
        """It keeps its connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def fill(self):
        """Every command that needs memory is refused from now on."""
        self.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.call("CONFIG", "SET", "maxmemory", "1")

    def empty(self):
        self.call("CONFIG", "SET", "maxmemory", "0")

    def end(self):
        self.kill()
        self.directory.cleanup()

    def call(self, *words: str):
        """One command on a connection of its own; an error reply is an exception."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as replies:
                return self._read(replies)

    def _read(self, replies):
        line = replies.readline()
        if not line:
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._read(replies) for _ in range(int(rest))]
        return rest
