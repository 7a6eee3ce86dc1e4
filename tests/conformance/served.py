"""The pages that the CDP clients work on, served on loopback from two sites (127.0.0.1 and localhost), and a WebSocket echo.

    with Site() as site:
        site.url("/form")          # http://127.0.0.1:PORT/form
        site.other("/plain")       # the same page of another site
        site.hits("/data")         # how often it was asked for
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.sync.server import ServerConnection, serve

from served_pages import PAGES, PNG

HTML = "text/html; charset=utf-8"


def echo(connection: ServerConnection) -> None:
    """Answers each text with `echo: text`; `bye` closes with 1000."""
    for message in connection:
        if message == "bye":
            return
        connection.send(f"echo: {message}" if isinstance(message, str) else message)


class Site:
    """Two HTTP servers with the same pages and one WebSocket server."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    site._answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_PUT = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.port, self.other_port = (server.server_address[1] for server in self._servers)
        self._sockets = serve(echo, "127.0.0.1", 0)
        self.socket_port = self._sockets.socket.getsockname()[1]
        threading.Thread(target=self._sockets.serve_forever, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return self.base + path

    def other(self, path: str) -> str:
        return f"http://localhost:{self.other_port}{path}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.socket_port}/"

    def hits(self, path: str) -> int:
        with self._lock:
            return self._hits[path]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        at = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(at.query).items()}
        with self._lock:
            self._hits[at.path] += 1
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        special = getattr(self, "_" + at.path.strip("/").replace("-", "_").replace(".", "_"), None)
        if callable(special) and at.path.startswith("/x-"):
            special(request, query, body)
            return
        if at.path in ("/favicon.ico", "/part.png"):
            return self.send(request, "image/png", PNG)
        found = PAGES.get(at.path)
        if found is None:
            return self.send(request, HTML, b"<!doctype html><title>Not found</title><p>nothing here", 404)
        kind, text = found
        for name, value in (("{other}", self.other("")), ("{base}", self.base), ("{socket}", self.socket_url)):
            text = text.replace(name, value)
        headers = {"Service-Worker-Allowed": "/"} if at.path.endswith(".js") else {}
        self.send(request, kind, text.encode(), headers=headers)

    # paths that do something: /x-NAME

    def _x_echo(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        """What was asked, as JSON."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = {"method": request.command, "path": request.path, "headers": headers, "body": body.decode(errors="replace")}
        self.send(request, "application/json", json.dumps(told).encode())

    def _x_download(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        name = query.get("name", "report.txt")
        self.send(request, "application/octet-stream", b"the report's text", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _x_endless_download(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        """Half of a file, and nothing more."""
        request.send_response(200)
        request.send_header("Content-Type", "application/octet-stream")
        request.send_header("Content-Disposition", 'attachment; filename="half.bin"')
        request.send_header("Content-Length", "200000")
        request.end_headers()
        request.wfile.write(b"x" * 100_000)
        request.wfile.flush()
        request.close_connection = True
        self._closing.wait(60)

    def _x_login(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        right = "Basic " + base64.b64encode(b"user:secret").decode()
        if request.headers.get("Authorization") == right:
            return self.send(request, HTML, b"<!doctype html><title>Inside</title><p>welcome")
        self.send(request, HTML, b"<!doctype html><title>Outside</title>", 401, {"WWW-Authenticate": 'Basic realm="conformance"'})

    def _x_redirect(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        self.send(request, HTML, b"", 302, {"Location": query["to"]})

    def _x_set_cookie(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        self.send(request, HTML, b"<!doctype html><title>Cookie set</title>", headers={"Set-Cookie": "served=yes; Path=/; HttpOnly"})

    def _x_no_content(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        request.send_response(204)
        request.end_headers()

    def _x_drop(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        """Ends the connection without an answer."""
        request.close_connection = True

    def _x_hang(self, request: BaseHTTPRequestHandler, query: dict[str, str], body: bytes) -> None:
        """No answer before the site closes."""
        self._closing.wait(60)
        request.close_connection = True

    @staticmethod
    def send(request: BaseHTTPRequestHandler, kind: str, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Access-Control-Allow-Origin", "*")
        request.send_header("Cache-Control", "no-cache")
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        self._closing.set()
        self._sockets.shutdown()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
