"""A wire between extension and daemon that can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


class Wire:
    """Forwards 127.0.0.1:port to the daemon; cut() ends what flows and refuses what comes, heal() lets it through again.

    The daemon serves only who names its own port: the Host line of each request is put right here.
    """

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._open = threading.Event()
        self._pairs: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: socket.socket | None = None
        self.port = 0
        self.heal()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def heal(self) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", self.port))
        server.listen()
        self.port = server.getsockname()[1]
        self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def cut(self) -> None:
        if self._server:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        self.drop()

    def drop(self) -> None:
        """Ends what flows; what comes is let through."""
        with self._lock:
            for end in self._pairs:
                end.close() if end.fileno() < 0 else _abort(end)
            self._pairs.clear()

    close = cut

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target), 5)
            far.settimeout(None)
        except OSError:
            near.close()
            return
        with self._lock:
            self._pairs |= {near, far}
        threading.Thread(target=_pump, args=(near, far, self._asked), daemon=True).start()
        _pump(far, near, self._answered)

    def _asked(self, data: bytes) -> bytes:
        if not data.startswith(b"GET "):
            return data
        return data.replace(f"127.0.0.1:{self.port}".encode(), f"127.0.0.1:{self._target}".encode())

    def _answered(self, data: bytes) -> bytes:
        return data


class LossyWire(Wire):
    """Loses the first messages of WebSockets, those that are asked or those that are answered, each with its connection, or all with
    the wire itself where it is cut `for_good`."""

    def __init__(self, target_port: int, *, asked: int = 0, answered: int = 0, for_good: bool = False) -> None:
        self._for_good = for_good
        self._left = {"asked": asked, "answered": answered}
        super().__init__(target_port)

    def _asked(self, data: bytes) -> bytes:
        return self._lose("asked", super()._asked(data))

    def _answered(self, data: bytes) -> bytes:
        return self._lose("answered", data)

    def _lose(self, way: str, data: bytes) -> bytes:
        if data[0] != 0x81 or not self._left[way]:  # a text frame; HTTP begins with a letter
            return data
        self._left[way] -= 1
        self.cut() if self._for_good else self.drop()
        return b""


def _abort(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()


def _pump(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes] = lambda data: data) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(change(data))
    except OSError:
        pass
    _abort(sink)
