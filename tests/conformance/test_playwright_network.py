"""Playwright (Python): routing, requests and answers, authentication, WebSockets, HAR."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Error, Page, Request, Response, Route, WebSocket

from playwright_fixtures import *  # noqa: F403
from playwright_fixtures import isolated
from served import Site

CLIENT = "Playwright (Python)"

ECHO = "(how) => fetch('/x-echo', how).then(r => r.json())"


async def test_fulfils_a_request(page: Page, site: Site) -> None:
    async def handle(route: Route) -> None:
        await route.fulfill(status=201, json={"name": "invented"}, headers={"x-made": "yes"})

    before = site.hits("/part.json")
    await page.route("**/part.json", handle)
    await page.goto(site.url("/parts"))
    await page.wait_for_function("data.textContent")
    assert await page.inner_text("#data") == "invented" and site.hits("/part.json") == before


async def test_fulfils_with_a_file_and_a_document(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "made.html").write_text("<title>From a file</title>")
    await page.route("**/not-there", lambda route: route.fulfill(path=tmp_path / "made.html"))
    answer = await page.goto(site.url("/not-there"))
    assert answer and answer.status == 200 and await page.title() == "From a file"


async def test_aborts_a_request(page: Page, site: Site) -> None:
    await page.route("**/*.css", lambda route: route.abort())
    async with page.expect_event("requestfailed") as failed:
        await page.goto(site.url("/parts"))
    request: Request = await failed.value
    assert request.url.endswith("/part.css") and request.failure == "net::ERR_FAILED"


async def test_continues_with_other_headers_method_and_body(page: Page, site: Site) -> None:
    async def handle(route: Route) -> None:
        headers = {**route.request.headers, "x-added": "yes"}
        await route.continue_(headers=headers, method="POST", post_data="changed")

    await page.goto(site.url("/plain"))
    await page.route("**/x-echo", handle)
    told = await page.evaluate(ECHO, {"method": "PUT", "body": "sent"})
    assert told["method"] == "POST" and told["body"] == "changed" and told["headers"]["x-added"] == "yes"


async def test_continues_to_another_address(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.route("**/part.json", lambda route: route.continue_(url=site.url("/x-echo")))
    assert (await page.evaluate("fetch('/part.json').then(r => r.json())"))["path"] == "/x-echo"


async def test_changes_an_answer(page: Page, site: Site) -> None:
    async def handle(route: Route) -> None:
        answer = await route.fetch()
        body = await answer.json()
        await route.fulfill(response=answer, json={"name": body["name"] + " and changed"})

    await page.route("**/part.json", handle)
    await page.goto(site.url("/parts"))
    await page.wait_for_function("data.textContent")
    assert await page.inner_text("#data") == "served and changed"


async def test_routes_for_the_whole_context(page: Page, context: BrowserContext, site: Site) -> None:
    await context.route("**/second", lambda route: route.fulfill(content_type="text/html", body="<title>By context</title>"))
    try:
        other = await context.new_page()
        for each in (page, other):
            await each.goto(site.url("/second"))
            assert await each.title() == "By context"
    finally:
        await context.unroute("**/second")
    await page.goto(site.url("/second"))
    assert await page.title() == "Second"


async def test_routes_requests_of_a_frame_of_another_site(page: Page, site: Site) -> None:
    await page.route("**/inner?other", lambda route: route.fulfill(content_type="text/html", body="<title>Replaced</title>"))
    await page.goto(site.url("/frames"))
    frame = page.frame(name="other")
    assert frame and await frame.title() == "Replaced"


async def test_falls_back_from_one_route_to_the_next(page: Page, site: Site) -> None:
    heard: list[str] = []

    async def handle(name: str, route: Route) -> None:
        heard.append(name)
        await route.fallback()

    await page.route("**/plain", lambda route: handle("first", route))
    await page.route("**/plain", lambda route: handle("second", route))
    await page.goto(site.url("/plain"))
    assert heard == ["second", "first"] and await page.title() == "Plain"


async def test_tells_of_requests_answers_and_their_ends(page: Page, site: Site) -> None:
    heard: list[str] = []
    for event in ("request", "response", "requestfinished"):
        page.on(event, lambda it, event=event: heard.append(f"{event} {it.url.rpartition('/')[2]}"))  # type: ignore[call-overload]
    await page.goto(site.url("/parts"), wait_until="networkidle")
    for name in ("parts", "part.css", "part.js", "part.json", "part.png"):
        for event in ("request", "response", "requestfinished"):
            assert f"{event} {name}" in heard, (event, name, heard)


async def test_tells_an_answers_status_headers_body_and_times(page: Page, site: Site) -> None:
    async with page.expect_response("**/part.json") as got:
        await page.goto(site.url("/parts"))
    answer: Response = await got.value
    assert answer.status == 200 and await answer.json() == {"name": "served"}
    assert (await answer.all_headers())["content-type"] == "application/json"
    assert answer.request.resource_type == "fetch" and answer.request.method == "GET"
    assert (await answer.request.all_headers())["host"] == site.base.removeprefix("http://")
    assert await answer.finished() is None and answer.request.timing["responseEnd"] > 0
    assert (await answer.request.sizes())["responseBodySize"] == 18
    address = await answer.server_addr()
    assert address and address["port"] == site.port


async def test_tells_what_was_posted(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    async with page.expect_request("**/x-echo") as sent:
        await page.evaluate(ECHO, {"method": "POST", "body": '{"a": 1}'})
    assert (await sent.value).post_data_json == {"a": 1}


async def test_follows_redirects(page: Page, site: Site) -> None:
    answer = await page.goto(site.url("/x-redirect?to=/second"))
    assert answer and answer.url == site.url("/second")
    before = answer.request.redirected_from
    assert before and before.url.endswith("/x-redirect?to=/second")
    first = await before.response()
    assert first and first.status == 302


async def test_tells_why_a_request_failed(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    async with page.expect_event("requestfailed") as failed:
        await page.evaluate("fetch('http://127.0.0.1:9/').catch(() => 0)")
    assert "ERR_" in str((await failed.value).failure)


async def test_sends_extra_headers(page: Page, site: Site) -> None:
    await page.set_extra_http_headers({"x-extra": "always"})
    answer = await page.goto(site.url("/x-echo"))
    assert answer and (await answer.json())["headers"]["x-extra"] == "always"


async def test_answers_a_demand_for_authentication(browser: Browser, site: Site) -> None:
    async with isolated(browser, http_credentials={"username": "user", "password": "secret"}) as page:
        answer = await page.goto(site.url("/x-login"))
        assert answer and answer.status == 200 and await page.title() == "Inside"


async def test_a_page_that_demands_authentication_is_an_error_without(page: Page, site: Site) -> None:
    try:
        await page.goto(site.url("/x-login"))
        raise AssertionError("it went")
    except Error as error:
        assert "ERR_INVALID_AUTH_CREDENTIALS" in str(error)


async def test_hears_a_websockets_frames(page: Page, site: Site) -> None:
    frames: list[tuple[str, object]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: frames.append(("sent", text)))
        socket.on("framereceived", lambda text: frames.append(("received", text)))

    page.on("websocket", listen)
    async with page.expect_websocket() as made:
        await page.goto(site.url("/socket"))
    socket = await made.value
    await page.wait_for_function("said.textContent")
    assert socket.url == site.socket_url and frames == [("sent", "hi"), ("received", "echo: hi")]
    async with socket.expect_event("close"):
        await page.evaluate("s.close()")
    assert socket.is_closed()


async def test_answers_a_websocket_itself(page: Page, site: Site) -> None:
    await page.route_web_socket(site.socket_url, lambda socket: socket.on_message(lambda text: socket.send(f"mocked {text}")))
    await page.goto(site.url("/socket"))
    await page.wait_for_function("said.textContent")
    assert await page.inner_text("#said") == "mocked hi"


async def test_records_and_replays_a_har(browser: Browser, site: Site, tmp_path: Path) -> None:
    har = tmp_path / "recorded.har"
    made = await browser.new_context(record_har_path=har)
    page = await made.new_page()
    await page.goto(site.url("/parts"), wait_until="networkidle")
    await made.close()
    entries = json.loads(har.read_text())["log"]["entries"]
    assert {entry["request"]["url"].rpartition("/")[2] for entry in entries} >= {"parts", "part.js", "part.json"}
    before = site.hits("/part.json")
    async with isolated(browser) as again:
        await again.route_from_har(har)
        await again.goto(site.url("/parts"))
        await again.wait_for_function("data.textContent")
        assert await again.inner_text("#data") == "served" and site.hits("/part.json") == before


async def test_goes_offline_and_back(page: Page, context: BrowserContext, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await context.set_offline(True)
    try:
        assert await page.evaluate("navigator.onLine") is False
        assert await page.evaluate("fetch('/part.json').then(() => 'came', () => 'failed')") == "failed"
    finally:
        await context.set_offline(False)
    assert await page.evaluate("fetch('/part.json').then(() => 'came', () => 'failed')") == "came"


async def test_makes_requests_of_its_own_with_the_contexts_cookies(page: Page, context: BrowserContext, site: Site) -> None:
    await context.add_cookies([{"name": "own", "value": "1", "url": site.base}])
    answer = await context.request.post(site.url("/x-echo"), data={"a": 1})
    told = await answer.json()
    assert told["headers"]["cookie"] == "own=1" and json.loads(told["body"]) == {"a": 1}
    await context.clear_cookies(name="own")


async def test_many_intercepted_requests_at_once(page: Page, site: Site) -> None:
    async def handle(route: Route) -> None:
        await asyncio.sleep(0.02)
        await route.fulfill(body=route.request.url.rpartition("?")[2])

    await page.goto(site.url("/plain"))
    await page.route("**/many?*", handle)
    told = await page.evaluate("Promise.all([...Array(60).keys()].map(n => fetch('/many?' + n).then(r => r.text())))")
    assert told == [str(number) for number in range(60)]


async def test_a_route_that_ends_leaves_no_request_waiting(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.route("**/part.json", lambda route: route.abort())
    assert await page.evaluate("fetch('/part.json').then(() => 'came', () => 'failed')") == "failed"
    await page.unroute_all()
    assert await page.evaluate("fetch('/part.json').then(() => 'came', () => 'failed')") == "came"


async def test_a_connection_refused_is_a_navigation_error(page: Page) -> None:
    try:
        await page.goto("http://127.0.0.1:9/")
        raise AssertionError("it went")
    except Error as error:
        assert "ERR_UNSAFE_PORT" in str(error) or "ERR_CONNECTION_REFUSED" in str(error)
