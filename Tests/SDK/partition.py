"""A network between two programs that a test cuts: nothing is closed, and nothing gets through until it is healed."""

import selectors
import socket
import threading


class Partition:
    """A TCP proxy before a server. What is sent into a direction that is cut waits, as segments do that nobody acknowledges."""

    TO, FROM = "to", "from"
    BOTH = (TO, FROM)

    def __init__(self, port: int):
        self.target = port
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.lock = threading.Lock()
        self.is_cut: set[str] = set()
        # Of each connection: where bytes come from, where they go, and in which direction that is.
        self.pairs: list[tuple[socket.socket, socket.socket, str]] = []
        self.selector = selectors.DefaultSelector()
        self.waker, self.woken = socket.socketpair()
        self.is_over = False
        self.selector.register(self.listening, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self, *directions: str):
        with self.lock:
            self.is_cut = set(directions)
        self.waker.send(b"x")

    def heal(self):
        self.cut()

    def end(self):
        self.is_over = True
        self.waker.send(b"x")
        self.thread.join(10)
        for one, other, _ in self.pairs:
            one.close()
            other.close()
        self.listening.close()

    def _run(self):
        while not self.is_over:
            for key, _ in self.selector.select():
                if key.fileobj is self.listening:
                    self._accept()
                elif key.fileobj is self.woken:
                    self.woken.recv(1024)
                else:
                    self._forward(*key.data)
            self._watch()

    def _accept(self):
        near, _ = self.listening.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            near.close()
            return
        for pair in ((near, far, self.TO), (far, near, self.FROM)):
            pair[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs.append(pair)

    def _watch(self):
        """Bytes are read where they may be sent on."""
        with self.lock:
            is_cut = set(self.is_cut)
        known = self.selector.get_map()
        for pair in self.pairs:
            is_watched = pair[0] in known
            if is_watched == (pair[2] not in is_cut):
                continue
            if is_watched:
                self.selector.unregister(pair[0])
            else:
                self.selector.register(pair[0], selectors.EVENT_READ, pair)

    def _forward(self, source: socket.socket, to: socket.socket, direction: str):
        with self.lock:
            if direction in self.is_cut:
                return
        try:
            data = source.recv(65536)
            if data:
                to.sendall(data)
                return
        except OSError:
            pass
        self._close(source, to)

    def _close(self, one: socket.socket, other: socket.socket):
        for end in (one, other):
            # Both ends may have been ready at once: the other one's turn has closed them.
            if end.fileno() < 0:
                continue
            if end in self.selector.get_map():
                self.selector.unregister(end)
            end.close()
        self.pairs = [pair for pair in self.pairs if pair[0] not in (one, other)]
