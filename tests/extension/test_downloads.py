"""debugger.nameDownloads: what a program wants saved gets a plain name, about which Chrome does not ask; all else is left alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.link_daemon import LinkDaemon, LinkedBrowser
from tests.support.link_fixtures import daemon, link  # noqa: F401
from tests.support.pages import Pages

#: another extension, which names downloads
OTHER_MANIFEST = {
    "manifest_version": 3,
    "name": "other",
    "version": "1",
    "permissions": ["downloads"],
    "background": {"service_worker": "worker.js"},
}
OTHER_WORKER = """chrome.downloads.onDeterminingFilename.addListener((item, suggest) => suggest({ filename: "the others.txt" }));"""
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:  # noqa: F811
    with downloading(daemon, tmp_path_factory.mktemp("profile")) as running:
        yield running


@contextmanager
def downloading(daemon: LinkDaemon, profile: Path, others: Sequence[Path] = ()) -> Iterator[Chromium]:  # noqa: F811
    """Saves into a folder of its own."""
    (profile / "Default").mkdir()
    preferences = {"extensions": {"ui": {"developer_mode": True}}, "download": {"default_directory": str(profile / "saved")}}
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    with Chromium(daemon.address, others=others, profile=profile) as running:
        # One after the other without a click: Chrome would ask whether the site may.
        running.worker("chrome.contentSettings.automaticDownloads.set({primaryPattern: '<all_urls>', setting: 'allow'})")
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as running:
        yield running


@pytest.fixture
def tab(link: LinkedBrowser, browser: Chromium, site: Pages) -> Iterator[Tab]:  # noqa: F811
    opened = telling(link, browser, site)
    yield opened
    opened.close()


def telling(link: LinkedBrowser, browser: Chromium, site: Pages) -> Tab:  # noqa: F811
    """An attached tab whose page tells of downloads."""
    opened = browser.open(site.url("/plain"))
    link.request("debugger.attach", {"tab": opened.id})
    link.request("debugger.send", {"tab": opened.id, "method": "Page.enable"})
    return opened


def saved(browser: Chromium, site: Pages, tab: Tab, name: str, **more: object) -> str:
    """Downloads a file of that name in the tab; under which name Chrome saves it."""
    url = site.url("/file?" + urlencode({"name": name, "type": "application/octet-stream", "number": next(numbers), **more}))
    tab.evaluate(f"void (location.href = {json.dumps(url)})")
    search = f"chrome.downloads.search({{}}).then(all => all.find(item => item.url === {json.dumps(url)} && item.filename)?.filename)"
    found: str = eventually(lambda: browser.worker(search), 15, "it has a place")
    return Path(found).name


def test_a_download_of_an_attached_page_gets_a_plain_name_while_its_link_wants_that(link: LinkedBrowser, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    assert saved(browser, site, tab, "first.tar.bin") == "first.tar.bin"
    assert link.request("debugger.nameDownloads", {"regular": True}) == {}
    assert saved(browser, site, tab, "second.tar.bin") == "second_tar_bin"
    assert saved(browser, site, tab, "n" * 296 + ".crx") == "n" * 50
    assert saved(browser, site, tab, "名 (1).bin").startswith("名_1_bin")
    link.request("debugger.nameDownloads", {"incognito": True})
    assert saved(browser, site, tab, "third.bin") == "third.bin"
    link.request("debugger.nameDownloads", {})
    assert saved(browser, site, tab, "fourth.bin") == "fourth.bin"


def test_the_persons_own_downloads_keep_their_names(link: LinkedBrowser, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    link.request("debugger.nameDownloads", {"regular": True})
    own = browser.open(site.url("/second"))
    assert saved(browser, site, own, "own.bin") == "own.bin"
    assert saved(browser, site, tab, "wanted.bin") == "wanted_bin"
    own.close()
    link.request("debugger.nameDownloads", {})


def test_where_another_extension_may_name_downloads_it_is_left_to_that(site: Pages, tmp_path: Path) -> None:
    other, profile = tmp_path / "other", tmp_path / "profile"
    other.mkdir()
    profile.mkdir()
    (other / "manifest.json").write_text(json.dumps(OTHER_MANIFEST))
    (other / "worker.js").write_text(OTHER_WORKER)
    with LinkDaemon() as daemon, downloading(daemon, profile, [other]) as browser:  # noqa: F811
        first = daemon.wait_link()
        browser.reload_extension()  # of two that name a download Chrome hears the one that was loaded last
        eventually(lambda: daemon.wait_link() is not first, 15, "another link")
        link = daemon.wait_link()  # noqa: F811
        tab = telling(link, browser, site)  # noqa: F811
        link.request("debugger.nameDownloads", {"regular": True})
        eventually(lambda: [line for line in daemon.lines if "“other”" in line["text"]], 10, "the log says it")
        own = browser.open(site.url("/second"))
        assert saved(browser, site, own, "own.bin") == "the others.txt"
        assert saved(browser, site, tab, "wanted.bin") == "the others (1).txt"
        browser.worker("chrome.management.getAll().then(all => chrome.management.setEnabled(all.find(each => each.name === 'other').id, false))")
        eventually(lambda: browser.worker("chrome.downloads.onDeterminingFilename.hasListeners()"), 10, "it has gone")
        assert saved(browser, site, tab, "wanted.bin") == "wanted_bin"


def test_a_worker_that_was_killed_goes_on_with_it(link: LinkedBrowser, browser: Chromium, site: Pages, tab: Tab) -> None:  # noqa: F811
    link.request("debugger.nameDownloads", {"regular": True})
    browser.kill_worker()
    assert saved(browser, site, tab, "after.bin") == "after_bin"
    link.request("debugger.nameDownloads", {})
    browser.kill_worker()
    assert saved(browser, site, tab, "at_last.bin") == "at_last.bin"
    eventually(lambda: not browser.worker("chrome.downloads.onDeterminingFilename.hasListeners()"), 10, "nobody listens")


def test_it_ends_with_the_link(link: LinkedBrowser, daemon: LinkDaemon, browser: Chromium, site: Pages) -> None:  # noqa: F811
    link.request("debugger.nameDownloads", {"regular": True})
    assert browser.worker("chrome.downloads.onDeterminingFilename.hasListeners()")
    link.cut()
    eventually(lambda: daemon.wait_link() is not link, 15, "another link")
    eventually(lambda: not browser.worker("chrome.downloads.onDeterminingFilename.hasListeners()"), 10, "nobody listens")
    assert browser.worker("chrome.storage.session.get('namingDownloads').then(Object.keys)") == []
