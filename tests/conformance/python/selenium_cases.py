"""Selenium with `debuggerAddress`: ChromeDriver drives a browser that runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import Bench
from selenium import webdriver
from selenium.common.exceptions import JavascriptException, NoSuchElementException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


@contextmanager
def opened(bench: Bench) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.debugger_address = f"{bench.host}:{bench.port}"
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(20)
    driver.set_script_timeout(20)
    before = set(driver.window_handles)
    driver.switch_to.new_window("tab")
    try:
        yield driver
    finally:
        for handle in set(driver.window_handles) - before:
            driver.switch_to.window(handle)
            driver.close()
        driver.quit()


def reads_a_page(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    assert driver.title == "Plain" and driver.current_url == bench.url("/plain")
    assert driver.find_element(By.CSS_SELECTOR, ".price").text == "12.50"
    try:
        driver.find_element(By.ID, "nothing")
    except NoSuchElementException:
        return
    raise AssertionError("an element that is not there was found")


def types_and_clicks(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/inner?x"))
    field = driver.find_element(By.ID, "field")
    field.send_keys("grüße" + Keys.TAB)
    assert field.get_attribute("value") == "grüße"
    driver.find_element(By.ID, "press").click()
    assert driver.find_element(By.ID, "said").text == "pressed in ?x"


def scripts_take_and_give_values(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    value = {"name": 1, "age": [2, {"d": None, "c": "ü"}], "Zip": True}
    assert driver.execute_script("return arguments[0]", value) == value
    assert driver.execute_script("return arguments[0].age[1].c.length", value) == 1
    assert driver.execute_async_script("setTimeout(arguments[1], 20, arguments[0])", "later") == "later"
    element = driver.find_element(By.ID, "top")
    assert driver.execute_script("return arguments[0].textContent", element) == "Plain"


def a_scripts_error_is_told(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    try:
        driver.execute_script("throw new TypeError('its own')")
    except JavascriptException as error:
        assert "its own" in str(error)
        return
    raise AssertionError("nothing was raised")


def works_in_frames_of_other_sites(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/nested"))
    driver.switch_to.frame("outer")
    driver.switch_to.frame(0)
    driver.find_element(By.ID, "press").click()
    assert "pressed in" in driver.find_element(By.ID, "said").text
    driver.switch_to.default_content()
    assert driver.title == "Nested"


def answers_dialogs(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    driver.execute_script("setTimeout(() => document.title = String(confirm('sure?')), 0)")
    WebDriverWait(driver, 10).until(lambda d: has_alert(d))
    assert driver.switch_to.alert.text == "sure?"
    driver.switch_to.alert.accept()
    WebDriverWait(driver, 10).until(lambda d: d.title == "true")


def has_alert(driver: Any) -> bool:
    try:
        return bool(driver.switch_to.alert)
    except Exception:
        return False


def goes_back_and_forward(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    driver.get(bench.url("/second"))
    driver.back()
    WebDriverWait(driver, 10).until(lambda d: d.title == "Plain")
    driver.forward()
    WebDriverWait(driver, 10).until(lambda d: d.title == "Second")
    driver.refresh()
    assert driver.title == "Second"


def follows_a_popup(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/opener"))
    known = set(driver.window_handles)
    driver.find_element(By.ID, "open").click()
    WebDriverWait(driver, 10).until(lambda d: len(set(d.window_handles) - known) == 1)
    (made,) = set(driver.window_handles) - known
    driver.switch_to.window(made)
    WebDriverWait(driver, 10).until(lambda d: d.title == "Popup")


def sets_and_reads_cookies(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    driver.add_cookie({"name": "selenium", "value": "1"})
    assert driver.get_cookie("selenium")["value"] == "1"
    driver.delete_cookie("selenium")
    assert driver.get_cookie("selenium") is None


def takes_a_screenshot(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/tall"))
    assert driver.get_screenshot_as_png().startswith(b"\x89PNG")
    assert driver.find_element(By.ID, "red").size == {"width": 100, "height": 50}


def sends_cdp_commands(driver: Any, bench: Bench) -> None:
    driver.get(bench.url("/plain"))
    assert driver.execute_cdp_cmd("Runtime.evaluate", {"expression": "6 * 7"})["result"]["value"] == 42


CASES = {
    "reads a page": reads_a_page,
    "types and clicks": types_and_clicks,
    "scripts take and give values": scripts_take_and_give_values,
    "a script's error is told": a_scripts_error_is_told,
    "works in frames of other sites": works_in_frames_of_other_sites,
    "answers dialogs": answers_dialogs,
    "goes back and forward": goes_back_and_forward,
    "follows a popup": follows_a_popup,
    "sets and reads cookies": sets_and_reads_cookies,
    "takes a screenshot": takes_a_screenshot,
    "sends CDP commands": sends_cdp_commands,
}
