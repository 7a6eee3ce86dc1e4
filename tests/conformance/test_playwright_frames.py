"""Playwright (Python): frames of the same and of other sites, popups."""

from __future__ import annotations

from typing import Any

from playwright.async_api import BrowserContext, Page, Request, expect

from playwright_fixtures import *  # noqa: F403
from served import Site

CLIENT = "Playwright (Python)"


async def work_in(page: Page, name: str) -> None:
    frame = page.frame(name=name)
    assert frame
    await frame.fill("#field", f"for {name}")
    await frame.click("#press")
    assert await frame.inner_text("#said") == f"pressed in ?{name}"
    assert await frame.evaluate("field.value") == f"for {name}"


async def test_works_in_a_frame_of_the_same_site(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    await work_in(page, "same")


async def test_works_in_a_frame_of_another_site(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    await work_in(page, "other")


async def test_works_in_frames_within_frames(page: Page, site: Site) -> None:
    await page.goto(site.url("/nested"))
    assert len(page.frames) == 3
    await work_in(page, "inmost")
    inmost = page.frame(name="inmost")
    assert inmost and inmost.parent_frame and inmost.parent_frame.name == "outer"


async def test_finds_frames_by_locator(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    for name in ("same", "other"):
        inside = page.frame_locator(f"iframe[name={name}]")
        await inside.get_by_role("button").click()
        await expect(inside.locator("#said")).to_have_text(f"pressed in ?{name}")


async def test_hears_frames_come_go_and_navigate(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    heard: list[str] = []
    page.on("frameattached", lambda frame: heard.append("attached"))
    page.on("framenavigated", lambda frame: heard.append(f"navigated {frame.url.rpartition('/')[2]}"))
    page.on("framedetached", lambda frame: heard.append("detached"))
    await page.evaluate(
        "url => new Promise(r => { const f = document.createElement('iframe'); f.onload = r; f.src = url; document.body.append(f) })",
        site.other("/second"),
    )
    async with page.expect_event("framedetached"):
        await page.evaluate("document.querySelector('iframe').remove()")
    assert heard[0] == "attached" and heard[-1] == "detached" and "navigated second" in heard


async def test_a_frame_moves_to_another_site(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    frame = page.frame(name="same")
    assert frame
    await frame.goto(site.other("/second"))
    assert await frame.evaluate("document.title") == "Second"


async def test_a_frame_comes_back_from_another_site(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    frame = page.frame(name="other")
    assert frame
    await page.evaluate("document.querySelector('[name=other]').src = '/third'")
    await frame.wait_for_url("**/third")
    assert await frame.evaluate("document.title") == "Third" and len(page.frames) == 3


async def test_goto_brings_a_frame_back_from_another_site(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    frame = page.frame(name="other")
    assert frame
    await frame.goto(site.url("/third"))
    assert await frame.evaluate("document.title") == "Third"


async def test_evaluates_in_every_frame(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    assert sorted([await frame.evaluate("document.title") for frame in page.frames]) == ["Frames", "Inner", "Inner"]


async def test_a_frame_element_gives_its_frame(page: Page, site: Site) -> None:
    await page.goto(site.url("/frames"))
    element = await page.query_selector("iframe[name=other]")
    assert element
    frame = await element.content_frame()
    assert frame and frame.url.endswith("?other")
    owner = await frame.frame_element()
    assert await owner.get_attribute("name") == "other"


async def test_window_open_gives_a_popup_with_its_opener(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#open")
    popup = await made.value
    await popup.wait_for_load_state()
    assert await popup.inner_text("#opener") == "true" and await popup.opener() == page
    assert await popup.evaluate("window.name") == "made"


async def test_a_popup_window_of_a_given_size_is_a_page(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#small")
    popup = await made.value
    await popup.wait_for_load_state()
    assert await popup.title() == "Popup"
    assert await popup.opener() == page


async def test_a_link_to_a_new_tab_gives_a_popup(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#link")
    popup = await made.value
    await popup.wait_for_load_state()
    assert await popup.title() == "Popup" and await popup.inner_text("#opener") == "true"


async def test_a_link_without_opener_gives_a_popup(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#alone")
    popup = await made.value
    await popup.wait_for_load_state()
    assert await popup.inner_text("#opener") == "false"


async def test_window_open_with_noopener_gives_a_popup(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#noopener")
    popup = await made.value
    await popup.wait_for_load_state()
    assert await popup.inner_text("#opener") == "false"


async def test_a_popup_on_another_site_is_a_page(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#otherside")
    popup = await made.value
    await popup.wait_for_url("**/popup")
    assert popup.url == site.other("/popup") and await popup.inner_text("#opener") == "true"


async def test_an_empty_popup_is_a_page(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#blank")
    popup = await made.value
    assert popup.url == "about:blank" and await popup.title() == "Written"


async def test_a_popup_that_closes_itself_is_heard(page: Page, site: Site) -> None:
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#open")
    popup = await made.value
    await popup.wait_for_load_state()
    async with popup.expect_event("close"):
        await popup.click("#close")
    assert popup.is_closed()


async def test_init_scripts_of_the_context_are_in_force_in_a_popup(page: Page, context: BrowserContext, site: Site) -> None:
    await context.add_init_script("window.planted = 'early'")
    await page.goto(site.url("/opener"))
    async with page.expect_popup() as made:
        await page.click("#open")
    popup = await made.value
    await popup.wait_for_load_state()
    # Whether before its first script too is a race on the gateway, since Chrome holds no popup for it: bench/popups.py counts.
    assert await popup.evaluate("window.planted") == "early"
    await popup.reload()
    assert await popup.evaluate("window.early") == "early"


async def test_the_requests_of_a_popup_are_routed(page: Page, context: BrowserContext, site: Site) -> None:
    """The first may have left before the extension hears of the popup: it is routed or it is not, and the page is the one that came of it."""
    routed: list[Request] = []

    async def fulfil(route: Any) -> None:
        routed.append(route.request)
        await route.fulfill(content_type="text/html", body="<title>Replaced</title>")

    await context.route("**/popup", fulfil)
    try:
        await page.goto(site.url("/opener"))
        async with page.expect_popup() as made:
            await page.click("#open")
        popup = await made.value
        await popup.wait_for_load_state()
        first = len(routed)
        assert first <= 1
        assert await popup.title() == ("Replaced" if first else "Popup")
        await popup.reload()
        assert await popup.title() == "Replaced"
        assert len(routed) == first + 1
        assert all(request.frame.page == popup for request in routed)
    finally:
        await context.unroute("**/popup")
