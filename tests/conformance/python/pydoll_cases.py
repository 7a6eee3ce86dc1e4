"""pydoll, joined to a browser that runs already."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from harness import Bench
from pydoll.browser.chromium import Chrome


@asynccontextmanager
async def opened(bench: Bench) -> AsyncIterator[Any]:
    with urllib.request.urlopen(bench.endpoint + "/json/version") as answer:
        address = json.load(answer)["webSocketDebuggerUrl"]
    browser = Chrome()
    await browser.connect(address)
    tab = await browser.new_tab()
    try:
        yield tab
    finally:
        await tab.close()
        await browser.close()


def value_of(answer: Any) -> Any:
    return answer["result"]["result"]["value"]


async def reads_a_page(tab: Any, bench: Bench) -> None:
    await tab.go_to(bench.url("/plain"))
    assert await tab.current_url() == bench.url("/plain")
    assert await (await tab.find(class_name="price")).text() == "12.50"
    assert "Plain" in await tab.page_source()


async def types_and_clicks(tab: Any, bench: Bench) -> None:
    await tab.go_to(bench.url("/inner?x"))
    await (await tab.find(id="field")).insert_text("text")
    assert value_of(await tab.execute_script("return document.getElementById('field').value")) == "text"
    await (await tab.find(id="press")).click()
    assert await (await tab.find(id="said")).text() == "pressed in ?x"


async def values_keep_their_order(tab: Any, bench: Bench) -> None:
    await tab.go_to(bench.url("/plain"))
    answer = await tab.execute_script("return {name: 1, age: 2, Zip: 3}", return_by_value=True)
    assert list(value_of(answer)) == ["name", "age", "Zip"], answer


async def finds_by_query(tab: Any, bench: Bench) -> None:
    await tab.go_to(bench.url("/form"))
    assert await tab.query("input")
    assert await tab.query("//input")


async def takes_a_screenshot(tab: Any, bench: Bench) -> None:
    await tab.go_to(bench.url("/plain"))
    path = bench.folder / "shot.png"
    await tab.take_screenshot(str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


async def hears_requests(tab: Any, bench: Bench) -> None:
    heard: list[str] = []
    await tab.enable_network_events()

    async def hear(event: Any) -> None:
        heard.append(event["params"]["request"]["url"])

    await tab.on("Network.requestWillBeSent", hear)
    await tab.go_to(bench.url("/plain"))
    assert bench.url("/plain") in heard


CASES = {
    "reads a page": reads_a_page,
    "types and clicks": types_and_clicks,
    "values keep their order": values_keep_their_order,
    "finds by query": finds_by_query,
    "takes a screenshot": takes_a_screenshot,
    "hears requests": hears_requests,
}
