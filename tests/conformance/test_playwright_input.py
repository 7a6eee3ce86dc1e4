"""Playwright (Python): locators, mouse, keyboard, touch, waiting, evaluation."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Error, Page, TimeoutError, expect

from playwright_fixtures import *  # noqa: F403
from playwright_fixtures import isolated
from served import Site

CLIENT = "Playwright (Python)"


async def test_clicks(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.locator("#count").click()
    await page.get_by_role("button", name="pressed 1").click()
    assert await page.inner_text("#count") == "pressed 2"


async def test_clicks_with_a_modifier_twice_and_with_the_right_button(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.click("#count", modifiers=["Shift"])
    assert await page.inner_text("#count") == "pressed 1 shift"
    await page.dblclick("#count")
    assert await page.inner_text("#twice") == "twice"
    await page.click("#count", button="right")
    assert await page.inner_text("#twice") == "menu"


async def test_scrolls_to_what_it_clicks(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.click("#far")
    assert await page.inner_text("#far") == "reached" and await page.evaluate("scrollY") > 1000


async def test_fills_and_types(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.get_by_label("Name").fill("Zoë 名前 🎈")
    await page.locator("#note").press_sequentially("typed\nlines")
    assert await page.input_value("#name") == "Zoë 名前 🎈"
    assert await page.input_value("#note") == "typed\nlines"


async def test_selects_options(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    assert await page.select_option("#colour", "green") == ["green"]
    assert await page.select_option("#many", ["a", "c"]) == ["a", "c"]
    assert await page.input_value("#colour") == "green"


async def test_checks_boxes_and_sends_the_form(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.get_by_label("Agree").check()
    await page.get_by_label("Large").check()
    await page.fill("#name", "n")
    await page.get_by_role("button", name="Send").click()
    assert await page.inner_text("#submitted") == "name=n&note=&colour=red&agree=on&size=l"
    await page.get_by_label("Agree").uncheck()
    await expect(page.get_by_label("Agree")).not_to_be_checked()


async def test_hovers(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.hover("#hover")
    assert await page.inner_text("#hover") == "over"


async def test_drags_and_drops(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.drag_and_drop("#box", "#hole")
    assert await page.inner_text("#hole") == "parcel"


async def test_presses_keys(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    await page.focus("#keys")
    await page.keyboard.press("a")
    await page.keyboard.press("Control+ArrowLeft")
    await page.keyboard.type("ß")
    assert await page.inner_text("#keys") == "a Control ArrowLeft" or "ArrowLeft" in await page.inner_text("#keys")
    await page.focus("#name")
    await page.keyboard.insert_text("put in")
    await page.keyboard.press("Shift+Home")
    await page.keyboard.press("Backspace")
    assert await page.input_value("#name") == ""


async def test_moves_the_mouse_and_turns_its_wheel(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    place = await page.locator("#hover").bounding_box()
    assert place
    await page.mouse.move(place["x"] + 5, place["y"] + 5, steps=3)
    assert await page.inner_text("#hover") == "over"
    await page.mouse.wheel(0, 400)
    await page.wait_for_function("scrollY > 100")


async def test_taps_a_touch_screen(browser: Browser, site: Site) -> None:
    async with isolated(browser, has_touch=True) as page:
        await page.goto(site.url("/form"))
        await page.tap("#touch")
        assert await page.inner_text("#touch") == "touched"


async def test_finds_by_text_nth_filter_and_in_shadow_roots(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    items = page.locator("li")
    assert await items.count() == 3 and await items.nth(1).inner_text() == "two"
    assert await items.filter(has_text="three").get_attribute("class") == "last"
    assert await items.all_inner_texts() == ["one", "two", "three"]
    assert not await page.locator("#hidden").is_visible()
    await page.goto(site.url("/shadow"))
    assert await page.get_by_role("button").inner_text() == "inside"


async def test_waits_for_what_comes_late(page: Page, site: Site) -> None:
    await page.goto(site.url("/late"))
    await page.wait_for_selector("#late")
    await page.locator("#early").wait_for(state="detached")
    await expect(page.locator("#late")).to_have_text("here")


async def test_waits_for_a_function_and_a_url(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.evaluate("setTimeout(() => { window.ready = 7 }, 100)")
    handle = await page.wait_for_function("window.ready")
    assert await handle.json_value() == 7
    await page.evaluate("setTimeout(() => { location.href = '/second' }, 50)")
    await page.wait_for_url("**/second")
    assert await page.title() == "Second"


async def test_says_what_it_waited_for_in_vain(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    with pytest.raises(TimeoutError, match="#nowhere"):
        await page.click("#nowhere", timeout=300)


async def test_evaluates_values_of_every_kind(page: Page) -> None:
    value = {"a": [1, -0.0, 1.5, None, True, "é 🎈", {"deep": {"er": []}}]}
    assert await page.evaluate("v => v", value) == value
    assert await page.evaluate("[NaN, Infinity, undefined].map(String)") == ["NaN", "Infinity", "undefined"]
    assert await page.evaluate("() => new Promise(r => setTimeout(() => r('later'), 50))") == "later"
    assert await page.evaluate("n => 'x'.repeat(n)", 3_000_000) == "x" * 3_000_000
    with pytest.raises(Error, match="on purpose"):
        await page.evaluate("() => { throw new Error('on purpose') }")


async def test_keeps_handles_of_objects(page: Page, site: Site) -> None:
    await page.goto(site.url("/form"))
    handle = await page.evaluate_handle("({list: document.querySelectorAll('li'), n: 5})")
    parts = await handle.get_properties()
    assert await parts["n"].json_value() == 5
    item = await page.evaluate_handle("h => h.list[2]", handle)
    element = item.as_element()
    assert element and await element.inner_text() == "three"
    await handle.dispose()
    button = await page.query_selector("#count")
    assert button
    await button.click()
    assert await button.text_content() == "pressed 1"


async def test_sets_content_and_adds_tags(page: Page, site: Site) -> None:
    await page.goto(site.url("/plain"))
    await page.set_content("<title>Set</title><p>set</p>")
    await page.add_script_tag(content="window.added = 1")
    await page.add_style_tag(content="p { color: rgb(9, 8, 7) }")
    assert await page.title() == "Set" and await page.evaluate("added") == 1
    assert await page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(9, 8, 7)"
