"""The page goes away under a CDP client: what Chrome tells of it, and what it leaves unanswered, answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cdp_client import Client, Page
from chromium import CdpError, Chromium, Tab, eventually
from daemon import Daemon
from pages import Pages
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path_factory.mktemp("pages") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: Daemon) -> Iterator[Chromium]:
    with Chromium(daemon=daemon.url) as running:
        daemon.wait_for_browser()
        yield running


@pytest.fixture
def client(daemon: Daemon, browser: Chromium) -> Iterator[Client]:
    made = Client(daemon)
    made.call("Target.setDiscoverTargets", discover=True)
    yield made
    made.close()


def opened(client: Client, url: str) -> Page:
    page = client.page(url).enable("Page", "Runtime", "Inspector").loaded()
    page("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
    return page


def by_hand(browser: Chromium, target: str) -> Tab:
    return Tab(browser, target)


def never(client: Client, page: Page):  # noqa: ANN201
    """A command that the page does not answer; it has reached it."""
    asked = client.post("Runtime.evaluate", page.session, expression="new Promise(() => {})", awaitPromise=True)
    page.evaluate("1")
    return asked


def becomes(page: Page, expression: str, value: str) -> None:
    """Waits while the page comes, which ends what it is asked meanwhile."""
    eventually(lambda: page.client.glance(page.session, expression) == value, 15, f"{expression} is {value}")


def test_a_killed_renderer_ends_what_was_asked_and_a_reload_revives_it(client: Client, browser: Chromium, site: Pages) -> None:
    page = opened(client, site.url("/plain"))
    asked = [never(client, page) for _ in range(3)]
    by_hand(browser, page.target).kill_renderer()
    for one in asked:
        with pytest.raises(CdpError, match="^Target crashed$"):
            one.result(10)
    page.wait_told("Inspector.targetCrashed")
    assert client.wait_told("Target.targetCrashed")["targetId"] == page.target
    after = client.post("Runtime.evaluate", page.session, expression="1")
    page("Page.reload")
    assert page.loaded().evaluate("document.title") == "Plain"
    with pytest.raises(CdpError, match="^Target crashed$"):  # raw Chrome answers so too, at the reload
        after.result(10)
    page.wait_told("Inspector.targetReloadedAfterCrash")
    client.call("Target.closeTarget", targetId=page.target)


def test_playwright_hears_of_the_crash_and_can_go_on(daemon: Daemon, browser: Chromium, site: Pages) -> None:
    with sync_playwright() as playwright:
        program = playwright.chromium.connect_over_cdp(daemon.url)
        page = program.contexts[0].new_page()
        page.goto(site.url("/plain?crash"))
        crashes: list[str] = []
        page.on("crash", lambda crashed: crashes.append(crashed.url))
        target = next(tab for tab in browser.tabs() if tab.url.endswith("/plain?crash"))
        target.kill_renderer()
        with pytest.raises(PlaywrightError, match="crashed|Execution context was destroyed"):
            page.evaluate("new Promise(() => {})")
        assert crashes
        page.close()
        other = program.contexts[0].new_page()
        assert other.goto(site.url("/second")).status == 200
        other.close()
        program.close()


def test_a_killed_renderer_of_a_frame_leaves_its_page_at_work(client: Client, browser: Chromium, site: Pages) -> None:
    page = opened(client, site.url("/frames"))
    said = page.wait_told("Target.attachedToTarget")
    frame = Page(client, said["targetInfo"]["targetId"], said["sessionId"]).enable("Runtime", "Inspector")
    asked = never(client, frame)
    with browser.cdp.attached(frame.target) as session:
        browser.cdp.post("Page.crash", session)
        with pytest.raises(CdpError, match="^Target crashed$"):
            asked.result(10)
    frame.wait_told("Inspector.targetCrashed")
    assert client.wait_told("Target.targetCrashed")["targetId"] == frame.target
    assert page.evaluate("document.title") == "Frames"
    page.evaluate("document.querySelector('[name=other]').src += '?again'")
    frame.wait_told("Inspector.targetReloadedAfterCrash")
    becomes(frame, "location.search", "?again")
    client.call("Target.closeTarget", targetId=page.target)


def test_a_discarded_tab_is_a_new_target_that_works_when_it_is_used(client: Client, browser: Chromium, site: Pages) -> None:
    page = opened(client, site.url("/no-store"))
    front = opened(client, site.url("/second"))
    client.call("Target.activateTarget", targetId=front.target)
    asked = never(client, page)
    since = len(client.events)
    number = by_hand(browser, page.target).id
    browser.worker(f"chrome.tabs.discard({number}).then(() => true)")
    with pytest.raises(CdpError, match="navigated or closed|Detached while handling command"):
        asked.result(10)
    assert client.wait_told("Target.detachedFromTarget", since=since)["targetId"] == page.target
    assert client.wait_told("Target.targetDestroyed", since=since)["targetId"] == page.target
    made = client.wait_told("Target.targetCreated", since=since, where=lambda p: p["targetInfo"]["url"] == site.url("/no-store"))
    with pytest.raises(CdpError, match="Session with given id not found"):
        page("Runtime.evaluate", expression="1")
    new = made["targetInfo"]["targetId"]
    again = Page(client, new, client.call("Target.attachToTarget", targetId=new, flatten=True)["sessionId"])
    assert again.evaluate("document.title") == "No store"
    for one in (new, front.target):
        client.call("Target.closeTarget", targetId=one)


def test_a_move_to_another_process_keeps_the_session_and_ends_what_was_asked(client: Client, site: Pages, browser: Chromium) -> None:
    page = opened(client, site.url("/plain"))
    asked = never(client, page)
    page("Page.navigate", url=site.other("/second"))
    with pytest.raises(CdpError, match="^Inspected target navigated or closed$"):
        asked.result(10)
    assert page.loaded().evaluate("document.title") == "Second"
    client.call("Target.closeTarget", targetId=page.target)


def test_a_pdf_can_be_looked_at_and_left_again(client: Client, site: Pages, browser: Chromium) -> None:
    page = opened(client, site.url("/plain"))
    page("Page.navigate", url=site.url("/pdf"))
    becomes(page, "document.contentType", "application/pdf")
    page("Page.navigate", url=site.url("/third"))
    becomes(page, "document.title", "Third")
    client.call("Target.closeTarget", targetId=page.target)


def test_a_closed_tab_answers_what_was_asked(client: Client, browser: Chromium, site: Pages) -> None:
    page = opened(client, site.url("/plain"))
    asked = never(client, page)
    by_hand(browser, page.target).close()
    with pytest.raises(CdpError, match="^Inspected target navigated or closed$"):
        asked.result(10)
    assert client.wait_told("Target.targetDestroyed", where=lambda p: p["targetId"] == page.target)
