"""nodriver, joined to a browser that runs already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nodriver
from harness import Bench


@asynccontextmanager
async def opened(bench: Bench) -> AsyncIterator[Any]:
    browser = await nodriver.start(host=bench.host, port=bench.port)
    tab = await browser.get("about:blank", new_tab=True)
    try:
        yield tab
    finally:
        await tab.close()
        await browser.aclose()


async def titled(tab: Any, title: str) -> None:
    for _ in range(200):
        if await tab.evaluate("document.readyState + document.title") == "complete" + title:
            return
        await tab.sleep(0.05)
    raise AssertionError(f"the page was not there: {tab.url}")


async def reads_a_page(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/plain"))
    await titled(tab, "Plain")
    assert (await tab.select(".price")).text == "12.50"
    assert "Plain" in await tab.get_content()


async def finds_by_text_and_clicks(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/inner?x"))
    await titled(tab, "Inner")
    field = await tab.select("#field")
    await field.send_keys("text")
    assert await tab.evaluate("document.getElementById('field').value") == "text"
    await (await tab.find("press", best_match=True)).click()
    await titled(tab, "Inner")
    assert await tab.evaluate("document.getElementById('said').textContent") == "pressed in ?x"


async def values_keep_their_order(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/plain"))
    await titled(tab, "Plain")
    pairs = await tab.evaluate("({name: 1, age: 2, Zip: 3})")  # in Chrome's deep serialisation
    assert [name for name, _ in pairs] == ["name", "age", "Zip"], pairs
    remote, _ = await tab.send(nodriver.cdp.runtime.evaluate("({name: 1, age: 2, Zip: 3})", return_by_value=True))
    assert list(remote.value) == ["name", "age", "Zip"], remote


async def reads_a_deep_page(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/plain"))
    await titled(tab, "Plain")
    await tab.evaluate("document.body.innerHTML = '<div>'.repeat(120) + '<i id=last>bottom</i>'; 1")
    assert (await tab.find("bottom", best_match=True)).text == "bottom"


async def takes_a_screenshot(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/plain"))
    await titled(tab, "Plain")
    path = bench.folder / "shot.png"
    await tab.save_screenshot(str(path), format="png")
    assert path.read_bytes().startswith(b"\x89PNG")


async def sends_any_command(tab: Any, bench: Bench) -> None:
    await tab.get(bench.url("/plain"))
    await titled(tab, "Plain")
    result, error = await tab.send(nodriver.cdp.runtime.evaluate("6 * 7"))
    assert error is None and result.value == 42
    cookies = await tab.send(nodriver.cdp.storage.get_cookies())
    assert isinstance(cookies, list)


CASES = {
    "reads a page": reads_a_page,
    "finds by text and clicks": finds_by_text_and_clicks,
    "values keep their order": values_keep_their_order,
    "reads a deep page": reads_a_deep_page,
    "takes a screenshot": takes_a_screenshot,
    "sends any command": sends_any_command,
}
