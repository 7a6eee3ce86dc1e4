"""HTTP written by hand, for requests that no library would send.

    answer = ask(port, "GET", "/health", {"Host": "evil.example"})
    answer.status, answer.headers["allow"], answer.json()
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in small letters
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The name of the error it carries."""
        return str(self.json()["error"]["name"])


def message(method: str, path: str, headers: Headers, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in pairs)]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in pairs):
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def read_answer(connection: socket.socket) -> Answer:
    """One answer with a Content-Length or none at all; what is cut short raises ConnectionError."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError(f"the connection ended inside a head: {data!r}")
        data += chunk
    head, body = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the connection ended inside a body")
        body += chunk
    return Answer(int(first.split()[1]), headers, body)


def ask(
    port: int,
    method: str,
    path: str,
    headers: Headers | None = None,
    body: bytes | str = b"",
    *,
    address: str = "127.0.0.1",
    timeout: float = 30.0,
) -> Answer:
    """One request on a connection of its own. Without `headers`: the right Host and nothing else."""
    given = {"Host": f"127.0.0.1:{port}"} if headers is None else headers
    with socket.create_connection((address, port), timeout=timeout) as connection:
        connection.sendall(message(method, path, given, body.encode() if isinstance(body, str) else body))
        if method == "HEAD":
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            connection.settimeout(0.3)
            try:
                data += connection.recv(65536)
            except TimeoutError:
                pass
            head, rest = data.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            return Answer(int(first.split()[1]), {n.lower(): v.strip() for n, _, v in (x.partition(":") for x in lines)}, rest)
        return read_answer(connection)


def upgrade(port: int, path: str, headers: Headers = (), host: str | None = None) -> Answer:
    """Asks for a WebSocket; 101 where it was opened (and then the connection is closed)."""
    extra = list(headers.items() if isinstance(headers, Mapping) else headers)
    own = [
        ("Host", host or f"127.0.0.1:{port}"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()),
    ]
    return ask(port, "GET", path, [*own, *extra])
