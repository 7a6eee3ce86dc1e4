"""Python Stagehand 3 on whatever browser it is given: a server that it brings along does the work."""

from __future__ import annotations

from typing import Any

from cases import case, given, main, until
from stagehand import AsyncStagehand

site = given["site"]
model: Any = {"model_name": "openai/gpt-4.1-mini", "api_key": "none", "base_url": given["model"]}
client = AsyncStagehand(server="local", model_api_key="none", local_ready_timeout_s=30)
session: Any = None
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
product = {"title": TEXT, "price": NUMBER, "stock": NUMBER, "items": {"type": "array", "items": TEXT}}


@case
async def starts_a_session_on_the_browser() -> Any:
    global session
    session = await client.sessions.start(
        model_name="openai/gpt-4.1-mini", browser={"type": "local", "cdp_url": given["socket"], "launch_options": {"cdp_url": given["socket"]}}
    )
    return bool(session.id)


@case
async def act_reaches_into_a_frame_of_another_site() -> Any:
    # First of all: an act ends the attaching of other sites' frames that come later.
    await session.navigate(url=f"{site}/stage/frames", options={"wait_until": "load"})

    async def listed() -> int:
        return len((await session.observe(instruction="find 'Pay far'", options={"model": model})).data.result)

    await until(listed, 1)  # the other site's frame comes when it likes
    return (await session.act(input="click 'Pay far'", options={"model": model})).data.result.success


@case
async def goes_to_an_address() -> Any:
    return (await session.navigate(url=f"{site}/stage/shop")).success


@case
async def observe_finds_a_button() -> Any:
    found = (await session.observe(instruction="find 'Order'", options={"model": model})).data.result
    return [[one.description, one.method, one.selector] for one in found]


@case
async def act_types_chooses_and_presses() -> Any:
    done = []
    for step in ("type 'Ann' into 'Name'", "choose 'Large' in 'Size'", "click 'Order'"):
        done.append((await session.act(input=step, options={"model": model})).data.result.success)
    seen = await session.extract(instruction="the status", schema={"type": "object", "properties": {"status": TEXT}, "required": ["status"]}, options={"model": model})
    return [done, seen.data.result]


@case
async def extract_fills_a_schema() -> Any:
    schema: Any = {"type": "object", "properties": product, "required": list(product)}
    return (await session.extract(instruction="the product", schema=schema, options={"model": model})).data.result


@case
async def the_agent_works_through_its_steps() -> Any:
    instruction = f"steps: goto {site}/stage/shop; act type 'Bo' into 'Name'; act click 'Second'; extract the title; done"
    done = (await session.execute(agent_config={"model": model}, execute_options={"instruction": instruction, "max_steps": 10})).data.result
    return [done.success, done.completed, done.message]


@case
async def ends_its_session() -> Any:
    ended = (await session.end()).success
    await client.close()
    return ended


main()
