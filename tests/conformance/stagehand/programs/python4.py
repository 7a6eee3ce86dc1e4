"""Python Stagehand 4 on whatever browser it is given. It brings an extension of its own, whose worker does the work."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from cases import case, given, main, until
from pydantic import BaseModel
from stagehand import LLMGenerateInput, LLMGenerateOutput, Stagehand, local_browser
from stagehand.client_models import LLMStructuredGenerateResult

site = given["site"]
browser: Any = None
stagehand: Any = None
page: Any = None


class Product(BaseModel):
    title: str
    price: float
    stock: int
    items: list[str]


async def generate(asked: LLMGenerateInput) -> LLMGenerateOutput:
    """The scripted model, asked by us: this version takes no address for a vendor's API."""
    told = asked.model_dump(mode="json", by_alias=True)

    def text(content: Any) -> str:
        return "\n".join(part.get("text", "") for part in ([content] if isinstance(content, dict) else content))

    body = {
        "messages": [{"role": one["role"], "content": text(one["content"])} for one in told["messages"]],
        "response_format": {"json_schema": {"schema": told["response_format"].get("schema")}},
    }
    with urllib.request.urlopen(given["model"] + "/chat/completions", json.dumps(body).encode()) as answer:
        said = json.load(answer)["choices"][0]["message"]["content"]
    return LLMStructuredGenerateResult.model_validate(
        {"role": "assistant", "content": {"type": "text", "text": said}, "output_format": "json_schema", "structured_content": json.loads(said)}
    )


async def said() -> Any:
    return await page.evaluate("document.getElementById('said').textContent")


@case
async def connects_and_lists_the_tabs_that_are_open() -> Any:
    global browser, stagehand
    browser = await local_browser.connect(cdp_url=given["http"])
    stagehand = await Stagehand.create(browser=browser, model=generate)
    return sorted([urlsplit(await one.url()).path for one in await browser.context.pages()])


@case
async def opens_a_page_and_goes_to_an_address() -> Any:
    global page
    page = await browser.context.new_page()
    await page.goto(f"{site}/stage/shop")
    return await page.title()


@case
async def observe_finds_a_button() -> Any:
    return [[one.description, one.method, one.selector] for one in (await stagehand.observe("find 'Order'", page=page)).data]


@case
async def act_types_chooses_and_presses() -> Any:
    for step in ("type 'Ann' into 'Name'", "choose 'Large' in 'Size'", "click 'Order'"):
        await stagehand.act(step, page=page)
    return await said()


@case
async def extract_fills_a_schema() -> Any:
    return (await stagehand.extract("the product", Product, page=page)).data.model_dump()


@case
async def act_reaches_into_a_closed_shadow_root() -> Any:
    await page.goto(f"{site}/stage/closed")
    await stagehand.act("click 'Hidden'", page=page)
    return await until(said, "found")


@case
async def closing_ends_it() -> Any:
    await page.close()
    await stagehand.close()
    return "closed"  # browser.close() would end a raw browser: it sends Browser.close


main()
