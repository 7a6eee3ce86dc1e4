"""Web pages in the real Chromium try every way to the daemon that a page has. None of them does anything or reads anything.

Once as the browser comes, and once with Chrome's own protection of the local network switched off: there each request must be
seen to arrive at the daemon and to be refused by it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chromium import Chromium, Tab, eventually
from daemon import Daemon

# The names that Chrome has had for its checks of requests to the local network.
OPEN = (
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessChecksWebTransport,"
    "BlockInsecurePrivateNetworkRequests,BlockInsecurePrivateNetworkRequestsFromPrivate,PrivateNetworkAccessSendPreflights,"
    "PrivateNetworkAccessRespectPreflightResults,PrivateNetworkAccessForNavigations,PrivateNetworkAccessForWorkers"
)
TASK = '{"script": "return 1", "id": "forged"}'

# Each is the body of an async function of a page; DAEMON is http://127.0.0.1:PORT. What it returns is what the page learned.
WAYS = {
    "fetch": "return await (await fetch(DAEMON + '/v1/tasks', {method: 'POST', body: TASK})).text()",
    "fetch with a preflight": (
        "return await (await fetch(DAEMON + '/v1/tasks', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: TASK})).text()"
    ),
    "fetch of a GET": "return await (await fetch(DAEMON + '/health')).text()",
    "fetch without cors": "return await (await fetch(DAEMON + '/v1/tasks', {method: 'POST', mode: 'no-cors', body: TASK})).text()",
    "fetch of the prototype's door": "return await (await fetch(DAEMON + '/task', {method: 'POST', mode: 'no-cors', body: TASK})).text()",
    "fetch by a redirect": "return await (await fetch('/redirect?' + DAEMON + '/v1/tasks', {method: 'POST', mode: 'no-cors', body: TASK})).text()",
    "shutdown": "return await (await fetch(DAEMON + '/v1/shutdown', {method: 'POST', mode: 'no-cors'})).text()",
    "a beacon": "navigator.sendBeacon(DAEMON + '/v1/tasks', TASK)",
    "an image": "return await new Promise(r => { const i = new Image(); i.onload = () => r('loaded'); i.onerror = () => r(''); i.src = DAEMON + '/v1/tasks' })",
    "a script": (
        "return await new Promise(r => { const s = document.createElement('script'); s.onload = () => r('loaded'); s.onerror = () => r('');"
        " s.src = DAEMON + '/v1/tasks'; document.head.append(s) })"
    ),
    "a stylesheet": (
        "return await new Promise(r => { const s = document.createElement('link'); s.rel = 'stylesheet'; s.onload = () => r('loaded');"
        " s.onerror = () => r(''); s.href = DAEMON + '/health'; document.head.append(s) })"
    ),
    "a form": (
        "const f = document.createElement('form'); f.method = 'POST'; f.enctype = 'text/plain'; f.action = DAEMON + '/v1/tasks';"
        " const i = document.createElement('input'); i.name = '{\"script\":\"return 1\",\"id\":\"forged\",\"file\":\"'; i.value = '\"}';"
        " const t = document.createElement('iframe'); t.name = 'target'; f.target = 'target'; f.append(i); document.body.append(t, f); f.submit()"
    ),
    "a frame": (
        "return await new Promise(r => { const f = document.createElement('iframe'); f.onload = () => { try {"
        " r(f.contentDocument ? f.contentDocument.body.innerText : '') } catch { r('') } };"
        " f.src = DAEMON + '/v1/tasks'; document.body.append(f) })"
    ),
    "a sandboxed frame": (
        "const f = document.createElement('iframe'); f.sandbox = 'allow-scripts';"
        " f.srcdoc = `<script>fetch('${DAEMON}/v1/tasks', {method: 'POST', mode: 'no-cors', body: '${TASK}'})</scr` + `ipt>`; document.body.append(f)"
    ),
    "a worker": (
        "const code = `fetch('${DAEMON}/v1/tasks', {method: 'POST', mode: 'no-cors', body: '${TASK}'}).then(async a => postMessage(await a.text()), () => postMessage(''))`;"
        " const w = new Worker(URL.createObjectURL(new Blob([code]))); return await new Promise(r => w.onmessage = e => r(e.data))"
    ),
    "an event stream": (
        "return await new Promise(r => { const s = new EventSource(DAEMON + '/v1/logs?follow=1'); s.onopen = () => r('opened');"
        " s.onerror = () => { s.close(); r('') } })"
    ),
    **{
        f"a WebSocket to {path}": (
            f"return await new Promise(r => {{ const s = new WebSocket(DAEMON.replace('http', 'ws') + '{path}'); s.onopen = () => r('opened'); s.onerror = () => r('') }})"
        )
        for path in ("/v1/rpc", "/extension", "/events")
    },
}


class Page(BaseHTTPRequestHandler):
    """A page, and a redirect that keeps method and body."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>Evil</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(307)
        self.send_header("Location", self.path.partition("?")[2])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path_factory.mktemp("target")) as running:
        yield running


@pytest.fixture(scope="module", params=["protection off", "as it comes"])
def chrome(request: pytest.FixtureRequest) -> Iterator[tuple[Chromium, bool]]:
    unprotected = request.param == "protection off"
    flags = ["--host-resolver-rules=MAP rebound.example 127.0.0.1", *([OPEN] if unprotected else [])]
    with Chromium(extension=False, flags=flags) as browser:
        yield browser, unprotected


def figures(daemon: Daemon) -> tuple[int, int]:
    """Requests let in and requests refused so far; asking counts as one that was let in."""
    text = str(daemon.request("GET", "/metrics")[1])
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return int(values["any_requests_total"]), int(values['any_refused_total{error="ForbiddenError"}'])


class Count:
    """What the daemon let in and refused since it was made."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._asked = 0
        self._let_in, self._refused = figures(daemon)

    def refused(self) -> int:
        self._asked += 1
        return figures(self._daemon)[1] - self._refused

    def let_in(self) -> int:
        self._asked += 1
        return figures(self._daemon)[0] - self._let_in - self._asked


def tries(tab: Tab, daemon: Daemon, way: str) -> str:
    """What the page learned; an empty text where nothing."""
    script = WAYS[way]
    expression = (
        f"(async () => {{ const DAEMON = {daemon.url!r}, TASK = {TASK!r}; try {{ {script} }} catch {{ return '' }} }})().then(x => x ?? '')"
    )
    return str(tab.evaluate(expression, timeout=20))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("way", list(WAYS))
def test_a_page_on_another_port_cannot_reach_the_daemon(
    target: Daemon, chrome: tuple[Chromium, bool], page_port: int, host: str, way: str
) -> None:
    browser, unprotected = chrome
    tab = browser.open(f"http://{host}:{page_port}/")
    count = Count(target)
    learned = tries(tab, target, way)
    assert learned == "", f"the page learned: {learned[:200]}"
    if unprotected:
        eventually(lambda: count.refused() >= 1, 10, f"the daemon refuses {way}")
    tab.close()
    assert count.let_in() == 0, "a request of a page was let in"
    assert target.request("GET", "/v1/tasks")[1]["tasks"] == []
    assert target.health()["browsers"] == 0


def test_a_page_cannot_take_the_person_there(target: Daemon, chrome: tuple[Chromium, bool], page_port: int) -> None:
    browser, unprotected = chrome
    tab = browser.open(f"http://localhost:{page_port}/")
    count = Count(target)
    tab.evaluate(f"void (location = '{target.url}/v1/tasks')")
    if unprotected:
        eventually(lambda: count.refused() >= 1, 10, "the daemon refuses the navigation")
        eventually(lambda: "ForbiddenError" in str(tab.glance("document.body?.innerText")), 10, "the refusal is shown")
    assert count.let_in() == 0
    tab.close()


def test_a_person_may_look_at_it_themselves(target: Daemon, chrome: tuple[Chromium, bool]) -> None:
    """The same browser, typed into the address bar: this shows that the refusals above are for the page's sake."""
    tab = chrome[0].open(f"{target.url}/health")
    assert '"name":"any"' in str(tab.evaluate("document.body.innerText"))
    tab.close()


def test_a_name_made_to_point_here_is_refused(target: Daemon, chrome: tuple[Chromium, bool]) -> None:
    """DNS rebinding: to the browser the daemon is then of the page's own origin, and nothing but Host tells."""
    count = Count(target)
    tab = chrome[0].open(f"http://rebound.example:{target.port}/v1/tasks")
    if chrome[1]:
        assert count.refused() >= 1
        assert "ForbiddenError" in str(tab.evaluate("document.body.innerText"))
    assert count.let_in() == 0
    tab.close()


def test_the_examples_pages_have_no_more_right_than_others(target: Daemon, chrome: tuple[Chromium, bool]) -> None:
    browser, unprotected = chrome
    tab = browser.open(target.health()["pages"])
    count = Count(target)
    assert tries(tab, target, "fetch") == ""
    assert tries(tab, target, "a WebSocket to /v1/rpc") == ""
    if unprotected:
        assert count.refused() >= 2
    assert count.let_in() == 0
    tab.close()


def test_nothing_came_of_all_this(target: Daemon, chrome: tuple[Chromium, bool], tmp_path: Path) -> None:
    assert target.process and target.process.poll() is None, "a page ended the daemon"
    assert target.request("GET", "/v1/tasks")[1]["tasks"] == []
    assert "refused" in target.log()
