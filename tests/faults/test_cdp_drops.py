"""CDP clients at work while the link drops: their sockets stay, what they had set up is set up again, what was lost is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from cdp_client import Client, Page, quiet
from chromium import CdpError, Chromium, eventually
from daemon import Daemon
from pages import Pages
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Playwright, sync_playwright
from proxy import Wire

AWAY = 3.0


class Bench:
    """A daemon, a wire that can be cut, a browser behind it."""

    def __init__(self, daemon: Daemon, wire: Wire, browser: Chromium) -> None:
        self.daemon, self.wire, self.browser = daemon, wire, browser

    def drop(self, how: str) -> None:
        """The link drops and comes back by itself, within some seconds."""
        if how == "the worker killed":
            self.browser.kill_worker()
        elif how == "the offscreen document closed":
            self.browser.close_offscreen()
        elif how == "the extension reloaded":
            self.browser.reload_extension()
        else:
            self.wire.cut()
            threading.Timer(AWAY, self.wire.heal).start()

    def attached(self) -> list[str]:
        """Tabs that a debugger of Chrome's extensions holds: as long as there is one, Chrome shows its bar."""
        held: list[str] = self.browser.worker(
            "chrome.debugger.getTargets().then(all => all.filter(t => t.attached && t.tabId && !t.extensionId).map(t => t.url))"
        )
        return held


DROPS = ("the worker killed", "the offscreen document closed", "the extension reloaded", "the link cut")
LINK_DROPS = DROPS[1:]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Daemon(state_dir=tmp_path_factory.mktemp("drops") / "state") as daemon:
        wire = Wire(daemon.port)
        with Chromium(daemon=wire.url) as browser:
            daemon.wait_for_browser()
            yield Bench(daemon, wire, browser)
        wire.close()


@pytest.fixture
def client(bench: Bench) -> Iterator[Client]:
    bench.daemon.wait_for_browser()
    made = Client(bench.daemon)
    made.call("Target.setDiscoverTargets", discover=True)
    yield made
    if not made.closed:
        for target in {p["targetInfo"]["targetId"] for p in made.told("Target.targetCreated") if p["targetInfo"]["url"] not in ("", "about:blank")}:
            if target not in [p["targetId"] for p in made.told("Target.targetDestroyed")]:
                try:
                    made.call("Target.closeTarget", targetId=target, timeout=5)
                except (CdpError, TimeoutError):
                    pass
    made.close()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def program(bench: Bench, playwright: Playwright) -> Iterator[PlaywrightBrowser]:
    bench.daemon.wait_for_browser()
    connected = playwright.chromium.connect_over_cdp(bench.daemon.url)
    yield connected
    for page in connected.contexts[0].pages:
        if page.url.startswith("http"):
            page.close()
    connected.close()


def child(page: Page, kind: str) -> Page:
    """The child session of that type, its target running."""
    said = page.wait_told("Target.attachedToTarget", where=lambda p: p["targetInfo"]["type"] == kind)
    made = Page(page.client, said["targetInfo"]["targetId"], said["sessionId"])
    made("Runtime.enable")
    made("Runtime.runIfWaitingForDebugger")
    return made


def raised(future: Future[Any], timeout: float = 15) -> str:
    with pytest.raises(CdpError) as error:
        future.result(timeout)
    return str(error.value)


@pytest.mark.parametrize("how", DROPS)
def test_a_raw_client_goes_on_where_it_was(bench: Bench, client: Client, site: Pages, how: str) -> None:
    page = client.page(site.url("/frames")).enable("Page", "Runtime", "Log", "Network").loaded()
    page("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
    frame = child(page, "iframe")
    page("Runtime.evaluate", expression="globalThis.made = new Worker(URL.createObjectURL(new Blob(['self.here = 1'])))")
    worker = child(page, "worker")
    page("Page.addScriptToEvaluateOnNewDocument", source="window.inits = (window.inits || 0) + 1", runImmediately=True)
    page("Runtime.addBinding", name="tell")
    page("Fetch.enable", patterns=[{"urlPattern": "*/count/intercepted*"}])
    own_world = page("Page.createIsolatedWorld", frameId=page.target, worldName="mine")["executionContextId"]
    main_world = [
        said["context"]["id"]
        for said in page.told("Runtime.executionContextCreated")
        if said["context"]["auxData"] == {"isDefault": True, "type": "default", "frameId": page.target}
    ][-1]
    page.evaluate("window.mark = 'before'")
    under_way = client.post("Runtime.evaluate", page.session, expression="new Promise(() => {})", awaitPromise=True)
    page.evaluate("1")  # it is on its way by now
    since = len(client.events)

    bench.drop(how)
    if how == "the link cut":
        eventually(lambda: under_way.done(), 15, "the drop is noticed")
    meanwhile = client.post("Runtime.evaluate", page.session, expression="40 + 2", returnByValue=True)
    assert "before it answered" in (said := raised(under_way)) and "it may or may not have been carried out" in said
    try:
        assert meanwhile.result(20)["result"]["value"] == 42
    except CdpError as error:  # said before the drop was noticed
        assert "it may or may not have been carried out" in str(error)

    assert page.evaluate("[mark, inits]", contextId=main_world) == ["before", 1]
    assert page.evaluate("typeof tell + typeof mark", contextId=own_world) == "functionundefined"
    assert frame.evaluate("location.pathname") == "/third"
    assert worker.evaluate("self.here") == 1
    assert not page.told("Target.detachedFromTarget", since)
    page.evaluate("tell('again')")
    assert page.wait_told("Runtime.bindingCalled", since)["payload"] == "again"
    asked = client.post("Runtime.evaluate", page.session, expression="fetch('/count/intercepted').then(r => r.text())", awaitPromise=True)
    paused = page.wait_told("Fetch.requestPaused", since)
    page("Fetch.fulfillRequest", requestId=paused["requestId"], responseCode=200, body="cm91dGVk")
    assert asked.result(10)["result"]["value"] == "routed"
    lines = [said["entry"]["text"] for said in page.told("Log.entryAdded", since) if said["entry"]["text"].startswith("any:")]
    assert len(lines) == (0 if how == "the worker killed" else 1), lines
    if lines:
        assert "was lost for" in lines[0] and "events in that time were not seen" in lines[0]
        # The contexts are told anew under their ids: objects in them are gone.
        assert page.told("Runtime.executionContextsCleared", since)
        assert main_world in [said["context"]["id"] for said in page.told("Runtime.executionContextCreated", since)]
    page("Page.navigate", url=site.url("/second"))
    assert page.loaded().evaluate("[inits, typeof tell]") == [1, "function"]
    assert client.closed is None


@pytest.mark.parametrize("how", DROPS)
def test_a_playwright_program_goes_on_where_it_was(bench: Bench, program: PlaywrightBrowser, site: Pages, how: str) -> None:
    page = program.contexts[0].new_page()
    page.set_default_timeout(30_000)
    ended: list[str] = []
    lines: list[str] = []
    program.on("disconnected", lambda _: ended.append("disconnected"))
    page.on("close", lambda _: ended.append("closed"))
    page.on("console", lambda message: lines.append(message.text))
    page.add_init_script("window.inits = (window.inits || 0) + 1")
    page.expose_function("tell", lambda what: f"told {what}")
    page.route("**/count/intercepted", lambda route: route.fulfill(body="routed"))
    page.goto(site.url("/frames"))
    page.evaluate("mark = 'before'; made = new Worker(URL.createObjectURL(new Blob(['self.here = 1']))); 1")
    page.wait_for_function("inits === 1")
    eventually(lambda: page.evaluate("1") and page.workers, 15, "Playwright knows the worker")

    bench.drop(how)
    assert page.locator("iframe").first.get_attribute("src") == "/second"
    assert page.evaluate("[mark, inits]") == ["before", 1]
    assert page.frame_locator("[name=other]").locator("h1").text_content() == "Third"
    assert page.workers[0].evaluate("self.here") == 1
    assert page.evaluate("tell('x')") == "told x"
    assert page.evaluate("fetch('/count/intercepted').then(r => r.text())") == "routed"
    assert page.goto(site.url("/second")).status == 200
    assert page.evaluate("[inits, typeof tell]") == [1, "function"]
    assert [line for line in lines if "link to the browser was lost" in line][1:] == []
    assert ended == []


def test_a_handle_from_before_the_drop_says_that_its_context_is_gone(bench: Bench, program: PlaywrightBrowser, site: Pages) -> None:
    page = program.contexts[0].new_page()
    page.goto(site.url("/plain"))
    heading = page.query_selector("h1")
    assert heading
    bench.drop("the offscreen document closed")
    assert page.locator("h1").text_content() == "Plain"
    with pytest.raises(PlaywrightError, match="Execution context was destroyed"):
        heading.text_content()


def test_what_happened_during_a_cut_is_told_after_it(bench: Bench, client: Client, site: Pages) -> None:
    moves = client.page(site.url("/plain")).enable("Page", "Runtime", "Log").loaded()
    closes = client.page(site.url("/third")).enable("Page").loaded()
    by_hand = {tab.target: tab for tab in bench.browser.tabs()}
    since = len(client.events)
    bench.wire.cut()
    by_hand[moves.target].goto(site.url("/second"))
    by_hand[closes.target].close()
    new = bench.browser.open(site.url("/no-store"))
    asked = client.post("Runtime.evaluate", closes.session, expression="1")
    waits = client.post("Runtime.evaluate", moves.session, expression="document.title", returnByValue=True)
    time.sleep(0.5)  # nothing may be answered while the link is away
    assert not asked.done() and not waits.done()
    bench.wire.heal()
    assert client.wait_told("Target.detachedFromTarget", since=since)["targetId"] == closes.target
    assert client.wait_told("Target.targetDestroyed", since=since)["targetId"] == closes.target
    client.wait_told("Target.targetCreated", since=since, where=lambda p: p["targetInfo"]["targetId"] == new.target)
    assert raised(asked) == "Inspected target navigated or closed"
    assert waits.result(10)["result"]["value"] == "Second"
    assert moves.wait_told("Page.frameNavigated", since)["frame"]["url"] == site.url("/second")
    moves.wait_told("Log.entryAdded", since)
    assert client.closed is None


def test_a_tab_that_nobody_wants_any_more_after_a_cut_is_let_go(bench: Bench, client: Client, site: Pages) -> None:
    page = client.page(site.url("/plain")).enable("Page", "Runtime").loaded()
    other = Client(bench.daemon)
    other.call("Browser.getVersion")
    assert site.url("/plain") in bench.attached()
    client.call("Target.setDiscoverTargets", discover=False)
    bench.wire.cut()
    client.close()
    bench.wire.heal()
    bench.daemon.wait_for_browser()
    eventually(lambda: site.url("/plain") not in bench.attached(), 15, "nothing holds the tab")
    other.call("Target.closeTarget", targetId=page.target)
    other.close()


@pytest.mark.waits
def test_a_link_that_stays_away_closes_the_sockets_and_says_why(bench: Bench, site: Pages) -> None:
    client = Client(bench.daemon)
    page = client.page(site.url("/plain")).enable("Runtime").loaded()
    bench.wire.cut()
    cut = time.monotonic()
    eventually(lambda: bench.daemon.health()["browsers"] == 0, 15)
    waits = client.post("Runtime.evaluate", page.session, expression="1")
    eventually(lambda: client.closed, 40, "the socket is closed")
    assert 28 < time.monotonic() - cut < 38
    assert client.closed == (1001, "the browser is gone")
    assert "browser" in raised(waits)
    bench.wire.heal()
    bench.daemon.wait_for_browser()
    again = Client(bench.daemon)
    assert page.target in [info["targetId"] for info in again.call("Target.getTargets")["targetInfos"]]
    eventually(lambda: site.url("/plain") not in bench.attached(), 15, "the old attachment has gone")
    again.call("Target.closeTarget", targetId=page.target)
    again.close()


@pytest.mark.parametrize("how", ["in order", "killed"])
def test_a_daemon_started_again_is_joined_anew_and_leaves_no_tab_attached(bench: Bench, site: Pages, how: str) -> None:
    client = Client(bench.daemon)
    page = client.page(site.url("/plain")).enable("Page", "Runtime").loaded()
    assert site.url("/plain") in bench.attached()
    if how == "in order":
        bench.daemon.stop()
        eventually(lambda: client.closed, 15)
        assert client.closed == (1001, "the daemon is shutting down")
    else:
        bench.daemon.kill9()
        eventually(lambda: client.closed, 15)
    bench.daemon.start()
    bench.daemon.wait_for_browser()
    eventually(lambda: site.url("/plain") not in bench.attached(), 15, "nothing holds the tab")
    again = Client(bench.daemon)
    session = again.call("Target.attachToTarget", targetId=page.target, flatten=True)["sessionId"]
    assert again.evaluate(session, "document.title") == "Plain"
    again.call("Target.closeTarget", targetId=page.target)
    again.close()
