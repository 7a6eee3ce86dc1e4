"""Playwright (Python): going, coming back, load states, failures, moves between processes."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import BrowserContext, Error, Page, TimeoutError

from playwright_fixtures import *  # noqa: F403
from served import Site

CLIENT = "Playwright (Python)"


async def test_goes_back_and_forward_and_reloads(page: Page, site: Site) -> None:
    await page.goto(site.url("/history?1"))
    await page.goto(site.url("/history?2"))
    await page.go_back(wait_until="commit")
    assert await page.inner_text("#at") == "?1"
    await page.go_forward(wait_until="commit")
    assert await page.inner_text("#at") == "?2"
    await page.evaluate("document.title = 'changed'")
    answer = await page.reload()
    assert answer and answer.ok and await page.title() == "History"
    assert await page.evaluate("history.length") == 3


async def test_waits_for_the_load_of_a_page_from_the_back_forward_cache(page: Page, site: Site) -> None:
    await page.goto(site.url("/history?1"))
    await page.goto(site.url("/history?2"))
    await page.go_back(timeout=3000)
    assert await page.inner_text("#at") == "?1"


async def test_moves_within_a_document(page: Page, site: Site) -> None:
    await page.goto(site.url("/history"))
    await page.click("#hash")
    assert page.url == site.url("/history#part")
    await page.evaluate("history.pushState({}, '', '/pushed')")
    await page.wait_for_url("**/pushed")
    await page.go_back()
    assert page.url == site.url("/history#part")


async def test_moves_to_another_site_and_back(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.goto(site.other("/second"))
    assert await page.evaluate("document.title") == "Second"
    await page.go_back(wait_until="commit")
    assert await page.evaluate("document.title") == "Plain" and page.url == site.url("/plain")


async def test_reads_a_page_of_chrome(page: Page) -> None:
    await page.goto("chrome://version")
    assert await page.title() == "About Version"


async def test_visits_a_page_of_chrome_and_comes_back(page: Page, site: Site) -> None:
    await page.goto("chrome://version")
    assert page.url == "chrome://version/"
    await page.goto(site.url("/plain"))
    assert await page.title() == "Plain"


async def test_waits_for_load_states(page: Page, site: Site) -> None:
    await page.goto(site.url("/parts"), wait_until="commit")
    await page.wait_for_load_state("domcontentloaded")
    await page.wait_for_load_state("load")
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("part") == "from the script"


async def test_an_unknown_host_and_an_empty_answer_are_errors(page: Page, site: Site) -> None:
    with pytest.raises(Error, match="ERR_EMPTY_RESPONSE"):
        await page.goto(site.url("/x-drop"))
    await page.wait_for_url("chrome-error://chromewebdata/")
    with pytest.raises(Error, match="Cannot navigate to invalid URL"):
        await page.goto("not an address")
    await page.goto(site.url("/plain"))
    assert await page.title() == "Plain"


async def test_an_answer_without_content_is_an_error(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    with pytest.raises(Error, match="ERR_ABORTED"):
        await page.goto(site.url("/x-no-content"))
    assert page.url == site.url("/plain")


async def test_a_page_that_does_not_answer_ends_in_a_timeout(page: Page, site: Site) -> None:
    with pytest.raises(TimeoutError, match="x-hang"):
        await page.goto(site.url("/x-hang"), timeout=500)
    await page.goto(site.url("/plain"))
    assert await page.title() == "Plain"


async def test_a_404_is_an_answer(page: Page, site: Site) -> None:
    answer = await page.goto(site.url("/nowhere"))
    assert answer and answer.status == 404 and await answer.text() == "<!doctype html><title>Not found</title><p>nothing here"


async def test_a_newer_navigation_ends_an_older(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    async with page.expect_request("**/x-hang"):
        older = asyncio.create_task(page.goto(site.url("/x-hang")))
    await page.goto(site.url("/second"))
    with pytest.raises(Error, match="interrupted by another navigation|ERR_ABORTED"):
        await older
    assert await page.title() == "Second"


async def test_a_script_that_navigates_destroys_its_context(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    with pytest.raises(Error, match="Execution context was destroyed"):
        await page.evaluate("() => { location.href = '/second'; return new Promise(() => {}) }")
    await page.wait_for_url("**/second")
    assert await page.title() == "Second"


async def test_a_page_that_crashes_says_so(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    async with page.expect_event("crash"):
        try:
            await page.goto("chrome://crash", timeout=2000)
        except Error:
            pass
    with pytest.raises(Error, match="crashed"):
        await page.evaluate("1")


async def test_goes_to_a_data_address(page: Page) -> None:
    await page.goto("data:text/html,<title>Data</title>")
    assert await page.title() == "Data"


async def test_goes_to_about_blank_and_to_a_file(page: Page, site: Site, tmp_path: object) -> None:
    await page.goto("about:blank")
    assert page.url == "about:blank"
    with open(f"{tmp_path}/file.html", "w") as file:
        file.write("<title>File</title>")
    await page.goto(f"file://{tmp_path}/file.html")
    assert await page.title() == "File"


async def test_the_content_and_source_of_a_page(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    assert await page.content() == '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Plain</title></head><body><h1 id="top">Plain</h1><p class="price">12.50</p></body></html>'
