"""Clients that connect to a browser with two hundred tabs, of which some answer nothing: they are there at once, and attach to none."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Playwright, sync_playwright

import pages
from chromium import Cdp, Chromium, eventually
from daemon import Daemon
from node_client import NodeClient
from pages import Pages

PLAIN = 190
#: seconds that a connect may take here: less than the 30 after which Playwright gives up. What it takes on a quiet machine is the bench's to hold
BOUND = 25.0
#: seconds after which a tab that nobody uses is let go (cdp::Limits::idle)
IDLE = 10.0

SPECULATES = '<!doctype html><title>Speculates</title><script type=speculationrules>{"prerender": [{"urls": ["/third"], "eagerness": "immediate"}]}</script>'


def chrome(daemon: Daemon, path: str, *args: Any) -> Any:
    browser = daemon.request("GET", "/v1/browsers")[1]["browsers"][0]["id"]
    status, said = daemon.request("POST", f"/v1/browsers/{browser}/chrome", {"path": path, "args": list(args)})
    assert status == 200, said
    return said["result"]


def attached(daemon: Daemon) -> int:
    return int(daemon.health()["cdp"]["attached"])


def clients(daemon: Daemon) -> int:
    return int(daemon.health()["cdp"]["clients"])


class Crowd:
    """A browser full of tabs. `special`: what is odd about a tab → its id in chrome.tabs."""

    def __init__(self, daemon: Daemon, browser: Chromium, site: Pages) -> None:
        self.daemon, self.browser, self.site = daemon, browser, site
        self.special: dict[str, int] = {}
        self.odd_ones()
        urls = [site.url(f"/plain?{number}") for number in range(PLAIN)]
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda url: self.open(url), urls))
        self.plain = made
        eventually(lambda: self.settled(), 180, "the tabs have loaded")
        self.count = len(chrome(daemon, "tabs.query", {}))

    def open(self, url: str, active: bool = False) -> int:
        return int(chrome(self.daemon, "tabs.create", {"url": url, "active": active})["id"])

    def settled(self) -> bool:
        plain = set(self.plain)
        rows = chrome(self.daemon, "tabs.query", {"status": "complete"})
        return len(plain & {row["id"] for row in rows}) == PLAIN

    def target(self, tab: int) -> str:
        return str(next(row["id"] for row in chrome(self.daemon, "debugger.getTargets") if row.get("tabId") == tab))

    def odd_ones(self) -> None:
        site, cdp = self.site, self.browser.cdp
        thirds = site.count("GET /third")  # other tests use the same site
        for number in range(3):
            tab = self.open(site.url(f"/second?discarded{number}"))
            eventually(lambda tab=tab: chrome(self.daemon, "tabs.get", tab)["status"] == "complete")
            self.special[f"discarded{number or ''}"] = int(chrome(self.daemon, "tabs.discard", tab)["id"])
        # The one that crashes is of another site: tabs of one site share their process. A hidden page prerenders nothing.
        for name, url in (("frozen", site.url("/second?frozen")), ("crashed", site.other("/second?crashed")), ("speculates", site.url("/speculates"))):
            self.special[name] = self.open(url, active=name == "speculates")
            eventually(lambda name=name: chrome(self.daemon, "tabs.get", self.special[name])["status"] == "complete")
        self.special["loading"] = self.open(site.url("/hold?name=crowd"))
        self.special["alert"] = self.open(site.url("/alert"))
        frozen, crashed = (
            cdp.call("Target.attachToTarget", targetId=self.target(self.special[name]), flatten=True)["sessionId"] for name in ("frozen", "crashed")
        )
        cdp.call("Page.setWebLifecycleState", frozen, state="frozen")  # for as long as this session lasts
        cdp.post("Page.crash", crashed)
        eventually(lambda: any(event[1] == "Inspector.targetCrashed" for event in cdp.events), 10, "the tab has crashed")
        cdp.call("Target.detachFromTarget", sessionId=crashed)
        eventually(lambda: site.count("GET /third") == thirds + 1, 10, "the page is prerendered")


@pytest.fixture(scope="module")
def crowd(daemon: Daemon, site: Pages) -> Iterator[Crowd]:
    pages.PAGES.setdefault("/speculates", (pages.HTML, {}, SPECULATES))
    # All tabs in few processes: what is tested is their number.
    with Chromium(daemon.url, flags=["--renderer-process-limit=4"]) as browser:
        daemon.wait_for_browser()
        begun = time.monotonic()
        made = Crowd(daemon, browser, site)
        print(f"\n{made.count} tabs opened in {time.monotonic() - begun:.1f} s")
        yield made


@pytest.fixture(autouse=True)
def alone(daemon: Daemon) -> Iterator[None]:
    """Each test begins and ends without clients, and with nothing attached."""
    yield
    eventually(lambda: clients(daemon) == 0 and attached(daemon) == 0, 10, "the client has gone, and what it had attached to is let go")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


def timed(what: str, begun: float) -> None:
    took = time.monotonic() - begun
    print(f"\n{what}: {took:.2f} s")
    assert took < BOUND


def test_playwright_connects_at_once_and_attaches_to_what_it_uses(crowd: Crowd, playwright: Playwright) -> None:
    begun = time.monotonic()
    browser = playwright.chromium.connect_over_cdp(crowd.daemon.url)
    timed("Playwright connects", begun)
    listed = browser.contexts[0].pages
    assert len(listed) == crowd.count
    assert attached(crowd.daemon) == 0
    page = next(page for page in listed if page.url.endswith("/plain?17"))
    assert page.title() == "Plain" and page.inner_text("h1") == "Plain"
    assert attached(crowd.daemon) == 1
    browser.close()


def test_puppeteer_connects_at_once_and_attaches_to_what_it_uses(crowd: Crowd) -> None:
    with NodeClient("puppeteer") as client:
        begun = time.monotonic()
        client.run("kept.browser = await library.connect({browserURL: args, defaultViewport: null})", crowd.daemon.url)
        timed("Puppeteer connects", begun)
        listed = client.run("kept.pages = await kept.browser.pages(); return kept.pages.map((page) => page.url())")
        timed("Puppeteer connects and lists its pages", begun)
        assert len(listed) == crowd.count
        assert attached(crowd.daemon) == 0
        assert client.run("return await kept.pages.find((page) => page.url().endsWith('/plain?17')).title()") == "Plain"
        assert attached(crowd.daemon) == 1
        client.run("await kept.browser.disconnect()")


def test_stagehand_connects_at_once_and_attaches_to_what_it_uses(crowd: Crowd) -> None:
    with NodeClient("stagehand") as client:
        begun = time.monotonic()
        client.run(
            """kept.it = new library.Stagehand({env: 'LOCAL', localBrowserLaunchOptions: {cdpUrl: args}, verbose: 0, disablePino: true,
                 model: {modelName: 'openai/gpt-4.1-mini', apiKey: 'none', baseURL: 'http://127.0.0.1:9/'}});
               await kept.it.init()""",
            crowd.daemon.url.replace("http", "ws"),
        )
        timed("Stagehand connects", begun)
        assert client.run("return kept.it.context.pages().length") == crowd.count
        assert attached(crowd.daemon) == 0
        assert client.run("return await kept.it.context.pages().find((page) => page.url().endsWith('/plain?17')).title()") == "Plain"
        assert attached(crowd.daemon) == 1
        client.run("await kept.it.close()")


def page_socket(crowd: Crowd, tab: int) -> Cdp:
    return Cdp(f"{crowd.daemon.url.replace('http', 'ws')}/devtools/page/{crowd.target(tab)}")


def test_a_discarded_tab_is_revived_where_it_lies_by_its_first_use(crowd: Crowd, playwright: Playwright) -> None:
    browser = playwright.chromium.connect_over_cdp(crowd.daemon.url)
    page = next(page for page in browser.contexts[0].pages if page.url.endswith("/second?discarded0"))
    assert page.title() == "Second" and page.inner_text("h1") == "Second"
    tab = chrome(crowd.daemon, "tabs.get", crowd.special["discarded"])
    assert not tab["discarded"] and not tab["active"]
    browser.close()


def test_a_frozen_tab_answers(crowd: Crowd, playwright: Playwright) -> None:
    browser = playwright.chromium.connect_over_cdp(crowd.daemon.url)
    page = next(page for page in browser.contexts[0].pages if page.url.endswith("/second?frozen"))
    assert page.evaluate("document.title") == "Second"
    browser.close()


def test_a_crashed_tab_is_said_to_be_crashed_and_lives_again_after_a_reload(crowd: Crowd) -> None:
    client = page_socket(crowd, crowd.special["crashed"])
    client.call("Page.enable", timeout=10)
    client.call("Page.reload", timeout=10)
    eventually(lambda: client.glance("", "document.title") == "Second", 10, "the page is back")
    client.close()


def test_a_tab_with_an_alert_is_usable_once_it_is_sent_elsewhere(crowd: Crowd) -> None:
    client = page_socket(crowd, crowd.special["alert"])
    assert client.call("Target.getTargetInfo", timeout=10)["targetInfo"]["url"].endswith("/alert")
    client.call("Page.navigate", url=crowd.site.url("/second?alert"), timeout=10)
    eventually(lambda: client.glance("", "document.title") == "Second", 10, "the new page is there")
    client.close()


def test_a_tab_whose_server_is_silent_answers_and_tells_of_its_page_when_it_comes(crowd: Crowd) -> None:
    client = page_socket(crowd, crowd.special["loading"])
    client.call("Page.enable", timeout=10)
    assert client.evaluate("", "1 + 1", timeout=10) == 2
    crowd.site.release("crowd")
    eventually(lambda: any(method == "Page.loadEventFired" for _, method, _ in client.events), 10, "the page has come")
    assert client.evaluate("", "document.title") == "Held"
    client.close()


def test_a_prerendered_page_is_no_page_of_its_own(crowd: Crowd, playwright: Playwright) -> None:
    browser = playwright.chromium.connect_over_cdp(crowd.daemon.url)
    listed = browser.contexts[0].pages
    assert not [page for page in listed if page.url.endswith("/third")]
    assert next(page for page in listed if page.url.endswith("/speculates")).title() == "Speculates"
    browser.close()


def test_a_tab_that_is_used_no_more_is_let_go(crowd: Crowd, playwright: Playwright) -> None:
    browser = Cdp(crowd.daemon.url.replace("http", "ws"))
    browser.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
    wanted = crowd.target(crowd.plain[3])
    session = next(params["sessionId"] for _, method, params in browser.events if method == "Target.attachedToTarget" and params["targetInfo"]["targetId"] == wanted)
    used = time.monotonic()  # taken before: its answer may be slow to be read
    assert browser.call("Runtime.evaluate", session, expression="6 * 7")["result"]["value"] == 42
    assert attached(crowd.daemon) == 1
    eventually(lambda: attached(crowd.daemon) == 0, IDLE + 5, "the tab is let go")
    assert time.monotonic() - used > IDLE - 1
    assert browser.call("Runtime.evaluate", session, expression="6 * 7")["result"]["value"] == 42, "and is there again when it is used"
    browser.close()


def test_no_event_is_lost_to_a_client_that_only_listens(crowd: Crowd) -> None:
    tab = crowd.plain[4]
    client = page_socket(crowd, tab)
    client.call("Network.enable")
    silent_until = time.monotonic() + IDLE + 2
    eventually(lambda: time.monotonic() > silent_until, IDLE + 5)
    chrome(crowd.daemon, "tabs.update", tab, {"url": crowd.site.url("/second?heard")})
    asked = eventually(lambda: [params["request"]["url"] for _, method, params in client.events if method == "Network.requestWillBeSent"], 15, "the event has come")
    assert asked[0].endswith("/second?heard")
    client.close()


@pytest.fixture
def headed(daemon: Daemon) -> Iterator[Chromium]:
    """A browser with a window, on a screen of its own. It is the one used last."""
    read = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert read.stdout
        display = ":" + read.stdout.readline().decode().strip()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DISPLAY", display)
            with Daemon() as own, Chromium(own.url, headless=False, flags=["--window-size=1200,880", "--window-position=0,0"]) as browser:
                own.wait_for_browser()
                browser.daemon = own  # type: ignore[attr-defined]
                yield browser
    finally:
        read.kill()
        read.wait()


def test_chromes_bar_is_there_only_while_a_tab_is_used(headed: Chromium, site: Pages, playwright: Playwright) -> None:
    daemon: Daemon = headed.daemon  # type: ignore[attr-defined]
    front = int(chrome(daemon, "tabs.create", {"url": site.url("/plain"), "active": True})["id"])
    other = chrome(daemon, "tabs.create", {"url": site.url("/second"), "active": False})

    def height() -> int:
        return int(chrome(daemon, "tabs.get", front)["height"])

    eventually(lambda: chrome(daemon, "tabs.get", other["id"])["status"] == "complete")
    full = height()
    browser = playwright.chromium.connect_over_cdp(daemon.url)
    page = next(page for page in browser.contexts[0].pages if page.url.endswith("/second"))
    connected = time.monotonic() + 1.5
    eventually(lambda: time.monotonic() > connected or height() != full)
    assert height() == full, "a client that only connects brings up the bar"
    assert page.title() == "Second"
    eventually(lambda: height() < full, 15, "the bar is there while the tab is used")
    print(f"\nthe bar takes {full - height()} px")
    browser.close()
    begun = time.monotonic()
    eventually(lambda: height() == full, 12, "the bar goes when the client has left")
    print(f"the bar goes {time.monotonic() - begun:.1f} s after the client")
