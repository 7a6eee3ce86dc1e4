"""Extensions that a client loads over CDP, as Stagehand 4 does: their worker runs in a sandbox beside the browser (docs/cdp.md)."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from chromium import Cdp, CdpError, Chromium, eventually
from daemon import Daemon
from pages import Pages

WORKER = """
globalThis.here = import.meta.url.slice(0, 5);
globalThis.dial = (url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  let last = 0;
  const calls = new Map();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    calls.get(message.id)?.(message);
    if (message.method) (globalThis.heard ??= []).push(message);
  });
  globalThis.cdp = (method, params = {}, sessionId) => new Promise((done) => {
    calls.set(++last, done);
    socket.send(JSON.stringify({ id: last, method, params, ...(sessionId && { sessionId }) }));
  });
  socket.addEventListener("open", () => resolve("open"));
  socket.addEventListener("close", ({ code, reason }) => resolve(`closed ${code} ${reason}`));
});
"""
PAGE = "globalThis.__in_page = typeof globalThis.chrome?.dom?.openOrClosedShadowRoot;"

Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes an extension's folder; gives its path."""

    def write(worker: str | None = WORKER, manifest: Any = None, page: str | None = PAGE) -> str:
        folder = tmp_path / "extension"
        folder.mkdir(exist_ok=True)
        usual = {
            "manifest_version": 3,
            "name": "Stagehand Runtime",
            "version": "1.0",
            "background": {"service_worker": "worker.js", "type": "module"},
            "content_scripts": [{"matches": ["<all_urls>"], "js": ["page.js"]}],
        }
        said = manifest if isinstance(manifest, str) else json.dumps(manifest or usual)
        for name, text in (("manifest.json", said), ("worker.js", worker), ("page.js", page)):
            (folder / name).unlink(missing_ok=True)
            if text is not None:
                (folder / name).write_text(text)
        return str(folder)

    return write


class Program:
    """A client that has loaded an extension."""

    def __init__(self, daemon: Daemon) -> None:
        status, version = daemon.request("GET", "/json/version")
        assert status == 200
        self.url = version["webSocketDebuggerUrl"]
        self.cdp = Cdp(self.url)
        self.id = self.session = ""

    def load(self, path: str) -> Program:
        self.id = self.cdp.call("Extensions.loadUnpacked", path=path)["id"]
        worker = next(one for one in self.cdp.targets() if one["url"].startswith(f"chrome-extension://{self.id}/"))
        self.session = self.cdp.call("Target.attachToTarget", targetId=worker["targetId"], flatten=True)["sessionId"]
        return self

    def run(self, expression: str) -> Any:
        return self.cdp.evaluate(self.session, expression)

    def dial(self) -> Program:
        assert self.run(f"dial({json.dumps(self.url)})") == "open"
        return self

    def in_page(self, target: str) -> str:
        """A session of the worker on a page, with Runtime on."""
        eventually(lambda: any(one["targetId"] == target for one in self.cdp.targets()), 10, "the tab is listed")
        said = self.run(f"""cdp("Target.attachToTarget", {{targetId: "{target}", flatten: true}})""")
        session: str = said["result"]["sessionId"]
        for method in ("Page.enable", "Runtime.enable"):
            assert "result" in self.run(f"cdp('{method}', {{}}, '{session}')")
        return session

    def worlds(self, session: str, expression: str) -> list[Any]:
        """The expression's value in each isolated world of the page's main frame."""
        values: list[Any] = self.run(f"""(async () => {{
          const worlds = heard.filter((m) => m.sessionId === "{session}" && m.method === "Runtime.executionContextCreated" && m.params.context.auxData?.type === "isolated");
          const values = [];
          for (const world of worlds) values.push((await cdp("Runtime.evaluate", {{contextId: world.params.context.id, expression: {json.dumps(expression)}, returnByValue: true}}, "{session}")).result?.result.value);
          return values;
        }})()""")
        return values

    def close(self) -> None:
        self.cdp.close()


@pytest.fixture
def programs(daemon: Daemon, browser: Chromium) -> Iterator[Callable[[], Program]]:
    made: list[Program] = []

    def one() -> Program:
        made.append(Program(daemon))
        return made[-1]

    yield one
    for program in made:
        program.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages


def test_a_worker_runs_as_a_module_and_answers_its_client(programs: Callable[[], Program], make: Make) -> None:
    program = programs().load(make())
    assert program.run("here") == "blob:"
    assert program.run("({a: [1, null, 'é']})") == {"a": [1, None, "é"]}
    assert program.run("new Promise((done) => setTimeout(done, 1, 7))") == 7
    with pytest.raises(CdpError, match="RangeError: no"):
        program.run("Promise.reject(new RangeError('no'))")
    with pytest.raises(CdpError, match="SyntaxError"):
        program.run("a b")
    cycle = program.cdp.post("Runtime.evaluate", program.session, expression="x = {}; x.x = x", returnByValue=True)
    with pytest.raises(CdpError, match="couldn't be returned by value"):
        cycle.result(15)
    assert [one["name"] for one in program.cdp.call("Extensions.getExtensions")["extensions"]] == ["Stagehand Runtime"]


def test_a_binding_of_the_worker_reaches_its_client(programs: Callable[[], Program], make: Make) -> None:
    program = programs().load(make())
    program.cdp.call("Runtime.addBinding", program.session, name="toHost")
    program.run("toHost('one'); toHost('two')")
    called = [params["payload"] for _, method, params in program.cdp.events if method == "Runtime.bindingCalled"]
    assert called == ["one", "two"]


def test_a_worker_has_no_network_and_no_chrome_but_what_is_relayed(programs: Callable[[], Program], make: Make) -> None:
    program = programs().load(make())
    assert program.run("self.origin") == "null"
    with pytest.raises(CdpError, match="chrome.cookies.getAll is not there"):
        program.run("chrome.cookies.getAll({})")
    assert isinstance(program.run("chrome.tabs.query({active: true})"), list)
    assert program.run("new Promise((done) => { const image = new Image(); image.onload = image.onerror = (e) => done(e.type); image.src = 'http://127.0.0.1:1/'; })") == "error"
    assert program.run("fetch(chrome.runtime.getURL('page.js')).then((r) => r.text())") == PAGE
    assert program.run("fetch('http://127.0.0.1:1/').catch((e) => e.name)") == "TypeError"


def test_a_worker_fetches_without_the_cookies_of_the_person(programs: Callable[[], Program], make: Make) -> None:
    heard: list[tuple[str, str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append((self.headers["X-Key"], body, self.headers.get("Cookie")))
            self.send_response(201)
            self.send_header("Set-Cookie", "a=b")
            self.end_headers()
            self.wfile.write(b"made")

        def log_message(self, format: str, *args: Any) -> None: ...

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = programs().load(make())
        call = f"fetch('http://127.0.0.1:{server.server_address[1]}/', {{method: 'POST', headers: {{'X-Key': 'k'}}, body: 'text'}})"
        assert program.run(f"{call}.then(async (r) => [r.status, await r.text()])") == [201, "made"]
        assert program.run(f"{call}.then((r) => r.ok)") is True
        server.shutdown()
    assert heard == [("k", "text", None)] * 2


def test_a_worker_drives_pages_over_the_socket_of_its_client_alone(programs: Callable[[], Program], make: Make) -> None:
    program = programs().load(make())
    assert program.run("dial('ws://127.0.0.1:1/')") == "closed 1008 it may open no other socket than its client's own"
    program.dial()
    assert program.run("cdp('Browser.getVersion')")["result"]["product"].startswith("Chrome/")
    listed = program.run("cdp('Target.getTargets')")["result"]["targetInfos"]
    assert {one["type"] for one in listed} == {"page"}


def test_content_scripts_are_in_pages_that_were_open_and_in_those_that_come(
    programs: Callable[[], Program], make: Make, browser: Chromium, site: Pages
) -> None:
    open_before = browser.open(site.url("/plain"))
    program = programs().load(make()).dial()
    session = program.in_page(open_before.target)
    program.run(f"cdp('Runtime.evaluate', {{expression: '1'}}, '{session}')")
    eventually(lambda: "function" in program.worlds(session, "globalThis.__in_page"), 10, "our world is in the page")
    program.run("heard.length = 0")
    program.run(f"cdp('Page.navigate', {{url: {json.dumps(site.other('/plain'))}}}, '{session}')")
    eventually(lambda: "function" in program.worlds(session, "globalThis.__in_page"), 10, "our world is in the next page")
    blank = browser.open("about:blank")
    session = program.in_page(blank.target)
    eventually(lambda: "function" in program.worlds(session, "globalThis.__in_page"), 10, "a world like it is in an empty page")
    for tab in (open_before, blank):
        tab.close()


def test_the_rules_of_a_worker_are_its_own_and_end_with_it(programs: Callable[[], Program], make: Make, browser: Chromium) -> None:
    first, second = programs().load(make()), programs().load(make())
    rule = "{id: 5, action: {type: 'block'}, condition: {urlFilter: '||nowhere.example', tabIds: [1]}}"
    for program in (first, second):
        program.run(f"chrome.declarativeNetRequest.updateSessionRules({{addRules: [{rule}]}})")
        assert [one["id"] for one in program.run("chrome.declarativeNetRequest.getSessionRules()")] == [5]
    in_chrome = "chrome.declarativeNetRequest.getSessionRules().then((all) => all.length)"
    assert browser.worker(in_chrome) == 2
    first.run("chrome.declarativeNetRequest.updateSessionRules({removeRuleIds: [5]})")
    assert browser.worker(in_chrome) == 1
    second.close()
    eventually(lambda: browser.worker(in_chrome) == 0, 10, "its rules are gone with it")


def test_several_clients_each_have_a_sandbox_that_goes_with_them(programs: Callable[[], Program], make: Make, browser: Chromium) -> None:
    first, second = programs().load(make()).dial(), programs().load(make()).dial()
    assert first.id == second.id
    first.run("globalThis.mine = 1")
    assert second.run("typeof mine") == "undefined"
    assert [one["type"] for one in first.cdp.targets()].count("service_worker") == 1
    first.close()
    assert second.run("cdp('Browser.getVersion')")["result"]["product"]
    second.cdp.call("Extensions.uninstall", id=second.id)
    assert not [one for one in second.cdp.targets() if one["type"] == "service_worker"]
    assert second.cdp.call("Extensions.getExtensions") == {"extensions": []}
    eventually(lambda: browser.worker("chrome.scripting.getRegisteredContentScripts().then((all) => all.length)") == 0, 10, "the last world is gone")


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("a worker that throws", {"worker": "throw new Error('boom')"}, r"^Service worker registration failed\. Status code: 15\. .*Error: boom \(line 1\)$"),
    ("a worker with a syntax error", {"worker": "let a b"}, r"^Service worker registration failed\. Status code: 15\. .*SyntaxError: .*\(line 1\)$"),
    ("no worker", {"worker": None}, r"^Could not load background script 'worker\.js'\.$"),
    ("no content script", {"page": None}, r"^Could not load javascript 'page\.js' for script\.$"),
    ("no JSON", {"manifest": "{oops"}, r"^Manifest is not valid JSON\. "),
    ("no object", {"manifest": "[1]"}, r"^Manifest file is invalid$"),
    ("another extension", {"manifest": {"name": "n", "version": "1", "background": {"service_worker": "worker.js"}}}, "Load this one by hand"),
]


@pytest.mark.parametrize(("given", "why"), [pytest.param(*rest, id=name) for name, *rest in BROKEN])
def test_what_cannot_run_is_refused_by_name(programs: Callable[[], Program], make: Make, given: dict[str, Any], why: str) -> None:
    program = programs()
    with pytest.raises(CdpError, match=why):
        program.load(make(**given))
    assert program.load(make()).run("1 + 1") == 2


def test_a_folder_that_is_not_there_and_a_link_out_of_one_are_refused(programs: Callable[[], Program], make: Make, tmp_path: Path) -> None:
    program = programs()
    for path in ("/no/such/folder", "relative"):
        with pytest.raises(CdpError, match=r"^File path cannot be resolved\.$"):
            program.load(path)
    with pytest.raises(CdpError, match="^Manifest file is missing or unreadable$"):
        program.load(str(tmp_path))
    folder = Path(make(worker=None))
    (tmp_path / "elsewhere.js").write_text(WORKER)
    (folder / "worker.js").symlink_to(tmp_path / "elsewhere.js")
    with pytest.raises(CdpError, match="^Could not load background script"):
        program.load(str(folder))


def test_a_sandbox_that_is_lost_with_the_link_closes_its_clients_socket(programs: Callable[[], Program], make: Make, daemon: Daemon) -> None:
    program, other = programs().load(make()), programs()
    [browser] = daemon.request("GET", "/v1/browsers")[1]["browsers"]
    daemon.request("POST", f"/v1/browsers/{browser['id']}/reload", {})

    def ended() -> bool:
        try:
            program.cdp.call("Browser.getVersion", timeout=1)
        except CdpError:
            return True
        except TimeoutError:  # the daemon may be slow to answer, which is no end
            return False
        return False

    eventually(ended, 20, "its socket is closed")
    assert other.cdp.call("Browser.getVersion")["product"].startswith("Chrome/")
    daemon.wait_for_browser()
    assert programs().load(make()).run("2") == 2
