"""The doors of a Chrome with a debugging port: /json/…, and the sockets that speak CDP. The browser is simulated."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from daemon import Daemon
from link_client import ORIGIN as EXTENSION
from link_client import LinkClient
from raw_http import Answer, ask, upgrade

TARGET = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
OTHER = "B1B2C3D4E5F60718293A4B5C6D7E8F90"
SOCKETS = ["/", "/cdp", "/devtools/browser", "/devtools/browser/{id}", "/devtools/page/{target}", "/browsers/{id}"]


class Browser(LinkClient):
    """A simulated browser with tabs: (tab id, target id, URL, title)."""

    def __init__(self, daemon: str, tabs: dict[int, tuple[str, str, str]] | None = None, **more: Any) -> None:
        self.tabs = {17: (TARGET, "https://shop.example/", 'A "shop" <b>'), 18: (OTHER, "chrome://version/", "About")} if tabs is None else tabs
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.debugger: Callable[[str, dict[str, Any]], Any] = lambda method, params: {}
        self.attached: set[int] = set()
        super().__init__(daemon, **{"product": "Google Chrome 156.0.8078.79", "user_agent": UA, **more})

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        method = message.get("method", "")
        if not method.startswith(("chrome.", "debugger.")):
            super()._take(socket, message)
            return
        params = message["params"]
        self.asked.append((method, params))
        try:
            if method == "chrome.call":
                answer: dict[str, Any] = {"result": {"value": self.chrome(params["path"], params.get("args", []))}}
            elif method == "debugger.send":
                answer = {"result": {"value": self.debugger(params["method"], params)}}
            else:
                answer = {"result": {}}
        except ChromeError as error:
            words = {"name": "ScriptError", "message": str(error), "cdp": {"code": -32000, "message": str(error)}}
            answer = {"error": {"code": -32000, "message": str(error), "data": words}}
        if not message.get("id"):
            return
        socket.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}, separators=(",", ":")))

    def chrome(self, path: str, args: list[Any]) -> Any:
        if path == "tabs.query":
            return [self.tab(tab) for tab in self.tabs]
        if path == "debugger.getTargets":
            return [
                {"id": target, "type": "page", "title": title, "url": url, "attached": False, "tabId": tab}
                for tab, (target, url, title) in self.tabs.items()
            ]
        if path == "tabs.create":
            tab = max(self.tabs, default=0) + 1
            self.tabs[tab] = (f"{tab:032X}", args[0].get("url", "about:blank"), "")
            return self.tab(tab)
        if path == "tabs.remove":
            ids = args[0] if isinstance(args[0], list) else [args[0]]
            for tab in ids:
                self.tabs.pop(tab, None)
            return None
        if path in ("tabs.update", "tabs.get"):
            return self.tab(args[0])
        if path.startswith("windows."):
            return {"id": 1, "focused": True, "type": "normal", "state": "normal"}
        return []

    def tab(self, tab: int) -> dict[str, Any]:
        _, url, title = self.tabs[tab]
        return {"id": tab, "windowId": 1, "index": 0, "url": url, "title": title, "active": tab == 17, "incognito": False, "status": "complete"}


class ChromeError(Exception):
    """What Chrome itself says."""


UA = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path_factory.mktemp("doors")) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon("--token", state_dir=tmp_path_factory.mktemp("locked")) as running:
        yield running


@pytest.fixture
def browser(shared: Daemon) -> Iterator[Browser]:
    with Browser(shared.url, label="work") as linked:
        yield linked
    wait_until(lambda: shared.health()["browsers"] == 0)


def wait_until(condition: Callable[[], bool], timeout: float = 15.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def get(daemon: Daemon, path: str, method: str = "GET", **headers: str) -> Answer:
    return ask(daemon.port, method, path, {"Host": f"127.0.0.1:{daemon.port}", **{n.replace("_", "-"): v for n, v in headers.items()}})


def cdp(daemon: Daemon, path: str = "/", **more: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{daemon.port}{path}", proxy=None, max_size=None, compression=None, **more)


def say(socket: ClientConnection, method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    """One command and its answer; events in between are passed over."""
    socket.send(json.dumps({"id": number, "method": method, "params": params}))
    while True:
        message = json.loads(socket.recv(timeout=20))
        if message.get("id") == number:
            return dict(message)


def clients(daemon: Daemon) -> int:
    return int(daemon.health()["cdp"]["clients"])


# /json


@pytest.mark.parametrize("path", ["/json/version", "/json/version/", "/browsers/work/json/version", "/json/version?browser=work"])
def test_version_tells_what_a_raw_chrome_tells(shared: Daemon, browser: Browser, path: str) -> None:
    answer = get(shared, path)
    told = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json; charset=UTF-8")
    assert told["Browser"] == "Chrome/156.0.8078.79"
    assert (told["Protocol-Version"], told["User-Agent"], told["WebKit-Version"]) == ("1.3", UA, f"537.36 (@{'0' * 40})")
    assert told["webSocketDebuggerUrl"] == f"ws://127.0.0.1:{shared.port}/devtools/browser/{browser.browser}"
    assert (told["any"]["transport"], told["any"]["browser"], told["any"]["label"]) == ("extension", browser.browser, "work")
    assert re.search(r'"webSocketDebuggerUrl": "ws://[^"]+"', answer.body.decode()), "scripts cut it out with grep"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_addresses_have_the_host_that_the_client_used(shared: Daemon, browser: Browser, host: str) -> None:
    name = f"{host}:{shared.port}"
    told = ask(shared.port, "GET", "/json/version", {"Host": name}).json()
    assert told["webSocketDebuggerUrl"].startswith(f"ws://{name}/")
    rows = ask(shared.port, "GET", "/json/list", {"Host": name}).json()
    assert {row["webSocketDebuggerUrl"] for row in rows} == {f"ws://{name}/devtools/page/{target}" for target in (TARGET, OTHER)}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_program_may_leave_out_the_port_and_is_given_it(shared: Daemon, browser: Browser, host: str) -> None:
    told = ask(shared.port, "GET", "/json/version", {"Host": host}).json()
    assert told["webSocketDebuggerUrl"].startswith(f"ws://{host}:{shared.port}/devtools/browser/")
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert ask(shared.port, "GET", "/", {"Host": host, **upgrade}).status == 101
    assert ask(shared.port, "GET", "/json/version", {"Host": host, "Origin": f"http://{host}"}).status == 403


@pytest.mark.parametrize("path", ["/json", "/json/", "/json/list", "/json/list/", "/json/list?for_tab", "/browsers/work/json", "/browsers/work/json/list"])
def test_list_tells_the_tabs_by_chromes_own_ids(shared: Daemon, browser: Browser, path: str) -> None:
    rows = {row["id"]: row for row in get(shared, path).json()}
    assert set(rows) == {TARGET, OTHER}, "pages, and nothing of the type tab"
    row = rows[TARGET]
    assert (row["type"], row["url"], row["title"], row["description"]) == ("page", "https://shop.example/", 'A "shop" <b>', "")
    assert row["webSocketDebuggerUrl"] == f"ws://127.0.0.1:{shared.port}/devtools/page/{TARGET}"
    assert f"ws=127.0.0.1:{shared.port}/devtools/page/{TARGET}" in row["devtoolsFrontendUrl"]


def test_list_follows_the_tabs_between_two_looks(shared: Daemon, browser: Browser) -> None:
    assert len(get(shared, "/json/list").json()) == 2
    browser.tabs[19] = ("C" * 32, "https://new.example/", "New")
    del browser.tabs[18]
    wait_until(lambda: {row["id"] for row in get(shared, "/json/list").json()} == {TARGET, "C" * 32})


def test_a_new_tab_is_made_by_put_alone(shared: Daemon, browser: Browser) -> None:
    for method in ("GET", "POST"):
        answer = get(shared, "/json/new?https://new.example/", method)
        assert answer.status == 405
        assert answer.body.decode() == f"Using unsafe HTTP verb {method} to invoke /json/new. This action supports only PUT verb."
    assert not [params for _, params in browser.asked if params.get("path") == "tabs.create"]
    row = get(shared, "/json/new?https%3A%2F%2Fnew.example%2F%3Fa%3D1%26b", "PUT").json()
    assert (row["type"], row["url"]) == ("page", "https://new.example/?a=1&b")
    assert row["id"] in {target for target, _, _ in browser.tabs.values()}
    assert get(shared, "/json/new", "PUT").json()["url"] == "about:blank"


def test_activate_and_close_answer_in_chromes_words(shared: Daemon, browser: Browser) -> None:
    for act, words in (("activate", "Target activated"), ("close", "Target is closing")):
        answer = get(shared, f"/json/{act}/{TARGET}")
        assert (answer.status, answer.body.decode()) == (200, words)
        for unknown in ("XYZ", f"{OTHER}/", ""):
            answer = get(shared, f"/json/{act}/{unknown}")
            assert (answer.status, answer.body.decode()) == (404, f"No such target id: {unknown}")
    assert 17 not in browser.tabs and 18 in browser.tabs


def test_an_unknown_command_is_named(shared: Daemon, browser: Browser) -> None:
    answer = get(shared, "/json/versions/of")
    assert (answer.status, answer.body.decode()) == (404, "Unknown command: versions")


def test_the_protocol_names_every_domain_and_command(shared: Daemon) -> None:
    told = get(shared, "/json/protocol").json()
    domains = {row["domain"]: row for row in told["domains"]}
    assert told["version"] == {"major": "1", "minor": "3"}
    assert "navigate" in {row["name"] for row in domains["Page"]["commands"]}
    assert "loadEventFired" in {row["name"] for row in domains["Page"]["events"]}
    assert all(name for row in domains.values() for kind in ("commands", "events") for name in row[kind])


def test_a_protocol_of_chromes_own_is_told_where_there_is_one(daemon: Daemon) -> None:
    text = '{"version": {"major": "1", "minor": "3"}, "domains": []}'
    (daemon.state_dir / "protocol.json").write_text(text)
    assert get(daemon, "/json/protocol").body.decode() == text


# which browser


def test_without_a_browser_the_doors_wait_and_then_say_what_to_do(daemon: Daemon) -> None:
    begun = time.monotonic()
    answer = get(daemon, "/json/version")
    assert 2.5 < time.monotonic() - begun < 10
    assert (answer.status, answer.error) == (503, "NoBrowserError")
    assert "no browser is connected" in answer.json()["error"]["message"] and "any doctor" in answer.json()["error"]["message"]


def test_a_socket_without_a_browser_is_refused_with_the_reason(daemon: Daemon) -> None:
    answer = upgrade(daemon.port, "/")
    assert (answer.status, answer.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert answer.body.decode().startswith("NoBrowserError: no browser is connected")


def test_a_browser_that_links_meanwhile_is_taken(daemon: Daemon) -> None:
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(get(daemon, "/json/version")))
    asking.start()
    wait_until(lambda: "any_requests_total" in daemon.request("GET", "/metrics")[1])
    with Browser(daemon.url) as browser:
        asking.join(timeout=10)
        assert answers and answers[0].status == 200
        assert answers[0].json()["any"]["browser"] == browser.browser


def test_of_several_browsers_the_one_used_last_is_taken_and_any_can_be_named(daemon: Daemon) -> None:
    tabs = {5: ("D" * 32, "https://home.example/", "Home")}
    with Browser(daemon.url, label="work") as work, Browser(daemon.url, tabs, label="home") as home:
        for first in (work, home):
            first.notify("browser.update", {"used": True})
            wait_until(lambda: get(daemon, "/json/version").json()["any"]["browser"] == first.browser)
        for path in ("/browsers/work/json", f"/browsers/{work.browser}/json/list", "/json/list?browser=work"):
            assert {row["id"] for row in get(daemon, path).json()} == {TARGET, OTHER}
        # A target is found in whichever browser it is.
        assert get(daemon, f"/json/activate/{TARGET}").status == 200
        assert get(daemon, "/json/activate/" + "D" * 32).status == 200
        for path in (f"/devtools/page/{TARGET}", "/devtools/page/" + "D" * 32, "/browsers/home/devtools/page/" + "D" * 32):
            assert upgrade(daemon.port, path).status == 101
        assert upgrade(daemon.port, f"/browsers/home/devtools/page/{TARGET}").status == 500
        with cdp(daemon, f"/devtools/browser/{work.browser}"), cdp(daemon, "/browsers/home"), cdp(daemon, "/browsers/home/"):
            told = {row["label"]: row["cdp"]["clients"] for row in daemon.request("GET", "/v1/browsers")[1]["browsers"]}
            assert told == {"work": 1, "home": 2}


def test_a_paused_browser_is_not_driven(shared: Daemon, browser: Browser) -> None:
    browser.notify("browser.update", {"paused": True})
    wait_until(lambda: get(shared, "/json/version").status == 503)
    assert get(shared, "/json/list").error == "PausedError"
    answer = upgrade(shared.port, "/")
    assert answer.status == 503 and answer.body.decode().startswith("PausedError: ")
    browser.notify("browser.update", {"paused": False})
    wait_until(lambda: get(shared, "/json/version").status == 200)


@pytest.mark.parametrize("path", ["/devtools/browser/0dd0bd4c-0000-4000-8000-000000000000", "/browsers/nobody", "/?browser=nobody"])
def test_a_stale_browser_id_is_refused_with_what_to_do(shared: Daemon, browser: Browser, path: str) -> None:
    answer = upgrade(shared.port, path)
    assert answer.status == 404
    assert "NotFoundError" in answer.body.decode() and "/json/version" in answer.body.decode()


def test_an_unknown_target_is_refused_in_chromes_words(shared: Daemon, browser: Browser) -> None:
    answer = upgrade(shared.port, "/devtools/page/abc")
    assert (answer.status, answer.body.decode()) == (500, "No such target id: abc")


# sockets


@pytest.mark.parametrize("path", [*SOCKETS, "/devtools/browser/", "/browsers/work/devtools/browser/x", "/browsers/work/devtools/page/{target}"])
def test_a_socket_is_opened_on_every_address(shared: Daemon, browser: Browser, path: str) -> None:
    with cdp(shared, path.format(id=browser.browser, target=TARGET)) as socket:
        wait_until(lambda: clients(shared) == 1)
        assert "id" in say(socket, "Browser.getVersion")
    wait_until(lambda: clients(shared) == 0)


@pytest.mark.parametrize("path", ["/devtools/browser", "/devtools/page/abc"])
def test_a_socket_asked_for_without_an_upgrade_says_what_it_is(shared: Daemon, browser: Browser, path: str) -> None:
    answer = get(shared, path)
    assert (answer.status, answer.error) == (400, "BadRequestError")


@pytest.mark.parametrize("path", ["/v1/nothing", "/health", "/metrics", "/a/b", "/v1", "/devtools/other"])
def test_an_upgrade_elsewhere_opens_no_socket(shared: Daemon, browser: Browser, path: str) -> None:
    assert upgrade(shared.port, path).status in (200, 404)


def test_options_of_the_address_are_read_strictly_and_carried_on(shared: Daemon, browser: Browser) -> None:
    answer = upgrade(shared.port, "/?context=none")
    assert answer.status == 400 and "context" in answer.body.decode()
    told = get(shared, "/json/version?context=default&clear=profile").json()["webSocketDebuggerUrl"]
    assert told.endswith("?context=default&clear=profile")
    with connect(told, proxy=None):
        wait_until(lambda: "tab groups of the profile" in shared.log() and "may clear" in shared.log())


def test_commands_and_events_pass_unchanged_both_ways(shared: Daemon, browser: Browser) -> None:
    odd = {"expression": "1", "big": 12345678901234567890, "text": "\u00e9\u2028 \\ \"", "deep": [[[{}]]]}
    browser.debugger = lambda method, params: {"echo": params["params"]} if method == "WebAudio.getRealtimeData" else {}
    with cdp(shared, f"/devtools/page/{TARGET}") as socket:
        answer = say(socket, "WebAudio.getRealtimeData", 7, **odd)
        assert answer["result"] == {"echo": odd}
    sent = [params for method, params in browser.asked if method == "debugger.send" and params["method"] == "WebAudio.getRealtimeData"]
    assert sent[0]["tab"] == 17
    assert list(sent[0])[-1] == "params", "the large member stands last"
    assert ("debugger.attach", {"tab": 17, "fresh": True}) in browser.asked


def test_chromes_own_error_reaches_the_client(shared: Daemon, browser: Browser) -> None:
    def refuse(method: str, _: dict[str, Any]) -> Any:
        if method == "WebAudio.getRealtimeData":
            raise ChromeError("Could not find node with given id")
        return {}

    browser.debugger = refuse
    with cdp(shared, f"/devtools/page/{TARGET}") as socket:
        assert say(socket, "WebAudio.getRealtimeData")["error"] == {"code": -32000, "message": "Could not find node with given id"}


def test_a_large_message_passes_both_ways(shared: Daemon, browser: Browser) -> None:
    browser.debugger = lambda method, params: {"size": len(params["params"].get("text", "")), "back": params["params"].get("text", "")}
    text = "x" * (40 << 20)
    with cdp(shared, f"/devtools/page/{TARGET}") as socket:
        result = say(socket, "WebAudio.getRealtimeData", text=text)["result"]
    assert result["size"] == len(text) and result["back"] == text


def test_clients_are_counted_and_told_in_the_log(shared: Daemon, browser: Browser) -> None:
    with cdp(shared, user_agent_header="Playwright/1.65"), cdp(shared, f"/devtools/page/{TARGET}"):
        wait_until(lambda: clients(shared) == 2)
        page = shared.request("GET", "/metrics")[1]
        assert "any_cdp_clients 2" in page.splitlines()
        assert {"any_cdp_sessions", "any_cdp_attached", "any_cdp_pending"} <= {line.split()[0] for line in page.splitlines()}
        wait_until(lambda: "(Playwright/1.65) has come" in shared.log())
    wait_until(lambda: clients(shared) == 0)
    assert re.search(r"CDP client \d+ \(Playwright/1.65\) has gone: The peer closed the connection with 1000", shared.log())


def test_the_daemons_end_closes_sockets_with_1001(tmp_path: Path) -> None:
    with Daemon(state_dir=tmp_path / "state") as daemon, Browser(daemon.url), cdp(daemon) as socket:
        wait_until(lambda: clients(daemon) == 1)
        daemon.stop()
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(timeout=10)
        assert ended.value.rcvd is not None and ended.value.rcvd.code == 1001


@pytest.mark.slow
def test_a_client_that_does_not_read_is_cut_off_and_slows_no_other(shared: Daemon, browser: Browser) -> None:
    megabytes = 24
    browser.debugger = lambda method, params: {"data": "x" * (megabytes << 20)} if method == "WebAudio.getRealtimeData" else {"ok": True}
    with cdp(shared, f"/devtools/page/{TARGET}", max_queue=1) as slow, cdp(shared, f"/devtools/page/{OTHER}") as quick:
        for number in range(1, 26):
            slow.send(json.dumps({"id": number, "method": "WebAudio.getRealtimeData"}))
        wait_until(lambda: "is cut off" in shared.log(), timeout=60)
        assert say(quick, "WebAudio.other")["result"] == {"ok": True}
        wait_until(lambda: clients(shared) == 1)


# who may come in


def refused(answer: Answer, status: int = 403, name: str = "ForbiddenError") -> None:
    assert (answer.status, answer.error) == (status, name), answer


JSON = ["/json", "/json/list", "/json/version", "/json/protocol", f"/json/activate/{TARGET}", f"/json/close/{TARGET}", "/browsers/work/json/list"]
FOREIGN = ["null", "https://evil.example", "http://127.0.0.1:9", "http://localhost:9222", "devtools://devtools", EXTENSION]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_web_page_reads_no_json_and_opens_no_socket(shared: Daemon, browser: Browser, origin: str) -> None:
    for path in JSON:
        refused(get(shared, path, Origin=origin))
    refused(get(shared, "/json/new?https://evil.example", "PUT", Origin=origin))
    for path in SOCKETS:
        refused(upgrade(shared.port, path.format(id=browser.browser, target=TARGET), {"Origin": origin}))
    assert not browser.asked and clients(shared) == 0, "a refused request did something"


def test_the_daemons_own_origin_is_served(shared: Daemon, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{shared.port}"
    assert get(shared, "/json/version", Origin=origin).status == 200
    assert upgrade(shared.port, "/", {"Origin": origin}).status == 101


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "0.0.0.0"])
def test_a_forged_host_gets_nothing(shared: Daemon, browser: Browser, host: str) -> None:
    name = f"{host}:{shared.port}"
    for path in JSON:
        refused(ask(shared.port, "GET", path, {"Host": name}))
    for path in SOCKETS:
        refused(upgrade(shared.port, path.format(id=browser.browser, target=TARGET), host=name))
    assert not browser.asked


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_page_asks_for_is_refused_even_without_an_origin(shared: Daemon, browser: Browser, site: str) -> None:
    for path in JSON:
        refused(get(shared, path, Sec_Fetch_Site=site))
    for path in SOCKETS:
        refused(upgrade(shared.port, path.format(id=browser.browser, target=TARGET), {"Sec-Fetch-Site": site}))
    assert not browser.asked


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_get_that_acts_is_not_for_a_browsers_address_bar(shared: Daemon, browser: Browser, site: str) -> None:
    for path in ("/json/new", f"/json/close/{TARGET}", f"/json/activate/{TARGET}", f"/browsers/work/json/close/{TARGET}"):
        refused(get(shared, path, Sec_Fetch_Site=site))
    assert not browser.asked
    assert get(shared, "/json/list", Sec_Fetch_Site=site).status == 200


def test_the_token_is_demanded_and_carried_into_the_addresses(locked: Daemon) -> None:
    token = (locked.state_dir / "token").read_text().strip()
    with Browser(locked.url, label="work") as browser:
        for path in JSON:
            refused(get(locked, path), 401, "UnauthorizedError")
            refused(get(locked, path + "?token=wrong"), 401, "UnauthorizedError")
        for path in SOCKETS:
            refused(upgrade(locked.port, path.format(id=browser.browser, target=TARGET)), 401, "UnauthorizedError")
        assert not browser.asked
        told = get(locked, f"/json/version?token={token}").json()["webSocketDebuggerUrl"]
        with connect(told, proxy=None) as socket:
            assert "id" in say(socket, "Browser.getVersion")
        row = next(row for row in get(locked, f"/json/list?token={token}").json() if row["id"] == TARGET)
        with connect(row["webSocketDebuggerUrl"], proxy=None):
            wait_until(lambda: locked.request("GET", "/health")[1]["cdp"]["clients"] == 1)
        with cdp(locked, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            assert "id" in say(socket, "Browser.getVersion")


def test_a_library_shows_why_a_socket_was_refused(shared: Daemon) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        cdp(shared, "/devtools/browser/nobody")
    assert refusal.value.response.status_code == 404 and b"nobody" in (refusal.value.response.body or b"")


def test_one_connection_serves_many_requests(shared: Daemon, browser: Browser) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=20)
    try:
        for _ in range(3):
            for path in ("/json/version", "/json/list", "/json/nothing"):
                connection.request("GET", path)
                assert connection.getresponse().read()
    finally:
        connection.close()
