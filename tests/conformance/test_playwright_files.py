"""Playwright (Python): downloads, uploads, dialogs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Dialog, Download, Page, Playwright

from endpoint import Endpoint
from playwright_fixtures import Holder, context, holder, page, playwright  # noqa: F401
from served import Site

CLIENT = "Playwright (Python)"


@pytest.fixture
def browser(holder: Holder, loop: asyncio.AbstractEventLoop) -> Browser:
    """A connection made anew: of a browser's connections the last one says where downloads go."""
    loop.run_until_complete(asyncio.wait_for(holder.close(), 20))
    return loop.run_until_complete(asyncio.wait_for(holder.browser(), 20))


async def download(page: Page, site: Site, button: str) -> Download:
    await page.goto(site.url("/downloads"))
    async with page.expect_download() as begun:
        await page.click(button)
    return await begun.value


async def test_saves_a_download(page: Page, site: Site, tmp_path: Path) -> None:
    got = await download(page, site, "#plain")
    assert got.suggested_filename == "report.txt" and got.url == site.url("/x-download")
    await got.save_as(tmp_path / "saved.txt")
    assert (tmp_path / "saved.txt").read_text() == "the report's text"
    assert await got.failure() is None


async def test_a_download_has_a_path(page: Page, site: Site) -> None:
    got = await download(page, site, "#named")
    assert got.suggested_filename == "other name.txt"
    assert Path(await got.path()).read_text() == "the report's text"


async def test_downloads_from_a_data_address(page: Page, site: Site) -> None:
    got = await download(page, site, "#made")
    assert got.suggested_filename == "made.txt" and Path(await got.path()).read_text() == "made here"


async def test_downloads_from_a_blob(page: Page, site: Site) -> None:
    got = await download(page, site, "#blob")
    assert got.suggested_filename == "blob.txt" and Path(await got.path()).read_text() == "from a blob"


async def test_cancels_a_download(page: Page, site: Site) -> None:
    got = await download(page, site, "#endless")
    await got.cancel()
    assert await got.failure() == "canceled"


async def test_a_download_that_the_server_refuses_fails(page: Page, site: Site) -> None:
    got = await download(page, site, "#gone")
    assert await got.failure() == "canceled"


async def test_navigating_to_a_download_says_so(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    async with page.expect_download() as begun:
        with pytest.raises(Exception, match="Download is starting|net::ERR_ABORTED"):
            await page.goto(site.url("/x-download"))
    assert (await begun.value).suggested_filename == "report.txt"
    assert page.url == site.url("/plain")


async def test_deletes_a_download(page: Page, site: Site) -> None:
    got = await download(page, site, "#plain")
    path = Path(await got.path())
    await got.delete()
    assert not path.exists()


async def test_sets_an_input_file_by_path(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("my file")
    await page.goto(site.url("/upload"))
    await page.set_input_files("#one", tmp_path / "mine.txt")
    await page.wait_for_function("read.textContent")
    assert await page.inner_text("#read") == "mine.txt:text/plain:my file"


async def test_sets_input_files_from_memory(page: Page, site: Site) -> None:
    files = [{"name": f"{n}.csv", "mimeType": "text/csv", "buffer": f"row {n}".encode()} for n in (1, 2)]
    await page.goto(site.url("/upload"))
    await page.set_input_files("#many", files)  # type: ignore[arg-type]
    await page.wait_for_function("read.textContent")
    assert await page.inner_text("#read") == "1.csv:text/csv:row 1|2.csv:text/csv:row 2"
    await page.set_input_files("#many", [])
    assert await page.evaluate("many.files.length") == 0


async def test_a_large_file_is_set_by_path(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(b"z" * 60_000_000)
    await page.goto(site.url("/upload"))
    await page.evaluate("one.onchange = null")
    await page.set_input_files("#one", tmp_path / "large.bin")
    assert await page.evaluate("one.files[0].size") == 60_000_000


async def test_answers_a_file_chooser(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "chosen.txt").write_text("chosen")
    await page.goto(site.url("/upload"))
    async with page.expect_file_chooser() as opened:
        await page.click("#choose")
    chooser = await opened.value
    assert not chooser.is_multiple()
    await chooser.set_files(tmp_path / "chosen.txt")
    await page.wait_for_function("read.textContent")
    assert await page.inner_text("#read") == "chosen.txt:text/plain:chosen"


async def answer(page: Page, button: str, how: str, text: str | None = None) -> Dialog:
    heard: asyncio.Future[Dialog] = asyncio.get_running_loop().create_future()

    async def handle(dialog: Dialog) -> None:
        heard.set_result(dialog)
        await (dialog.dismiss() if how == "dismiss" else dialog.accept(text) if text is not None else dialog.accept())

    page.once("dialog", handle)
    await page.click(button)
    return await heard


async def test_hears_and_closes_an_alert(page: Page, site: Site) -> None:
    await page.goto(site.url("/dialogs"))
    dialog = await answer(page, "#alert", "accept")
    assert dialog.type == "alert" and dialog.message == "hello"
    assert await page.inner_text("#said") == "alerted"


async def test_answers_a_confirm_both_ways(page: Page, site: Site) -> None:
    await page.goto(site.url("/dialogs"))
    await answer(page, "#confirm", "accept")
    assert await page.inner_text("#said") == "true"
    await answer(page, "#confirm", "dismiss")
    assert await page.inner_text("#said") == "false"


async def test_answers_a_prompt(page: Page, site: Site) -> None:
    await page.goto(site.url("/dialogs"))
    dialog = await answer(page, "#prompt", "accept", "somebody")
    assert dialog.default_value == "nobody" and await page.inner_text("#said") == "somebody"
    await answer(page, "#prompt", "dismiss")
    assert await page.inner_text("#said") == ""


async def test_closes_dialogs_that_nobody_listens_to(page: Page, site: Site) -> None:
    await page.goto(site.url("/dialogs"))
    await page.click("#confirm")
    assert await page.inner_text("#said") == "false"


async def test_answers_a_beforeunload_dialog(page: Page, site: Site) -> None:
    await page.goto(site.url("/stay"))
    await page.click("#touch")
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def handle(dialog: Dialog) -> None:
        heard.set_result(dialog.type)
        await dialog.accept()

    page.once("dialog", handle)
    await page.close(run_before_unload=True)
    assert await heard == "beforeunload"
    if not page.is_closed():
        await page.wait_for_event("close")
    assert page.is_closed()


async def test_a_dialog_of_one_page_does_not_hold_up_another(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/dialogs"))
    other = await context.new_page()
    await other.goto(site.url("/plain"))
    heard: asyncio.Future[Dialog] = asyncio.get_running_loop().create_future()
    page.once("dialog", lambda dialog: heard.set_result(dialog))
    await page.evaluate("setTimeout(() => document.getElementById('alert').click())")
    dialog = await heard
    assert await other.title() == "Plain"
    await dialog.accept()
    assert await page.inner_text("#said") == "alerted"


async def test_downloads_of_two_connections_do_not_mix(playwright: Playwright, page: Page, endpoint: Endpoint, site: Site, tmp_path: Path) -> None:
    second = await playwright.chromium.connect_over_cdp(endpoint.http)
    twin = await second.contexts[0].new_page()
    got = await download(twin, site, "#plain")
    await got.save_as(tmp_path / "second.txt")
    assert (tmp_path / "second.txt").read_text() == "the report's text"
    await twin.close()
    await second.close()
