"""A disk that refuses what the extension keeps: the log, the badge and the popup say it, and work goes on."""

from __future__ import annotations

from pathlib import Path

from tests.support.chromium import Chromium, eventually
from tests.support.disk import fill, small_disk_at
from tests.support.link_daemon import LinkDaemon
from tests.support.pages import Pages


def test_a_full_disk_is_said_to_daemon_and_person_and_its_end_too(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text('{"extensions": {"ui": {"developer_mode": true}}}')
    with small_disk_at(profile / "Default" / "IndexedDB") as disk, Pages() as site, LinkDaemon() as daemon, Chromium(daemon.address, profile=profile) as browser:
        link = daemon.wait_link()
        tab = browser.open(site.url("/plain"))
        popup = browser.popup()
        fill(disk / "filler")
        daemon.hold("task.finish")
        link.start("return 'x'.repeat(2e6)", tab.id)
        said = eventually(lambda: [line for line in daemon.lines if "disk refuses" in line["text"]], 15, "the log says it")
        assert len(said) == 1 and said[0]["level"] == "error"
        eventually(lambda: "disk refuses" in (popup.glance("document.querySelector('#troubles').innerText") or ""), 10)
        eventually(lambda: browser.worker("chrome.action.getBadgeText({})") == "!", 10, "the badge says it")
        assert link.request("link.ping") == {}
        (disk / "filler").unlink()
        daemon.release("task.finish")

        def over() -> bool:
            link.run("return 'y'", tab.id)  # which is logged, and so kept
            return any("takes again" in line["text"] for line in daemon.lines)

        eventually(over, 20, "its end is said")
        eventually(lambda: browser.worker("chrome.action.getBadgeText({})") != "!", 10, "the badge is as before")


def test_without_a_database_the_extension_says_it_and_is_there_all_the_same(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "IndexedDB").write_text("no folder")
    with LinkDaemon() as daemon, Chromium(daemon.address, profile=profile) as browser:
        browser.wait_extension()
        popup = browser.popup()
        eventually(lambda: "disk refuses" in (popup.glance("document.querySelector('#troubles').innerText") or ""), 15)
        eventually(lambda: browser.worker("chrome.action.getBadgeText({})") == "!", 10, "the badge says it")
        eventually(lambda: "could not be prepared" in (popup.glance("document.querySelector('#lines').innerText") or ""), 10)


def test_a_database_that_fails_at_the_browsers_start_is_tried_again_until_the_link_stands(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    in_the_way = profile / "Default" / "IndexedDB"
    in_the_way.write_text("no folder")
    with LinkDaemon() as daemon, Chromium(daemon.address, profile=profile) as browser:
        popup = browser.popup()
        eventually(lambda: "could not be prepared" in (popup.glance("document.querySelector('#lines').innerText") or ""), 20)
        in_the_way.unlink()
        link = daemon.wait_link()
        assert browser.stored("links")[0]["address"] == daemon.address
        with Pages() as site:
            assert link.run("return 1 + 1", browser.open(site.url("/plain")).id)["value"] == 2
