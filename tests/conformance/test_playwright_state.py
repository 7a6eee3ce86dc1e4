"""Playwright (Python): cookies, storage, console, workers, emulation, init scripts, functions exposed to pages."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Worker

from playwright_fixtures import *  # noqa: F403
from playwright_fixtures import isolated
from served import Site

CLIENT = "Playwright (Python)"


async def test_sets_reads_and_clears_cookies(page: Page, context: BrowserContext, site: Site) -> None:
    await context.add_cookies([{"name": "made", "value": "here", "url": site.base, "httpOnly": True, "sameSite": "Lax"}])
    found = {cookie["name"]: cookie for cookie in await context.cookies(site.base)}
    assert found["made"]["value"] == "here" and found["made"]["httpOnly"] and found["made"]["sameSite"] == "Lax"
    answer = await page.goto(site.url("/x-echo"))
    assert answer and "made=here" in (await answer.json())["headers"]["cookie"]
    await context.clear_cookies(name="made")
    assert "made" not in {cookie["name"] for cookie in await context.cookies(site.base)}


async def test_reads_cookies_that_a_server_set(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/x-set-cookie"))
    found = [cookie for cookie in await context.cookies() if cookie["name"] == "served"]
    assert len(found) == 1 and found[0]["httpOnly"] and found[0]["domain"] == "127.0.0.1" and found[0]["expires"] == -1
    await context.clear_cookies(name=re.compile("^served$"))


async def test_clears_only_cookies_of_a_domain(page: Page, context: BrowserContext, site: Site) -> None:
    await context.add_cookies([{"name": "here", "value": "1", "url": site.base}, {"name": "there", "value": "1", "url": site.other("/")}])
    await context.clear_cookies(domain="localhost")
    names = {cookie["name"] for cookie in await context.cookies()}
    assert "here" in names and "there" not in names
    await context.clear_cookies(name="here")


async def test_saves_and_restores_storage_state(browser: Browser, site: Site, tmp_path: Path) -> None:
    async with isolated(browser) as page:
        await page.goto(site.url("/plain"))
        await page.evaluate("document.cookie = 'kept=yes'; localStorage.setItem('kept', 'too')")
        while not await page.context.cookies():  # what a page has set reaches the browser's store a moment later
            await page.wait_for_timeout(10)
        state = await page.context.storage_state(path=tmp_path / "state.json")
    assert [cookie["name"] for cookie in state["cookies"]] == ["kept"]
    assert state["origins"][0]["localStorage"] == [{"name": "kept", "value": "too"}]
    async with isolated(browser, storage_state=tmp_path / "state.json") as page:
        await page.goto(site.url("/plain"))
        assert await page.evaluate("[document.cookie, localStorage.getItem('kept')]") == ["kept=yes", "too"]


async def test_storage_state_of_the_default_context_has_its_storage(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.evaluate("localStorage.setItem('mine', '1')")
    state = await context.storage_state()
    assert {"origin": site.base, "localStorage": [{"name": "mine", "value": "1"}]} in state["origins"]
    await page.evaluate("localStorage.clear()")


async def test_local_storage_is_the_profiles(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.evaluate("localStorage.setItem('a', 'b')")
    other = await context.new_page()
    await other.goto(site.url("/second"))
    assert await other.evaluate("localStorage.getItem('a')") == "b"
    await other.evaluate("localStorage.clear()")


async def test_hears_the_console(page: Page, site: Site) -> None:
    await page.goto(site.url("/talk"))
    heard: list[Any] = []
    page.on("console", lambda message: heard.append(message))
    async with page.expect_console_message(lambda message: message.type == "warning"):
        await page.click("#log")
    assert [(message.type, message.text) for message in heard] == [("log", "said 1 {a: 2}"), ("warning", "careful")]
    assert await heard[0].args[2].json_value() == {"a": 2}
    assert heard[0].location["url"] == site.url("/talk")


async def test_hears_errors_of_the_page(page: Page, site: Site) -> None:
    await page.goto(site.url("/talk"))
    async with page.expect_event("pageerror") as thrown:
        await page.click("#throw")
    error = await thrown.value
    assert error.name == "TypeError" and error.message == "thrown on purpose" and "/talk" in (error.stack or "")
    async with page.expect_event("pageerror") as rejected:
        await page.click("#reject")
    assert (await rejected.value).message == "rejected on purpose"


async def test_works_in_a_dedicated_worker(page: Page, site: Site) -> None:
    async with page.expect_worker() as made:
        await page.goto(site.url("/worker"))
    worker: Worker = await made.value
    assert worker.url == site.url("/worker.js") and worker in page.workers
    await page.wait_for_function("said.textContent")
    assert await worker.evaluate("globalThis.mark") == "in the worker"
    async with worker.expect_event("close"):
        await page.evaluate("w.terminate()")
    assert page.workers == []


async def test_hears_the_console_of_a_worker(page: Page, site: Site) -> None:
    async with page.expect_console_message(lambda message: message.text == "worker heard ask"):
        await page.goto(site.url("/worker"))
    assert page.workers[0].url == site.url("/worker.js")


async def test_a_page_with_a_shared_worker_works(page: Page, site: Site) -> None:
    await page.goto(site.url("/shared"))
    await page.wait_for_function("said.textContent === 'shared'")
    assert await page.inner_text("#said") == "shared"


async def test_sees_service_workers(page: Page, context: BrowserContext, site: Site) -> None:
    async with context.expect_event("serviceworker") as made:
        await page.goto(site.url("/service/"))
    worker: Worker = await made.value
    assert worker.url == site.url("/service/worker.js")
    assert await worker.evaluate("globalThis.mark") == "in the service worker"
    await page.wait_for_function("said.textContent")
    await page.evaluate("navigator.serviceWorker.getRegistrations().then(all => Promise.all(all.map(r => r.unregister())))")


async def test_a_service_worker_answers_requests(page: Page, site: Site) -> None:
    await page.goto(site.url("/service/"))
    await page.wait_for_function("said.textContent")
    await page.reload()
    assert await page.evaluate("fetch('/service/by-worker').then(r => r.text())") == "made by the worker"
    await page.evaluate("navigator.serviceWorker.getRegistrations().then(all => Promise.all(all.map(r => r.unregister())))")


async def test_sets_the_viewport(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.set_viewport_size({"width": 611, "height": 407})
    assert page.viewport_size == {"width": 611, "height": 407}
    assert await page.evaluate("[innerWidth, innerHeight]") == [611, 407]


async def test_emulates_media(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.emulate_media(media="print", color_scheme="dark", reduced_motion="reduce")
    told = await page.evaluate(
        "['print', '(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)'].map(q => matchMedia(q).matches)"
    )
    assert told == [True, True, True]


async def test_emulates_a_phone_in_a_new_context(browser: Browser, site: Site) -> None:
    options = {
        "locale": "fr-FR",
        "timezone_id": "Asia/Tokyo",
        "user_agent": "Any/1.0",
        "viewport": {"width": 390, "height": 700},
        "device_scale_factor": 3,
        "is_mobile": True,
        "has_touch": True,
        "color_scheme": "dark",
    }
    async with isolated(browser, **options) as page:
        answer = await page.goto(site.url("/x-echo"))
        assert answer and (await answer.json())["headers"]["user-agent"] == "Any/1.0"
        await page.goto(site.url("/plain"))
        told = await page.evaluate(
            "[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.userAgent, devicePixelRatio,"
            " 'ontouchstart' in window, matchMedia('(prefers-color-scheme: dark)').matches, (1234.5).toLocaleString()]"
        )
        assert told[:6] == ["fr-FR", "Asia/Tokyo", "Any/1.0", 3, True, True] and told[6].endswith("234,5")


async def test_gives_a_place_and_permissions(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await context.grant_permissions(["geolocation"], origin=site.base)
    await context.set_geolocation({"latitude": 52.5, "longitude": 13.4})
    try:
        told = await page.evaluate("new Promise((r, e) => navigator.geolocation.getCurrentPosition(p => r([p.coords.latitude, p.coords.longitude]), e))")
        assert told == [52.5, 13.4]
        assert await page.evaluate("navigator.permissions.query({name: 'geolocation'}).then(p => p.state)") == "granted"
    finally:
        await context.clear_permissions()
        await context.set_geolocation(None)
    assert await page.evaluate("navigator.permissions.query({name: 'geolocation'}).then(p => p.state)") != "granted"


async def test_runs_init_scripts_before_the_pages_own(page: Page, site: Site) -> None:
    await page.add_init_script("window.planted = location.pathname")
    await page.goto(site.url("/popup"))
    assert await page.evaluate("window.early") == "/popup"
    await page.goto(site.url("/frames"))
    assert [await frame.evaluate("window.planted") for frame in page.frames] == ["/frames", "/inner", "/inner"]


async def test_exposes_a_function(page: Page, site: Site) -> None:
    await page.expose_function("double", lambda number: number * 2)
    await page.goto(site.url("/frames"))
    assert await page.evaluate("double(21)") == 42
    other = page.frame(name="other")
    assert other and await other.evaluate("double(4)") == 8


async def test_exposes_a_binding_that_knows_its_caller(page: Page, context: BrowserContext, site: Site) -> None:
    async def called(source: Any, word: str) -> str:
        await asyncio.sleep(0)
        return f"{word} from {source['frame'].name}"

    await page.expose_binding("tell", called)
    await page.goto(site.url("/frames"))
    same = page.frame(name="same")
    assert same and await same.evaluate("tell('hello')") == "hello from same"


async def test_stops_the_clock(page: Page, site: Site) -> None:
    await page.clock.install(time="2024-02-02T08:00:00Z")
    await page.goto(site.url("/plain"))
    await page.clock.pause_at("2024-02-02T10:00:00Z")
    assert await page.evaluate("new Date().toISOString()") == "2024-02-02T10:00:00.000Z"
    await page.evaluate("window.fired = 0; setTimeout(() => window.fired = 1, 60_000)")
    await page.clock.fast_forward("01:30")
    assert await page.evaluate("fired") == 1


async def test_bypasses_csp_and_ignores_scripts_in_a_new_context(browser: Browser, site: Site) -> None:
    async with isolated(browser, java_script_enabled=False) as page:
        await page.goto(site.url("/late"))
        assert await page.locator("#early").inner_text() == "early"
        assert await page.title() == "Late"
