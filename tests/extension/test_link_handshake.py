"""Who is who: keys, versions, copied profiles; what the popup says of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, Tab, eventually
from link_daemon import LinkDaemon, Refuse, RpcError


@pytest.fixture
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


def says(popup: Tab, words: str, timeout: float = 15.0) -> None:
    eventually(lambda: words in popup.evaluate("document.body.innerText"), timeout, f"the popup says {words!r}")


def test_the_first_handshake_gives_a_key_and_every_later_one_proves_it(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    assert first.begin["has_key"] is False
    assert first.begin["protocol"] == 1
    assert first.origin == "chrome-extension://fiboagademobpcbeeblkmghchapdlnjd"
    first.cut()
    second = daemon.wait_link(after=1)
    assert second.begin["has_key"] is True
    assert second.begin["nonce"] != first.begin["nonce"]


def test_hello_tells_what_the_browser_is_and_can(daemon: LinkDaemon, browser: Chromium) -> None:
    hello = daemon.wait_link().hello
    assert hello["product"].startswith("Chromium 1")
    assert hello["platform"] == "Linux"
    assert hello["capabilities"] == {"user_scripts": False, "debugger": True, "incognito": False, "file_urls": True, "all_sites": True, "javascript": True}
    assert hello["tabs"]["total"] == 1
    assert hello["holds"] == []
    assert hello["proxy"] is None
    assert hello["label"] == "Chromium"


def test_switches_that_the_person_sets_are_told(daemon: LinkDaemon, browser: Chromium) -> None:
    daemon.wait_link()
    browser.set_switches(user_scripts=True)
    browser.open("about:blank")
    eventually(
        lambda: any(update.get("capabilities", {}).get("user_scripts") for link in daemon.links for update in link.heard("browser.update"))
        or any(link.hello.get("capabilities", {}).get("user_scripts") for link in daemon.links[1:]),
        15,
        "user scripts are told",
    )
    browser.set_switches(incognito=True)
    browser.open("about:blank")  # something has to wake a worker that Chrome has just put in
    eventually(lambda: [link for link in daemon.links if link.hello.get("capabilities", {}).get("incognito")], 35)


def test_a_daemon_with_another_key_gets_no_browser_until_the_person_accepts_it(daemon: LinkDaemon, browser: Chromium) -> None:
    first = daemon.wait_link()
    daemon.stop()
    with LinkDaemon(port=daemon.port) as stranger:
        popup = browser.popup()
        says(popup, "Another daemon answers here")
        assert [link.hello for link in stranger.links if link.hello] == []
        popup.evaluate("document.querySelector('button.accept').click()")
        link = stranger.wait_link()
        assert link.begin["has_key"] is False
        assert link.begin["browser"] == first.begin["browser"]
        says(popup, "Connected")


def test_a_daemon_that_proves_with_a_wrong_key_gets_no_browser(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    daemon.keys[link.begin["browser"]] = os.urandom(32)
    seen = len(daemon.links)
    link.cut()
    popup = browser.popup()
    says(popup, "Another daemon answers here")
    assert all(not later.hello for later in daemon.links[seen:])


INSTALLATION = {"id": "the-folder", "secret": "c2VjcmV0IG9mIHRoZSBmb2xkZXIsIDMyIGJ5dGVzIGE="}


def test_a_folder_with_a_secret_meets_another_users_daemon_that_tells_no_key(daemon: LinkDaemon) -> None:
    daemon.installations = {INSTALLATION["id"]: INSTALLATION["secret"]}
    with Chromium(daemon.address, installation=INSTALLATION):
        first = daemon.wait_link()
        assert (first.begin["installation"], first.begin["has_key"]) == (INSTALLATION["id"], False)
        assert INSTALLATION["secret"] not in str(first.said)
        first.cut()
        assert daemon.wait_link(after=1).begin["has_key"] is True


def test_a_daemon_that_tells_no_key_and_does_not_know_the_folders_secret_gets_no_browser(daemon: LinkDaemon) -> None:
    daemon.installations = {INSTALLATION["id"]: "QW5vdGhlciBzZWNyZXQgdGhhbiB0aGUgZm9sZGVyJ3M="}
    with Chromium(daemon.address, installation=INSTALLATION) as browser:
        says(browser.popup(), "does not know the secret of this extension's folder")
        assert [link.hello for link in daemon.links if link.hello] == []


def test_a_refused_version_is_said_in_the_popup(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()

    def refuse(_: object) -> None:
        raise Refuse("ProtocolError", "The extension (0.1.0) is older than the daemon (9.0.0): update it.")

    daemon.answers["link.begin"] = refuse
    link.cut()
    popup = browser.popup()
    says(popup, "The extension (0.1.0) is older than the daemon (9.0.0)")
    del daemon.answers["link.begin"]
    daemon.wait_link(after=len(daemon.links), timeout=15)
    says(popup, "Connected")


def test_a_daemon_of_another_protocol_is_refused_naming_the_older_side(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    daemon.protocol, daemon.version = 2, "9.0.0"
    link.cut()
    says(browser.popup(), "the extension (0.1.0) is older")


def test_an_unknown_method_is_answered_with_the_older_side(daemon: LinkDaemon, browser: Chromium) -> None:
    daemon.version = "0.2.0"
    link = daemon.wait_link()
    with pytest.raises(RpcError, match="the extension is older") as refused:
        link.request("page.dance", {})
    assert refused.value.error["code"] == -32601
    assert refused.value.name == "ProtocolError"


def test_a_copied_profile_keeps_the_new_id_that_it_is_given(daemon: LinkDaemon, tmp_path: Path) -> None:
    with Chromium(daemon.address, profile=tmp_path / "one") as original:
        first = daemon.wait_link()
        time.sleep(0.5)  # its database writes lazily
        original.quit()
        eventually(lambda: first.closed)
        shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True)
        original.start()
        again = daemon.wait_link(after=1)
        assert again.begin["browser"] == first.begin["browser"]
        # The id is that of the profile, whose extension lies in one folder.
        with Chromium(daemon.address, profile=tmp_path / "two") as copy:
            daemon.wait_link(after=2)
            assert daemon.links[2].begin["browser"] == first.begin["browser"]
            seen = len(daemon.links)
            daemon.links[2].cut()
            later = daemon.wait_link(after=seen)
            assert later.begin["browser"] != first.begin["browser"]
            assert later.begin["has_key"]
            assert len(daemon.live()) == 2
            assert copy.offscreen_runs()


def test_pausing_is_told_and_refuses_work_until_resumed(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    popup = browser.popup()
    says(popup, "Connected")
    popup.evaluate("document.getElementById('pause').click()")
    link.wait_for("browser.update", lambda update: update.get("paused") is True)
    says(popup, "Paused")
    start = {"task": "t", "attempt": 1, "hop": 0, "tab": "active", "frame": "main", "world": "main", "timeout_ms": 5000,
             "file": "script.js", "avoid": [], "args": None, "state": None, "script": "return 1"}  # fmt: skip
    with pytest.raises(RpcError) as refused:
        link.request("task.start", start)
    assert refused.value.name == "PausedError"
    link.cut()
    assert daemon.wait_link(after=1).hello["paused"] is True
    popup.evaluate("document.getElementById('pause').click()")
    daemon.links[-1].wait_for("browser.update", lambda update: update.get("paused") is False)


def test_the_popup_says_what_to_do_where_no_daemon_answers() -> None:
    with LinkDaemon(start=False) as daemon, Chromium(daemon.address) as browser:
        says(browser.popup(), f"No daemon answers at 127.0.0.1:{daemon.port}")


def test_titles_and_lines_reach_the_popup_as_text_only(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()
    with pytest.raises(RpcError):
        link.request("task.forget<img src=x onerror=alert(1)>", {})
    browser.offscreen("new BroadcastChannel('any-popup').postMessage({kind: 'accept', address: '<b>'})")
    popup = browser.popup()
    says(popup, "Connected")
    lines = popup.evaluate("new BroadcastChannel('any-popup').postMessage({kind:'state', paused:false, version:'<i>v</i>', links:[], lines:[{time:0, level:'info', text:'<img src=x>'}]})")
    assert lines is None
    assert popup.evaluate("document.querySelectorAll('img, i').length") == 0


def test_the_badge_says_how_the_link_stands(daemon: LinkDaemon, browser: Chromium) -> None:
    link = daemon.wait_link()

    def badge(text: str) -> None:
        eventually(lambda: browser.worker("chrome.action.getBadgeText({})") == text, 10, f"the badge shows {text}")

    badge("●")
    link.request("chrome.call", {"path": "storage.local.set", "args": [{"paused": True}]})
    badge("❚❚")
    browser.worker("chrome.storage.local.set({paused: false})")
    badge("●")
    daemon.stop()
    badge("○")
