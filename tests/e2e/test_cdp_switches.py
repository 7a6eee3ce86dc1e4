"""What the person has not allowed, or no extension may do: the client's error says which, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Playwright, sync_playwright

from chromium import Cdp, CdpError, Chromium, eventually
from daemon import Daemon
from pages import Pages


def test_an_upload_by_path_names_the_switch_that_it_needs(daemon: Daemon, browser: Chromium, site: Pages, tmp_path: Path) -> None:
    file = tmp_path / "sent.txt"
    file.write_text("sent")
    browser.set_switches(file_urls=False)  # reloads the extension
    eventually(lambda: [each["capabilities"]["file_urls"] for each in daemon.request("GET", "/v1/browsers")[1]["browsers"]] == [False], 20, "the daemon knows it")
    tab = browser.open(site.url("/plain"))
    client = Cdp(f"{daemon.url.replace('http', 'ws')}/devtools/page/{tab.target}")
    client.call("Runtime.evaluate", expression="document.body.innerHTML = '<input type=file>'")
    field = client.call("Runtime.evaluate", expression="document.querySelector('input')")["result"]["objectId"]
    with pytest.raises(CdpError, match="Not allowed: .*Allow access to file URLs"):
        client.call("DOM.setFileInputFiles", files=[str(file)], objectId=field)
    client.close()
    tab.close()


@pytest.fixture(scope="module")
def playwright() -> Playwright:
    with sync_playwright() as running:
        yield running


def test_a_program_that_wants_bad_certificates_ignored_is_told_what_the_person_can_do(daemon: Daemon, browser: Chromium, playwright: Playwright) -> None:
    program = playwright.chromium.connect_over_cdp(daemon.url + "?context=default")
    context = program.new_context(ignore_https_errors=True)
    with pytest.raises(PlaywrightError, match="accept the site's certificate once by hand"):
        context.new_page()
    program.close()
