"""Playwright twice, Puppeteer and Stagehand in one browser, and in one tab, at once. See test_cdp_shared_tab.py for the protocol's part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from chromium import Chromium, eventually
from daemon import Daemon
from node_client import NodeClient
from pages import Pages

STAGEHAND = """kept.it = new library.Stagehand({env: 'LOCAL', localBrowserLaunchOptions: {cdpUrl: args}, verbose: 0, disablePino: true,
  model: {modelName: 'openai/gpt-4.1-mini', apiKey: 'none', baseURL: 'http://127.0.0.1:9/'}});
await kept.it.init()"""
#: puts the page at an address in `kept.page`
TAKE = "kept.page = (await kept.browser.pages()).find((page) => page.url() === args)"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def stack(daemon: Daemon, browser: Chromium) -> Iterator[ExitStack]:
    """What the test opens; afterwards nothing of it is left in the browser."""
    before = {tab.target for tab in browser.tabs()}
    with ExitStack() as opened:
        yield opened
    eventually(lambda: daemon.health()["cdp"]["clients"] == 0, 10, "the clients have gone")
    for tab in browser.tabs():
        if tab.target not in before:
            tab.close()
    eventually(lambda: daemon.health()["cdp"]["attached"] == 0, 15, "nothing is left attached")


def join(playwright: Playwright, stack: ExitStack, url: str) -> Browser:
    made = playwright.chromium.connect_over_cdp(url, timeout=10_000)
    stack.callback(made.close)
    return made


def puppeteer(stack: ExitStack, daemon: Daemon) -> NodeClient:
    client = stack.enter_context(NodeClient("puppeteer"))
    client.run("kept.browser = await library.connect({browserURL: args, defaultViewport: null})", daemon.url)
    return client


def page_at(browser: Browser, url: str) -> Page:
    def there() -> Page | None:
        pages = browser.contexts[0].pages
        pages[0].wait_for_timeout(10)  # Playwright's sync API hears of pages only while one of its calls is under way
        return next((page for page in pages if page.url == url), None)

    return eventually(there, 15, url)


def test_four_clients_work_side_by_side(playwright: Playwright, stack: ExitStack, daemon: Daemon, site: Pages) -> None:
    first, second = (join(playwright, stack, daemon.url) for _ in range(2))
    pup = puppeteer(stack, daemon)
    stage = stack.enter_context(NodeClient("stagehand"))
    stage.run(STAGEHAND, daemon.url.replace("http", "ws"))
    pages = [browser.contexts[0].new_page() for browser in (first, second)]
    going = [
        pup.post("kept.page = await kept.browser.newPage(); await kept.page.goto(args); return await kept.page.title()", site.url("/second?pup")),
        stage.post("kept.page = await kept.it.context.newPage(); await kept.page.goto(args); return await kept.page.title()", site.url("/third?stage")),
    ]
    for number, page in enumerate(pages):
        page.goto(site.url(f"/plain?{number}"))
    assert [page.inner_text("h1") for page in pages] == ["Plain", "Plain"]
    assert [title.result(20) for title in going] == ["Second", "Third"]
    wanted = {site.url(path) for path in ("/plain?0", "/plain?1", "/second?pup", "/third?stage")}
    assert {page_at(browser, url).url for browser in (first, second) for url in wanted} == wanted
    assert wanted <= set(pup.run("return (await kept.browser.pages()).map((page) => page.url())"))


def test_two_playwrights_share_a_tab(playwright: Playwright, stack: ExitStack, daemon: Daemon, site: Pages) -> None:
    first, second = (join(playwright, stack, daemon.url) for _ in range(2))
    one = first.contexts[0].new_page()
    one.goto(site.url("/plain?shared"))
    two = page_at(second, site.url("/plain?shared"))
    calls: list[str] = []
    # One alone: Playwright calls its binding by the same name in every connection, and each refuses the other's (in raw Chrome too).
    one.expose_function("tellOne", lambda: calls.append("one"))
    one.add_init_script("window.one = 1")
    two.add_init_script("window.two = 2")
    for page, path in ((one, "/second?shared"), (two, "/third?shared")):
        page.goto(site.url(path))
        for each in (one, two):
            each.wait_for_url("**" + path)
            assert each.evaluate("[window.one, window.two]") == [1, 2]
            assert each.inner_text("h1") in ("Second", "Third")
    two.evaluate("tellOne()")
    assert calls == ["one"]
    first.close()
    assert two.evaluate("document.title") == "Third"
    two.goto(site.url("/plain?alone"))
    assert two.inner_text("h1") == "Plain"


def test_playwright_and_puppeteer_intercept_in_one_tab(playwright: Playwright, stack: ExitStack, daemon: Daemon, site: Pages) -> None:
    browser = join(playwright, stack, daemon.url)
    page = browser.contexts[0].new_page()
    page.goto(site.url("/plain?both"))
    pup = puppeteer(stack, daemon)
    pup.run(TAKE, page.url)
    seen: list[str] = []

    def playwrights(route: Any) -> None:
        seen.append(route.request.url.rpartition("/")[2])
        route.continue_()

    page.route("**/*", playwrights)
    pup.run(
        """await kept.page.setRequestInterception(true);
           kept.page.on('request', (request) => { say(request.url().split('/').pop()); request.url().endsWith('/made-up') ? request.respond({body: 'made up'}) : request.continue() })"""
    )
    assert page.evaluate("fetch('/second').then(r => r.text())").count("Second") == 2
    assert "second" in seen
    eventually(lambda: "second" in pup.notes, 10, "Puppeteer has seen it too")
    assert page.evaluate("fetch('/made-up').then(r => r.text())") == "made up"
    page.goto(site.url("/third"))
    assert page.inner_text("h1") == "Third" and pup.run("return await kept.page.title()") == "Third"
    pup.run("await kept.browser.disconnect()")
    assert page.evaluate("fetch('/second').then(r => r.status)") == 200


def test_what_a_killed_client_left_behind_is_undone(playwright: Playwright, stack: ExitStack, daemon: Daemon, site: Pages) -> None:
    browser = join(playwright, stack, daemon.url)
    page = browser.contexts[0].new_page()
    page.goto(site.url("/plain?killed"))
    own = page.evaluate("[innerWidth, navigator.userAgent]")
    pup = puppeteer(stack, daemon)
    pup.run(TAKE, page.url)
    pup.run("await kept.page.setViewport({width: 432, height: 300}); await kept.page.setUserAgent('gone'); await kept.page.setOfflineMode(true)")
    eventually(lambda: page.evaluate("[innerWidth, navigator.userAgent]") == [432, "gone"], 10, "the page shows the emulation")
    pup.run("await kept.page.setOfflineMode(false); await kept.page.setRequestInterception(true); kept.page.on('request', (request) => say(request.url()))")
    page.evaluate("void (window.answer = fetch('/second').then(r => r.status))")
    eventually(lambda: site.url("/second") in pup.notes, 15, "the request is paused")
    pup.kill()
    assert page.evaluate("answer") == 200
    eventually(lambda: page.evaluate("[innerWidth, navigator.userAgent]") == own, 15, "the emulation is undone")
    assert page.evaluate("fetch('/third').then(r => r.status)") == 200


def test_a_context_of_the_profile_is_logged_in_and_its_tabs_are_a_group(playwright: Playwright, stack: ExitStack, daemon: Daemon, browser: Chromium, site: Pages) -> None:
    tab = browser.open(site.url("/plain"))
    tab.evaluate("document.cookie = 'login=yes; path=/; max-age=600'")
    tab.close()
    client = join(playwright, stack, daemon.url + "?context=default")
    context = client.new_context()
    page = context.new_page()
    page.goto(site.url("/second?group"))
    assert page.evaluate("document.cookie") == "login=yes"
    assert [cookie["value"] for cookie in context.cookies(site.url("/")) if cookie["name"] == "login"] == ["yes"]
    rows = browser.worker("chrome.tabs.query({}).then(all => all.map(t => [t.url, t.groupId]))")
    groups = {group for url, group in rows if url == site.url("/second?group")}
    assert len(groups) == 1 and groups != {-1}
    context.close()
    eventually(lambda: not [tab for tab in browser.tabs() if tab.url == site.url("/second?group")], 15, "its tabs are closed with it")
