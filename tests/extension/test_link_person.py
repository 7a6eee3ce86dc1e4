"""What the person at the browser does and sets is told to the daemon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import Chromium, eventually
from link_daemon import LinkDaemon, LinkedBrowser


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        daemon.wait_link()
        yield running


@pytest.fixture
def link(daemon: LinkDaemon, browser: Chromium) -> LinkedBrowser:
    return eventually(lambda: [one for one in daemon.live() if one.hello], 15, "the link stands")[0]


def test_a_window_that_gets_the_focus_is_told_as_used(link: LinkedBrowser, browser: Chromium) -> None:
    browser.worker("""(async () => {
      const [first] = await chrome.windows.getAll();
      const second = await chrome.windows.create({ url: 'about:blank', focused: true });
      await chrome.windows.update(first.id, { focused: true });
      await chrome.windows.remove(second.id);
    })()""")
    assert link.wait_for("browser.update", lambda said: said.get("used") is True)


def test_proxy_settings_that_catch_loopback_are_told_and_their_end_too(link: LinkedBrowser, browser: Chromium) -> None:
    assert link.hello["proxy"] is None
    rules = "{ singleProxy: { scheme: 'http', host: '127.0.0.1', port: 9 }, bypassList: ['<-loopback>'] }"
    browser.worker(f"chrome.proxy.settings.set({{ value: {{ mode: 'fixed_servers', rules: {rules} }} }})")
    told = link.wait_for("browser.update", lambda said: said.get("proxy"))
    assert told["proxy"].startswith("http://127.0.0.1:9")
    browser.worker("chrome.proxy.settings.clear({})")
    eventually(lambda: link.heard("browser.update")[-1]["proxy"] is None, 10, "the proxy is gone")


def test_user_scripts_that_are_allowed_and_forbidden_again_are_told_both_times(link: LinkedBrowser, browser: Chromium) -> None:
    for allowed in (True, False):
        browser.set_switches(user_scripts=allowed)
        eventually(
            lambda: (said := link.heard("browser.update")) and said[-1]["capabilities"]["user_scripts"] is allowed,
            15,
            f"user_scripts: {allowed} is told",
        )
