"""Downloads of a CDP client that Chrome would ask the person about or cannot name; the person's own stay as they were."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chromium import Cdp, Chromium, Tab, eventually
from daemon import Daemon
from pages import Pages

KINDS = {
    "plain": ("report.pdf.bin", "application/octet-stream"),
    "long": ("n" * 296 + ".bin", "application/octet-stream"),
    "long, of three bytes each": ("名" * 120 + ".bin", "application/octet-stream"),
    "extension": ("x.crx", "application/octet-stream"),
    "program": ("setup.exe", "application/x-msdownload"),
    "package": ("x.deb", "application/vnd.debian.binary-package"),
    "script": ("run.sh", "text/x-sh"),
    "of dots": ("..", "application/octet-stream"),
    "hidden": (".htaccess", "application/octet-stream"),
    "without a name": ("", "application/octet-stream"),
}
numbers = itertools.count(1)


def address(site: Pages, kind: str) -> str:
    name, mime = KINDS[kind]
    return site.url("/file?" + urlencode({"name": name, "type": mime, "number": next(numbers)}))


class Program:
    """A CDP client that wants downloads in its folder, and one page of it."""

    def __init__(self, daemon: Daemon, folder: Path, tab: Tab, behavior: str = "allowAndName") -> None:
        self.cdp = Cdp(f"{daemon.url.replace('http', 'ws')}/cdp")
        self.folder = folder
        self.session = self.cdp.call("Target.attachToTarget", targetId=tab.target, flatten=True)["sessionId"]
        self.cdp.call("Log.enable", self.session)
        self.cdp.call("Browser.setDownloadBehavior", behavior=behavior, downloadPath=str(folder), eventsEnabled=True)
        self.cdp.evaluate(self.session, "1")  # attached

    def begin(self, url: str) -> None:
        self.cdp.call("Runtime.evaluate", self.session, expression=f"void (location.href = {json.dumps(url)})", userGesture=True)

    def told(self, method: str, fits: Callable[[dict[str, Any]], Any] = lambda _: True) -> list[dict[str, Any]]:
        return [params for _, said, params in list(self.cdp.events) if said == method and fits(params)]

    def end(self, url: str, timeout: float = 20) -> tuple[dict[str, Any], dict[str, Any]]:
        """How the download of that address began and ended."""
        began = eventually(lambda: self.told("Browser.downloadWillBegin", lambda p: p["url"] == url), timeout, "it begins")[0]
        ended = eventually(lambda: self.told("Browser.downloadProgress", lambda p: p["guid"] == began["guid"] and p["state"] != "inProgress"), timeout, "it ends")
        return began, ended[0]

    def warnings(self) -> list[str]:
        return [params["entry"]["text"] for params in self.told("Log.entryAdded") if params["entry"]["text"].startswith("any: ")]


@pytest.fixture
def tab(browser: Chromium, site: Pages) -> Iterator[Tab]:
    opened = browser.open(site.url("/plain"))
    yield opened
    opened.close()


@pytest.fixture
def program(daemon: Daemon, tab: Tab, tmp_path: Path) -> Iterator[Program]:
    made = Program(daemon, tmp_path / "wanted", tab)
    yield made
    made.cdp.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_download_of_any_kind_is_saved_without_asking(program: Program, site: Pages, kind: str) -> None:
    url = address(site, kind)
    program.begin(url)
    began, ended = program.end(url)
    assert ended["state"] == "completed", (ended, program.warnings())
    assert (program.folder / began["guid"]).read_bytes() == b"bytes of a file"


@pytest.mark.parametrize("kind", ["plain", "long", "long, of three bytes each", "extension"])
def test_it_has_its_own_name_where_the_client_wants_that(daemon: Daemon, tab: Tab, site: Pages, tmp_path: Path, kind: str) -> None:
    program = Program(daemon, tmp_path / "named", tab, "allow")
    url = address(site, kind)
    program.begin(url)
    began, ended = program.end(url)
    assert ended["state"] == "completed", (ended, program.warnings())
    file = Path(ended["filePath"])
    assert file.parent == program.folder and file.read_bytes() == b"bytes of a file"
    stem, _, ending = KINDS[kind][0].rpartition(".")
    assert file.name.endswith("." + ending) and stem.startswith(file.name.removesuffix("." + ending))
    if len(KINDS[kind][0]) < 50:
        assert file.name == KINDS[kind][0] == began["suggestedFilename"]
    program.cdp.close()


def test_one_that_chrome_takes_for_itself_says_so(program: Program, site: Pages) -> None:
    url = site.url("/file?" + urlencode({"name": "x.crx", "type": "application/x-chrome-extension", "number": next(numbers)}))
    program.begin(url)
    assert program.end(url)[1]["state"] == "canceled"
    assert any("cannot be moved" in text for text in program.warnings())


def newest(browser: Chromium, url: str) -> dict[str, Any]:
    """What chrome.downloads knows of it once its place is certain or it has ended."""
    search = f"chrome.downloads.search({{}}).then(all => all.find(item => item.url === {json.dumps(url)} && (item.filename || item.state !== 'in_progress')) ?? null)"
    found: dict[str, Any] = eventually(lambda: browser.worker(search), 15, "the person's download has its place")
    return found


def test_a_download_of_the_persons_own_is_left_alone_while_a_client_wants_downloads(program: Program, browser: Chromium, site: Pages) -> None:
    url = address(site, "plain")
    program.begin(url)
    program.end(url)
    own = browser.open(site.url("/second"))
    url = address(site, "plain")
    own.evaluate(f"void (location.href = {json.dumps(url)})")
    assert Path(newest(browser, url)["filename"]).name.startswith("report.pdf")
    assert not program.told("Browser.downloadWillBegin", lambda p: p["url"] == url)
    own.close()


def listens(browser: Chromium) -> bool:
    return bool(browser.worker("chrome.downloads.onDeterminingFilename.hasListeners()"))


def test_chrome_is_asked_about_names_only_while_a_client_wants_downloads(daemon: Daemon, browser: Chromium, tab: Tab, tmp_path: Path) -> None:
    eventually(lambda: not listens(browser), 10, "nobody wants downloads")
    program = Program(daemon, tmp_path / "wanted", tab)
    eventually(lambda: listens(browser), 10, "a client wants them")
    program.cdp.call("Browser.setDownloadBehavior", behavior="deny")
    eventually(lambda: not listens(browser), 10, "it wants none")
    program.cdp.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    eventually(lambda: listens(browser), 10, "it wants them again")
    program.cdp.close()
    eventually(lambda: not listens(browser), 10, "it has gone")


def test_they_are_saved_after_the_death_of_the_worker_too(program: Program, browser: Chromium, site: Pages) -> None:
    browser.kill_worker()
    url = address(site, "extension")
    program.begin(url)
    assert program.end(url)[1]["state"] == "completed"


def test_a_person_who_wants_to_be_asked_is_asked_and_the_client_is_told_what_hinders(binary: str, site: Pages, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    preferences = {"extensions": {"ui": {"developer_mode": True}}, "download": {"prompt_for_download": True}}
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    # Without a screen Chrome cannot ask, and cancels.
    with Daemon(state_dir=tmp_path / "state") as daemon, Chromium(daemon=daemon.url, profile=profile) as browser:
        daemon.wait_for_browser()
        program = Program(daemon, tmp_path / "wanted", browser.open(site.url("/plain")))
        url = address(site, "plain")
        program.begin(url)
        assert program.end(url)[1]["state"] == "canceled"
        said = eventually(program.warnings, 10, "it is told why")
        assert "report.pdf.bin" in said[0] and "chrome://settings/downloads" in said[0]
        program.cdp.close()
