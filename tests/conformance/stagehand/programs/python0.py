"""Python Stagehand 0.5 on whatever browser it is given: Playwright with act, observe and extract."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cases import case, given, main, until
from pydantic import BaseModel
from stagehand import Stagehand, StagehandConfig

site = given["site"]
stagehand = Stagehand(
    StagehandConfig(
        env="LOCAL",
        model_name="openai/gpt-4.1-mini",
        model_api_key="none",
        model_client_options={"api_base": given["model"]},
        local_browser_launch_options={"cdp_url": given["http"], "downloads_path": given["folder"]},
        dom_settle_timeout_ms=1000,
        verbose=0,
    )
)
page: Any = None


class Product(BaseModel):
    title: str
    price: float
    stock: int
    items: list[str]


async def said() -> Any:
    return await page.evaluate("document.getElementById('said').textContent")


@case
async def connects_and_lists_the_tabs_that_are_open() -> Any:
    await stagehand.init()
    return sorted(urlsplit(one.url).path for one in stagehand._context.pages)


@case
async def opens_a_page_and_goes_to_an_address() -> Any:
    global page
    page = await stagehand.context.new_page()
    await page.goto(f"{site}/stage/shop")
    return await page.title()


@case
async def observe_finds_a_button() -> Any:
    return [[one.description, one.method, one.selector] for one in await page.observe("find 'Order'")]


@case
async def act_types_chooses_and_presses() -> Any:
    for step in ("type 'Ann' into 'Name'", "choose 'Large' in 'Size'", "click 'Order'"):
        done = await page.act(step)
    return [done.success, await said()]


@case
async def extract_fills_a_schema() -> Any:
    return (await page.extract("the product", schema=Product)).model_dump()


@case
async def act_follows_a_link() -> Any:
    await page.act("click 'Second'")
    return await until(page.title, "Second")


@case
async def a_tab_that_a_page_opens_becomes_the_active_page() -> Any:
    await page.goto(f"{site}/stage/shop")
    await page.evaluate("document.querySelector('a[target]').click()")

    async def active() -> Any:
        return urlsplit(stagehand.page.url).path

    path = await until(active, "/stage/second")
    popup = stagehand.page
    seen = [path, await until(popup.title, "Second")]
    await popup.close()
    return seen


@case
async def closing_leaves_the_browser_running() -> Any:
    import urllib.request

    await stagehand.close()
    with urllib.request.urlopen(given["http"] + "/json/version") as answer:
        return answer.status


main()
