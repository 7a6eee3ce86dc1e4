"""Playwright (Python): connecting, listing, making and closing pages and contexts, CDP sessions."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser, BrowserContext, Error, Page, Playwright

from endpoint import Endpoint
from playwright_fixtures import *  # noqa: F403
from playwright_fixtures import isolated
from served import Site

CLIENT = "Playwright (Python)"


async def test_connects_by_http_address(playwright: Playwright, endpoint: Endpoint) -> None:
    browser = await playwright.chromium.connect_over_cdp(endpoint.http)
    assert browser.is_connected() and len(browser.contexts) == 1
    await browser.close()
    assert not browser.is_connected()


async def test_connects_by_websocket_address(playwright: Playwright, endpoint: Endpoint) -> None:
    browser = await playwright.chromium.connect_over_cdp(endpoint.socket)
    assert len(browser.contexts) == 1
    await browser.close()


async def test_tells_the_version(browser: Browser, endpoint: Endpoint) -> None:
    told = endpoint.browser.cdp.call("Browser.getVersion")["product"]
    assert browser.version == told.partition("/")[2]


async def test_lists_the_tabs_that_were_open_before(playwright: Playwright, endpoint: Endpoint, site: Site) -> None:
    tab = endpoint.browser.open(site.url("/plain"))
    browser = await playwright.chromium.connect_over_cdp(endpoint.http)
    listed = [page for page in browser.contexts[0].pages if page.url == site.url("/plain")]
    assert len(listed) == 1 and await listed[0].title() == "Plain"
    assert await listed[0].inner_text("#top") == "Plain"
    await browser.close()
    tab.close()


async def test_uses_an_existing_tab_in_the_background(playwright: Playwright, endpoint: Endpoint, site: Site) -> None:
    tab, front = endpoint.browser.open(site.url("/form")), endpoint.browser.open(site.url("/plain"))
    browser = await playwright.chromium.connect_over_cdp(endpoint.http)
    page = next(page for page in browser.contexts[0].pages if page.url == site.url("/form"))
    await page.click("#count")
    assert await page.inner_text("#count") == "pressed 1"
    await browser.close()
    assert tab.evaluate("document.querySelector('#count').textContent") == "pressed 1"
    tab.close()
    front.close()


async def test_leaves_the_tabs_open_when_it_disconnects(playwright: Playwright, endpoint: Endpoint, site: Site) -> None:
    browser = await playwright.chromium.connect_over_cdp(endpoint.http)
    page = await browser.contexts[0].new_page()
    await page.goto(site.url("/third"))
    await browser.close()
    left = [tab for tab in endpoint.browser.tabs() if tab.url == site.url("/third")]
    assert len(left) == 1 and left[0].evaluate("document.title") == "Third"
    left[0].close()


async def test_reconnects_and_finds_its_page_again(playwright: Playwright, endpoint: Endpoint, site: Site) -> None:
    first = await playwright.chromium.connect_over_cdp(endpoint.http)
    page = await first.contexts[0].new_page()
    await page.goto(site.url("/form"))
    await page.fill("#name", "kept")
    await first.close()
    second = await playwright.chromium.connect_over_cdp(endpoint.http)
    again = next(page for page in second.contexts[0].pages if page.url == site.url("/form"))
    assert await again.input_value("#name") == "kept"
    await again.close()
    await second.close()


async def test_hears_of_a_tab_that_the_person_opens(context: BrowserContext, endpoint: Endpoint, site: Site) -> None:
    async with context.expect_page() as made:
        tab = endpoint.browser.open(site.url("/second"))
    page = await made.value
    await page.wait_for_load_state()
    assert await page.title() == "Second"
    async with page.expect_event("close"):
        tab.close()
    assert page not in context.pages


async def test_opens_a_page_and_goes(page: Page, site: Site) -> None:
    assert page.url == "about:blank"
    answer = await page.goto(site.url("/plain"))
    assert answer is not None and answer.status == 200
    assert await page.title() == "Plain" and await page.evaluate("1 + 1") == 2


async def test_closes_a_page(context: BrowserContext) -> None:
    page = await context.new_page()
    assert page in context.pages
    await page.close()
    assert page.is_closed() and page not in context.pages
    try:
        await page.title()
        raise AssertionError("a closed page answered")
    except Error as error:
        assert "closed" in str(error)


async def test_brings_a_page_to_the_front(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    other = await context.new_page()
    await page.bring_to_front()
    assert await page.evaluate("document.visibilityState") == "visible"
    await other.close()


async def test_works_in_several_pages_at_once(page: Page, context: BrowserContext, site: Site) -> None:
    async def work(number: int) -> str:
        own = await context.new_page()
        await own.goto(site.url("/form"))
        await own.fill("#name", f"page {number}")
        await own.click("#send")
        text = await own.inner_text("#submitted")
        await own.close()
        return text

    told = await asyncio.gather(*(work(number) for number in range(4)))
    assert [f"name=page+{number}" in text for number, text in enumerate(told)] == [True] * 4


async def test_two_connections_work_in_one_page(playwright: Playwright, page: Page, endpoint: Endpoint, site: Site) -> None:
    await page.goto(site.url("/form"))
    second = await playwright.chromium.connect_over_cdp(endpoint.http)
    twin = next(p for p in second.contexts[0].pages if p.url == site.url("/form"))
    await page.fill("#name", "one")
    await twin.fill("#note", "two")
    assert await page.input_value("#note") == "two" and await twin.input_value("#name") == "one"
    async with page.expect_console_message() as here, twin.expect_console_message() as there:
        await twin.evaluate("console.log('heard by both')")
    assert (await here.value).text == (await there.value).text == "heard by both"
    await second.close()
    assert await page.input_value("#note") == "two"


async def test_a_new_context_has_cookies_of_its_own(browser: Browser, page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.evaluate("document.cookie = 'whose=default'")
    async with isolated(browser) as own:
        await own.goto(site.url("/plain"))
        assert await own.evaluate("document.cookie") == ""
        await own.evaluate("document.cookie = 'whose=own'")
    assert await page.evaluate("document.cookie") == "whose=default"
    await page.evaluate("document.cookie = 'whose=; max-age=0'")


async def test_two_new_contexts_are_apart(browser: Browser, site: Site) -> None:
    async with isolated(browser) as one, isolated(browser) as two:
        await one.goto(site.url("/plain"))
        await one.evaluate("localStorage.setItem('whose', 'one')")
        await two.goto(site.url("/plain"))
        assert await two.evaluate("localStorage.getItem('whose')") is None


async def test_a_page_has_a_cdp_session(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    session = await context.new_cdp_session(page)
    answer = await session.send("Runtime.evaluate", {"expression": "document.title", "returnByValue": True})
    assert answer["result"]["value"] == "Plain"
    heard: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
    session.on("Runtime.consoleAPICalled", lambda event: heard.done() or heard.set_result(event))
    await session.send("Runtime.enable")
    await page.evaluate("console.log('over cdp')")
    assert (await heard)["args"][0]["value"] == "over cdp"  # type: ignore[index]
    await session.detach()


async def test_the_browser_has_a_cdp_session(browser: Browser, page: Page) -> None:
    session = await browser.new_browser_cdp_session()
    assert (await session.send("Browser.getVersion"))["product"].endswith(browser.version)
    targets = (await session.send("Target.getTargets"))["targetInfos"]
    assert any(target["type"] == "page" and target["url"] == "about:blank" for target in targets)
    await session.detach()


async def test_an_unknown_command_is_refused_by_name(page: Page, context: BrowserContext) -> None:
    session = await context.new_cdp_session(page)
    try:
        await session.send("Nothing.known")
        raise AssertionError("an unknown command was answered")
    except Error as error:
        assert "'Nothing.known' wasn't found" in str(error)
    await session.detach()
