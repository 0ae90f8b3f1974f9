"""Real Redis servers for the tests: on free ports of the loopback, killed, paused, filled, and ended by their process ids."""

import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PATIENCE = 30
IS_INSTALLED = shutil.which("redis-server") is not None


_given: set[int] = set()


def free_port() -> int:
    """Below those that the system gives to whoever does not ask for one, to connections as well: nobody else gets it meanwhile."""
    while True:
        port = random.randrange(10_000, 16_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


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
        self._run(
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
            self.directory.name, *self.arguments)

    def _run(self, *command: str):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
        return self.call_all([words])[0]()

    def call_all(self, commands: list[tuple[str, ...]]) -> list:
        """Many at once, on one connection: for each a function that returns its reply, or raises what it says."""
        request = "".join(
            f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words) for words in commands)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as replies:
                return [self._reply(replies) for _ in commands]

    def _reply(self, replies):
        try:
            value = self._read(replies)
        except RuntimeError as error:
            return raising(error)
        return lambda: value

    def wait_until(self, is_so, what: str):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.05)

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


def raising(error: Exception):
    def reply():
        raise error

    return reply


class RedisCluster:
    """Three masters that share the slots. The port of their own talk is ten thousand above."""

    SLOTS = 16384

    def __init__(self):
        self.nodes: list[RedisServer] = []
        try:
            for _ in range(3):
                self.nodes.append(
                    RedisServer(
                        "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no",
                        port=cluster_port()))
            self._join()
        except BaseException:
            self.end()
            raise

    def _join(self):
        share = self.SLOTS // len(self.nodes) + 1
        for index, node in enumerate(self.nodes):
            node.call("CLUSTER", "ADDSLOTSRANGE", str(index * share), str(min((index + 1) * share, self.SLOTS) - 1))
            node.call("CLUSTER", "MEET", "127.0.0.1", str(self.nodes[0].port))
        for node in self.nodes:
            node.wait_until(lambda node=node: self._is_whole(node), "a cluster that agrees")

    def _is_whole(self, node: RedisServer) -> bool:
        info = node.call("CLUSTER", "INFO").decode()
        return "cluster_state:ok" in info and f"cluster_slots_assigned:{self.SLOTS}" in info

    @property
    def addresses(self) -> list[str]:
        return [node.address for node in self.nodes]

    def move_slots(self, of: int, to: int):
        """Gives the slots of one node to another, keys lost: who asks the old one is told where they are now."""
        share = self.SLOTS // len(self.nodes) + 1
        owner = self.nodes[to].call("CLUSTER", "MYID").decode()
        # All but one: a node without slots becomes a replica.
        slots = range(of * share, min((of + 1) * share, self.SLOTS) - 1)
        commands = [("CLUSTER", "SETSLOT", str(slot), "NODE", owner) for slot in slots]
        for reply in self.nodes[to].call_all(commands):
            reply()
        while commands:
            # Others write meanwhile: a slot that holds keys is not given away.
            replies = self.nodes[of].call_all([("FLUSHALL",), *commands])[1:]
            commands = [command for command, reply in zip(commands, replies) if not self._is_given(reply)]

    @staticmethod
    def _is_given(reply) -> bool:
        try:
            return reply() == b"OK"
        except RuntimeError as error:
            if "still hold keys" not in str(error):
                raise
            return False

    def end(self):
        for node in self.nodes:
            node.end()


def cluster_port() -> int:
    """A free one, whose companion is free as well."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + 10000)) != 0:
                return port


class RedisSentinelSet:
    """A master, a replica of it, and three sentinels that watch them."""

    NAME = "main"

    def __init__(self):
        self.master = RedisServer()
        self.replica = RedisServer("--replicaof", "127.0.0.1", str(self.master.port), "--repl-diskless-sync-delay", "0")
        self.sentinels: list[Sentinel] = []
        try:
            self.sentinels = [Sentinel(self.NAME, self.master.port) for _ in range(3)]
            self.replica.wait_until(
                lambda: b"master_link_status:up" in self.replica.call("INFO", "replication"), "a replica that follows")
            for sentinel in self.sentinels:
                self.replica.wait_until(sentinel.knows_all, "sentinels that know each other")
        except BaseException:
            self.end()
            raise

    @property
    def addresses(self) -> list[str]:
        return [sentinel.address for sentinel in self.sentinels]

    def end(self):
        for server in [*self.sentinels, self.replica, self.master]:
            server.end()


class Sentinel(RedisServer):
    def __init__(self, name: str, master: int):
        self.watched = name
        self.master = master
        super().__init__()

    def start(self):
        file = f"{self.directory.name}/sentinel.conf"
        with open(file, "w") as settings:
            settings.write(
                f"port {self.port}\nbind 127.0.0.1\ndir {self.directory.name}\n"
                f"sentinel monitor {self.watched} 127.0.0.1 {self.master} 2\n"
                f"sentinel down-after-milliseconds {self.watched} 500\nsentinel failover-timeout {self.watched} 3000\n")
        self._run("redis-server", file, "--sentinel")

    def knows_all(self) -> bool:
        flat = self.call("SENTINEL", "MASTER", self.watched)
        known = dict(zip(flat[::2], flat[1::2]))
        return known[b"num-slaves"] == b"1" and known[b"num-other-sentinels"] == b"2"
