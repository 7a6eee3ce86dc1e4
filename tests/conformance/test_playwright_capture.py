"""Playwright (Python): screenshots, PDF, tracing, video, accessibility."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

from playwright_fixtures import *  # noqa: F403
from playwright_fixtures import isolated
from served import Site

CLIENT = "Playwright (Python)"


def picture(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


async def test_takes_a_screenshot(page: Page, site: Site) -> None:
    await page.set_viewport_size({"width": 500, "height": 300})
    await page.goto(site.url("/tall"))
    image = picture(await page.screenshot(scale="css"))
    assert image.size == (500, 300) and image.getpixel((50, 25)) == (255, 0, 0) and image.getpixel((200, 200)) == (255, 255, 255)


async def test_takes_a_screenshot_of_the_whole_page(page: Page, site: Site) -> None:
    await page.set_viewport_size({"width": 500, "height": 300})
    await page.goto(site.url("/tall"))
    assert picture(await page.screenshot(full_page=True, scale="css")).height == 3000


async def test_takes_a_screenshot_of_an_element(page: Page, site: Site, tmp_path: Path) -> None:
    await page.goto(site.url("/tall"))
    data = await page.locator("#red").screenshot(path=tmp_path / "red.png", scale="css")
    assert picture(data).size == (100, 50) and picture(data).getpixel((99, 49)) == (255, 0, 0)


async def test_takes_a_screenshot_as_jpeg_of_a_part(page: Page, site: Site) -> None:
    await page.goto(site.url("/tall"))
    data = await page.screenshot(type="jpeg", quality=50, clip={"x": 0, "y": 0, "width": 40, "height": 30}, scale="css")
    assert data[:2] == b"\xff\xd8" and picture(data).size == (40, 30)


async def test_prints_a_pdf(page: Page, site: Site) -> None:
    await page.goto(site.url("/tall"))
    data = await page.pdf(format="A4", print_background=True)
    assert data[:5] == b"%PDF-" and len(data) > 1000


async def test_traces(page: Page, context: BrowserContext, site: Site, tmp_path: Path) -> None:
    await context.tracing.start(screenshots=True, snapshots=True)
    await page.goto(site.url("/form"))
    await page.click("#count")
    await context.tracing.stop(path=tmp_path / "trace.zip")
    with zipfile.ZipFile(tmp_path / "trace.zip") as trace:
        events = [json.loads(line) for line in trace.read("trace.trace").splitlines()]
        names = trace.namelist()
    assert any(event.get("method") == "click" for event in events)
    assert any(event["type"] == "frame-snapshot" for event in events)
    assert any(event["type"] == "screencast-frame" for event in events) and any(name.endswith(".jpeg") for name in names)


async def test_traces_the_browsers_own_timeline(browser: Browser, page: Page, site: Site) -> None:
    await browser.start_tracing(page=page)
    await page.goto(site.url("/plain"))
    data = json.loads(await browser.stop_tracing())
    assert len(data["traceEvents"]) > 10


async def test_casts_its_screen(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/tall"))
    session = await context.new_cdp_session(page)
    frames: list[bytes] = []
    session.on("Page.screencastFrame", lambda frame: frames.append(frame["data"]))
    await session.send("Page.startScreencast", {"format": "jpeg", "everyNthFrame": 1})
    await page.evaluate("document.querySelector('#red').style.background = '#00f'")
    while not frames:
        await page.wait_for_timeout(20)
    await session.send("Page.stopScreencast")
    assert frames[0].startswith("/9j/")  # type: ignore[arg-type]


async def test_tells_the_accessibility_tree(page: Page, site: Site) -> None:
    await page.goto(site.url("/aria"))
    told = await page.locator("body").aria_snapshot()
    assert '- heading "Heading" [level=1]' in told and '- button "Press me"' in told and '- textbox "Your name"' in told
    await expect(page.get_by_role("main")).to_match_aria_snapshot('- heading "Heading"\n- button "Press me"')


async def test_an_isolated_page_has_the_size_asked_for(browser: Browser, site: Site) -> None:
    async with isolated(browser, viewport={"width": 640, "height": 360}, device_scale_factor=2) as page:
        await page.goto(site.url("/tall"))
        assert picture(await page.screenshot()).size == (1280, 720)
