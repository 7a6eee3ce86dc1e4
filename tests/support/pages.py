"""A site for tests on loopback: pages of every kind that scripts meet, and counters of what ran in them.

    with Pages() as site:
        site.url("/plain")            # http://127.0.0.1:PORT/plain
        site.other("/plain")          # the same page from another site, http://localhost:PORT2/plain
        site.count("name")            # how often a script did fetch("/count/name") (or site.COUNT.format("name"))
        site.release("name")          # lets go what /slow?hold=name waits for

Every page answers `/count/NAME` from anywhere (CORS open). Paths: see `PAGES` and `Pages._answer`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

HTML = "text/html; charset=utf-8"

#: how a page goes on to /second as soon as it has come: (headers, body)
LEAVING: dict[str, tuple[dict[str, str], str]] = {
    "replace": ({}, "<script>location.replace('/second')</script>"),
    "load": ({}, "<script>addEventListener('load', () => { location = '/second' })</script>"),
    "form": ({}, "<body onload='document.forms[0].submit()'><form method=post action=/second></form>"),
    "meta": ({}, "<meta http-equiv=refresh content='0; url=/second'>"),
    "second": ({}, "<meta http-equiv=Refresh content='1;URL=/second'>"),
    "header": ({"Refresh": "0; url=/second"}, ""),
    "pushed": ({}, "<script>history.replaceState(null, '', '/moved'); location.replace('/second')</script>"),
}

#: path: (content type, further headers, body)
PAGES: dict[str, tuple[str, dict[str, str], str]] = {
    "/plain": (HTML, {}, "<!doctype html><title>Plain</title><h1 id=top>Plain</h1><p class=price>12.50</p>"),
    "/second": (HTML, {}, "<!doctype html><title>Second</title><h1>Second</h1>"),
    "/third": (HTML, {}, "<!doctype html><title>Third</title><h1>Third</h1>"),
    "/csp": (HTML, {"Content-Security-Policy": "default-src 'none'; script-src 'none'; connect-src *"}, "<!doctype html><title>Strict</title>"),
    "/trusted": (
        HTML,
        {"Content-Security-Policy": "require-trusted-types-for 'script'; trusted-types 'none'"},
        "<!doctype html><title>Trusted</title>",
    ),
    "/no-store": (HTML, {"Cache-Control": "no-store"}, "<!doctype html><title>No store</title>"),
    "/unload": (HTML, {}, "<!doctype html><title>Unload</title><script>addEventListener('unload', () => {})</script>"),
    "/sandboxed": (HTML, {"Content-Security-Policy": "sandbox"}, "<!doctype html><title>Sandboxed</title>"),
    "/alert": (HTML, {}, "<!doctype html><title>Alert</title><script>setTimeout(() => alert('hello'), 300)</script>"),
    "/beforeunload": (
        HTML,
        {},
        "<!doctype html><title>Stay</title><button>touch me</button><script>addEventListener('beforeunload', e => e.preventDefault())</script>",
    ),
    "/frames": (
        HTML,
        {},
        "<!doctype html><title>Frames</title><iframe src=/second name=same></iframe><iframe src='{other}/third' name=other></iframe>",
    ),
    "/frames-csp": (
        HTML,
        {"Content-Security-Policy": "script-src 'none'"},
        "<!doctype html><title>Strict frames</title><iframe src=/csp name=same></iframe><iframe src='{other}/csp' name=other></iframe>",
    ),
    "/many-frames-csp": (
        HTML,
        {"Content-Security-Policy": "script-src 'none'"},
        "<!doctype html><title>Many strict frames</title>" + "<iframe src=/csp></iframe><iframe src='{other}/csp'></iframe>" * 3,
    ),
    "/frames-sandboxed": (
        HTML,
        {},
        "<!doctype html><title>Sandboxed frame</title><iframe sandbox src=/second></iframe><iframe src=/third></iframe>",
    ),
    "/tampered": (
        HTML,
        {},
        """<!doctype html><title>Tampered</title><script>
        for (const made of [Array, Object, String, Number, Date, Map, Set]) {
          Object.defineProperty(made.prototype, 'toJSON', { value() { return 'tampered'; }, configurable: true });
        }
        JSON.stringify = () => '"tampered"';
        Array.prototype.push = Array.prototype.join = Array.prototype.map = () => { throw new Error('tampered'); };
        Array.prototype[Symbol.iterator] = function* () {};
        Object.prototype.get = Object.prototype.value = () => 'tampered';
        Promise.prototype.then = () => { throw new Error('tampered'); };
        window.addEventListener = document.addEventListener = () => {};
        </script>""",
    ),
    "/tampered-later": (HTML, {}, "<!doctype html><title>Later</title>"),
    "/late": (HTML, {}, "<!doctype html><title>Late</title><script>setTimeout(() => document.body.innerHTML = '<b id=late>here</b>', 700)</script>"),
    "/count-on-load": (HTML, {}, "<!doctype html><title>Counted</title><script>fetch('/count/load')</script>"),
    "/router": (
        HTML,
        {},
        """<!doctype html><title>Router</title><script>
        const route = () => { if (!location.hash.startsWith('#/')) history.replaceState(null, '', '#/' + location.hash.slice(1)); };
        addEventListener('hashchange', route);
        route();
        </script>""",
    ),
    "/frame-later": (
        HTML,
        {},
        """<!doctype html><title>Frame later</title><script>
        addEventListener('load', () => setTimeout(() => document.body.append(Object.assign(document.createElement('iframe'), { src: '/third' })), 500));
        </script><body>""",
    ),
    "/json": ("application/json", {}, '{"plain": true}'),
    "/xml": ("application/xml", {}, "<?xml version='1.0'?><root><item>1</item></root>"),
    "/svg": ("image/svg+xml", {}, "<svg xmlns='http://www.w3.org/2000/svg'><title>Drawn</title></svg>"),
    "/text": ("text/plain", {}, "plain text"),
}

PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


class Pages:
    """Two servers, 127.0.0.1 and localhost on another port, with the same pages."""

    #: a script's line that counts itself, whatever the page lets it fetch
    COUNT = "await fetch('{0}', {{mode: 'no-cors'}}).catch(() => 0);"

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._held: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        pages = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    pages._answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.port, self.other_port = (server.server_address[1] for server in self._servers)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def other(self, path: str) -> str:
        """The same page of another site: `localhost`, on another port."""
        return f"http://localhost:{self.other_port}{path}"

    def doing(self, script: str, **more: str) -> str:
        """A page that runs this script. `csp="1"`: it lets no text be evaluated; `sandbox="1"`: its origin is its own."""
        return self.url("/doing?" + urlencode({"script": script, **more}))

    def counting(self, name: str) -> str:
        """A line for a script: adds one to the counter, and waits until it is counted."""
        return self.COUNT.format(self.url(f"/count/{name}"))

    def count(self, name: str) -> int:
        with self._lock:
            return self.counts[name]

    def release(self, name: str) -> None:
        self._event(name).set()

    def _event(self, name: str) -> threading.Event:
        with self._lock:
            return self._held.setdefault(name, threading.Event())

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        at = urlsplit(request.path)
        query = {key: values[0] for key, values in parse_qs(at.query).items()}
        with self._lock:
            self.counts[f"GET {at.path}"] += 1
        if at.path.startswith("/count/"):
            name = at.path.removeprefix("/count/")
            with self._lock:
                self.counts[name] += 1
                number = self.counts[name]
            return self._send(request, "text/plain", {"Cache-Control": "no-store"}, str(number).encode())
        if at.path == "/hold":  # no answer at all until released
            self._wait(query["name"])
            return self._send(request, HTML, {}, b"<!doctype html><title>Held</title>")
        if at.path == "/endless":  # a page whose second half never comes (until released)
            return self._endless(request, query.get("name", "endless"))
        if at.path == "/half":  # complete but for one image
            body = f"<!doctype html><title>Half</title><p id=half>there</p><img src='/hold?name={query['name']}'>"
            return self._send(request, HTML, {}, body.encode())
        if at.path == "/204":
            request.send_response(204)
            request.end_headers()
            return None
        if at.path == "/204-once":  # a page from the second time on
            if self.count("GET /204-once") == 1:
                request.send_response(204)
                request.end_headers()
                return None
            return self._send(request, HTML, {}, b"<!doctype html><title>There</title>")
        if at.path == "/leaves":
            headers, body = LEAVING[query["how"]]
            return self._send(request, HTML, headers, f"<!doctype html><title>Leaves</title>{body}".encode())
        if at.path == "/held-frame":
            body = f"<!doctype html><title>Held frame</title><iframe src='/hold?name={query['name']}'></iframe>"
            return self._send(request, HTML, {}, body.encode())
        if at.path == "/empty-500":
            return self._send(request, HTML, {}, b"", 500)
        if at.path == "/404":
            return self._send(request, HTML, {}, b"<!doctype html><title>Not found</title>", 404)
        if at.path == "/download":
            return self._send(request, "application/octet-stream", {"Content-Disposition": "attachment; filename=x.bin"}, b"bytes")
        if at.path == "/file":  # a download of any name and type
            name = f"; filename*=UTF-8''{quote(query['name'], safe='')}" if query.get("name") else ""
            return self._send(request, query["type"], {"Content-Disposition": f"attachment{name}"}, b"bytes of a file")
        if at.path == "/pdf":
            return self._send(request, "application/pdf", {}, PDF)
        if at.path == "/doing":
            rules = {"csp": "script-src 'unsafe-inline'", "sandbox": "sandbox allow-scripts"}
            policy = {"Content-Security-Policy": rules[key] for key in rules if key in query}
            body = f"<!doctype html><title>Doing</title><h1>Doing</h1><script>{query['script']}</script>"
            return self._send(request, HTML, policy, body.encode())
        if at.path == "/redirect":
            request.send_response(302)
            request.send_header("Location", query["to"])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return None
        page = PAGES.get(at.path)
        if page is None:
            return self._send(request, HTML, {}, b"<!doctype html><title>Not found</title>", 404)
        kind, headers, body = page
        return self._send(request, kind, headers, body.replace("{other}", self.other("")).encode())

    def _wait(self, name: str) -> None:
        event = self._event(name)
        while not event.wait(0.05) and not self._closing.is_set():
            pass

    def _endless(self, request: BaseHTTPRequestHandler, name: str) -> None:
        request.send_response(200)
        request.send_header("Content-Type", HTML)
        request.send_header("Connection", "close")
        request.end_headers()
        request.close_connection = True
        request.wfile.write(b"<!doctype html><title>Endless</title><p id=first>first half</p>" + b" " * 4096)
        request.wfile.flush()
        self._wait(name)
        request.wfile.write(b"<p id=second>second half</p>")

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, kind: str, headers: dict[str, str], body: bytes, status: int = 200) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Access-Control-Allow-Origin", "*")
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        self._closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


if __name__ == "__main__":
    with Pages() as site:
        print(site.url("/plain"), site.other("/plain"), flush=True)
        while True:
            time.sleep(3600)
