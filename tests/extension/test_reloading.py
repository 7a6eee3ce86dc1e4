"""The extension's own reload: Chrome switches an unpacked extension off for good that reloads itself while developer mode is off."""

from __future__ import annotations

import json

import pytest

from tests.support.chromium import Chromium, eventually
from tests.support.link_daemon import LinkDaemon, RpcError


def test_where_developer_mode_may_be_off_the_extension_does_not_reload_itself_and_says_what_to_do() -> None:
    with LinkDaemon() as daemon, Chromium(daemon.address, developer_mode=False) as browser:
        for start in (1, 2):
            link = daemon.wait_link(after=start - 1)
            with pytest.raises(RpcError, match="chrome://extensions") as refused:
                link.request("extension.reload", {})
            assert refused.value.name == "UnavailableError"
            assert eventually(lambda: [line for line in daemon.lines if line["level"] == "warn" and "Developer mode" in line["text"]], 10)
            daemon.lines.clear()
            popup = browser.popup()
            eventually(lambda popup=popup: "Developer mode" in (popup.glance("document.querySelector('#troubles').innerText") or ""), 10)  # type: ignore[misc]
            eventually(lambda: browser.worker("chrome.action.getBadgeText({})") == "!", 10, "the badge says it")
            assert link.request("link.ping", {}) == {}
            assert browser.extension_info()["state"] == "ENABLED"
            if start == 1:
                browser.restart()


def test_it_reloads_itself_where_any_launch_has_switched_developer_mode_on() -> None:
    with LinkDaemon() as daemon, Chromium(daemon.address) as browser:
        daemon.wait_link()
        assert daemon.wait_link().request("extension.reload", {}) == {}
        daemon.wait_link(after=1)
        assert browser.extension_info()["state"] == "ENABLED"


def test_an_extension_that_has_survived_a_reload_reloads_itself_again() -> None:
    with LinkDaemon() as daemon, Chromium(daemon.address) as browser:
        daemon.wait_link()
        assert browser.extension_folder
        config = browser.extension_folder / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "developer_mode": False}))
        browser.reload_extension()  # as the person does
        assert daemon.wait_link(after=1).request("extension.reload", {}) == {}
        daemon.wait_link(after=2)
