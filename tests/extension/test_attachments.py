"""Chrome gives an extension one attachment a tab: tasks, CDP programs and callers of chrome.debugger share it, whoever comes or goes first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.link_daemon import LinkedBrowser, Params, RpcError
from tests.support.link_fixtures import browser, daemon, link  # noqa: F401
from tests.support.pages import Pages

LOOP = (
    "const counted = fetch('/count/{name}', {{mode: 'no-cors'}}); const end = performance.now() + {ms}; while (performance.now() < end);"
    "await counted; return 'looped'"
)


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages


@pytest.fixture
def strict(browser: Chromium, site: Pages) -> Iterator[Tab]:
    """A tab whose page, and each of whose seven frames, three of them of another site, lets no text be evaluated."""
    opened = browser.open(site.url("/many-frames-csp"))
    yield opened
    browser.cdp.post("Target.closeTarget", targetId=opened.target)


def value(link: LinkedBrowser, script: str, tab: int, **more: Any) -> Any:
    end = link.run(script, tab, **more)
    assert end["outcome"] == "value", end.get("error")
    return end.get("value")


def attach(link: LinkedBrowser, tab: int) -> Any:
    """As the daemon does for a CDP client."""
    return link.request("debugger.attach", {"tab": tab, "fresh": True})


def send(link: LinkedBrowser, tab: int, method: str, session: str | None = None, **params: Any) -> Any:
    whose = {"session": session} if session else {}
    return link.request("debugger.send", {"tab": tab, **whose, "method": method, "params": params})["value"]


def logged(link: LinkedBrowser, tab: int, text: str) -> list[Any]:
    return [
        event for event in link.heard("debugger.event")
        if event.get("tab") == tab and event["method"] == "Runtime.consoleAPICalled" and event["params"]["args"][0].get("value") == text
    ]  # fmt: skip


def heard(link: LinkedBrowser, tab: int, method: str) -> list[Any]:
    return [event for event in link.heard("debugger.event") if event.get("tab") == tab and event["method"] == method]


def test_tasks_run_in_every_frame_of_a_strict_page_that_a_program_drives_and_it_notices_nothing(
    link: LinkedBrowser, strict: Tab, site: Pages
) -> None:
    tab = strict.id
    attach(link, tab)
    send(link, tab, "Runtime.enable")
    send(link, tab, "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
    children = eventually(lambda: [e for e in heard(link, tab, "Target.attachedToTarget") if e["params"]["targetInfo"]["type"] == "iframe"], 10)
    session = children[0]["params"]["sessionId"]
    send(link, tab, "Runtime.enable", session)
    for world in ("main", "isolated"):
        end = link.run("return [location.host, window.mine ?? null]", tab, frame="all", world=world)
        assert end["outcome"] == "value" and end["injection"] == "debugger", end.get("error")
        hosts = [site.url("").split("/")[2]] * 4 + [site.other("").split("/")[2]] * 3
        assert sorted(host for host, _ in end["value"]) == sorted(hosts)
        assert value(link, "return window === top", tab, world=world) is True
    assert len(heard(link, tab, "Target.attachedToTarget")) == len(children)
    assert not heard(link, tab, "Target.detachedFromTarget") and not heard(link, tab, "Inspector.detached")
    assert not heard(link, tab, "Runtime.executionContextsCleared")
    for text, where in (("top", None), ("child", session)):
        send(link, tab, "Runtime.evaluate", where, expression=f"console.log('{text}')")
        assert eventually(lambda text=text: logged(link, tab, text), 10)  # type: ignore[misc]
    link.request("debugger.detach", {"tab": tab})


def test_a_program_comes_and_goes_while_a_task_has_the_debugger(link: LinkedBrowser, browser: Chromium, strict: Tab, site: Pages) -> None:
    tab = strict.id
    task = link.start(LOOP.format(name="comes", ms=1500), tab)
    assert attach(link, tab) == {}
    assert send(link, tab, "Runtime.evaluate", expression="6 * 7")["result"]["value"] == 42
    assert link.request("debugger.detach", {"tab": tab}) == {}
    end = link.end(task)
    assert (end["outcome"], end.get("value")) == ("value", "looped"), end
    assert_free(browser, tab)


def test_a_task_comes_and_goes_while_a_program_has_the_debugger(link: LinkedBrowser, browser: Chromium, strict: Tab) -> None:
    tab = strict.id
    attach(link, tab)
    send(link, tab, "Runtime.enable")
    assert value(link, "return 1", tab) == 1
    send(link, tab, "Runtime.evaluate", expression="console.log('still')")
    assert eventually(lambda: logged(link, tab, "still"), 10)
    link.request("debugger.detach", {"tab": tab})
    assert_free(browser, tab)
    assert value(link, "return 2", tab) == 2
    assert_free(browser, tab)


@pytest.mark.parametrize("frame", ["main", "all"])
def test_a_task_outlives_a_program_that_attaches_anew(link: LinkedBrowser, browser: Chromium, site: Pages, frame: str) -> None:
    opened = browser.open(site.url("/frames-csp"))
    tab = opened.id
    attach(link, tab)
    name = f"anew-{frame}"
    task = link.start(LOOP.format(name=name, ms=1500), tab, frame=frame)
    assert attach(link, tab) == {}
    assert send(link, tab, "Runtime.evaluate", expression="7")["result"]["value"] == 7
    end = link.end(task)
    assert end["outcome"] == "value", end.get("error")
    assert site.counts[name] == (1 if frame == "main" else 3), "each frame has run it once"
    link.request("debugger.detach", {"tab": tab})
    assert_free(browser, tab)
    opened.close()


#: The commands that fit are cut off when the debugger goes, as Chrome does with those under way: carried out or not.
CUT = """(() => {
    const { sendCommand, detach } = chrome.debugger;
    globalThis.underWay = 0;
    const cut = new Promise((resolve) => (chrome.debugger.detach = (target) => {
        if (target.tabId === TAB) resolve(Object.assign(chrome.debugger, { sendCommand, detach }));
        return detach.call(chrome.debugger, target);
    }));
    chrome.debugger.sendCommand = async (target, name, params) => {
        const fits = target.tabId === TAB && (FITS);
        const asked = !fits || CARRIED ? sendCommand.call(chrome.debugger, target, name, params) : undefined;
        if (!fits) return asked;
        await asked;
        globalThis.underWay++;
        await cut;
        throw new Error("Detached while handling command.");
    };
})()"""

UNDER_WAY = {
    "Page.getFrameTree": "name === 'Page.getFrameTree'",
    "a world in the top": "name === 'Page.createIsolatedWorld' && params.frameId === MAIN",
    "a world in a frame": "name === 'Page.createIsolatedWorld' && params.frameId !== MAIN",
    "DOM.describeNode": "name === 'DOM.describeNode'",
    "DOM.resolveNode": "name === 'DOM.resolveNode'",
    "the script in the top": "name === 'Runtime.evaluate' && params.timeout && params.contextId === undefined",
    "the script in a frame": "name === 'Runtime.evaluate' && params.timeout && params.contextId !== undefined",
}


@pytest.mark.parametrize("carried", [False, True], ids=["unheard", "carried out"])
@pytest.mark.parametrize("under_way", UNDER_WAY)
def test_a_task_begins_once_in_each_frame_whatever_a_program_that_attaches_anew_cuts_off(
    link: LinkedBrowser, browser: Chromium, site: Pages, under_way: str, carried: bool
) -> None:
    opened = browser.open(site.url("/frames-csp"))
    tab = opened.id
    attach(link, tab)
    main = send(link, tab, "Page.getFrameTree")["frameTree"]["frame"]["id"]
    name = f"cut-{list(UNDER_WAY).index(under_way)}-{carried}"
    fits = UNDER_WAY[under_way].replace("MAIN", json.dumps(main))
    browser.worker(CUT.replace("TAB", str(tab)).replace("FITS", fits).replace("CARRIED", str(carried).lower()))
    run: Params = {"task": name, "attempt": 1, "hop": 0, "tab": tab, "frame": "all", "world": "main", "timeout_ms": 8000, "file": "cut.js"}
    link.post("task.start", {**run, "avoid": [], "args": None, "state": None, "script": LOOP.format(name=name, ms=10)})
    eventually(lambda: browser.worker("globalThis.underWay > 0"), 10, "it is under way")
    assert attach(link, tab) == {}
    end = link.end(run)
    assert end["outcome"] == "value" and end["value"] == ["looped"] * 3, end.get("error")
    assert site.counts[name] == 3, "each frame has run it once"
    link.request("debugger.detach", {"tab": tab})
    assert_free(browser, tab)
    opened.close()


def test_a_program_and_a_task_find_each_other_after_the_worker_died(link: LinkedBrowser, browser: Chromium, strict: Tab) -> None:
    tab = strict.id
    attach(link, tab)
    send(link, tab, "Runtime.enable")
    browser.kill_worker()
    assert value(link, "return 3", tab, frame="all") == [3] * 7
    send(link, tab, "Runtime.evaluate", expression="console.log('kept')")
    assert eventually(lambda: logged(link, tab, "kept"), 10)
    link.request("debugger.detach", {"tab": tab})
    assert_free(browser, tab)


def test_nothing_stays_attached_of_a_worker_that_died_while_a_task_had_the_debugger(link: LinkedBrowser, browser: Chromium, strict: Tab, site: Pages) -> None:
    tab = strict.id
    task = link.start(LOOP.format(name="dying", ms=1500), tab)
    link.wait_for("task.started", lambda said: said["task"] == task["task"])
    browser.kill_worker()
    assert link.end(task).get("value") == "looped"
    assert site.counts["dying"] == 1
    assert_free(browser, tab)


def test_a_tab_that_closes_under_both_ends_the_task_and_tells_the_program(link: LinkedBrowser, browser: Chromium, site: Pages) -> None:
    opened = browser.open(site.url("/csp"))
    tab = opened.id
    attach(link, tab)
    task = link.start("await new Promise(() => {})", tab)
    link.wait_for("task.started", lambda said: said["task"] == task["task"])
    opened.close()
    assert link.end(task)["error"]["name"] == "TabClosedError"
    link.wait_for("debugger.event", lambda event: event.get("tab") == tab and event["method"] == "Inspector.detached")
    assert eventually(lambda: tab not in [key for key, *_ in kept(browser)], 10), kept(browser)


def test_a_program_that_calls_chrome_debugger_itself_shares_the_tab_too(link: LinkedBrowser, browser: Chromium, strict: Tab) -> None:
    tab = strict.id

    def call(name: str, *args: object) -> Any:
        return link.request("chrome.call", {"path": f"debugger.{name}", "args": [{"tabId": tab}, *args]})["value"]

    with pytest.raises(RpcError, match="not attached"):
        call("detach")
    assert call("attach", "1.3") is None
    with pytest.raises(RpcError, match="already attached"):
        call("attach", "1.3")
    attach(link, tab)
    assert value(link, "return 4", tab) == 4
    assert call("detach") is None
    assert send(link, tab, "Runtime.evaluate", expression="5")["result"]["value"] == 5
    assert call("attach", "1.3") is None
    link.request("debugger.detach", {"tab": tab})
    assert call("sendCommand", "Runtime.evaluate", {"expression": "6"})["result"]["value"] == 6  # type: ignore[index]
    assert call("detach") is None
    assert_free(browser, tab)


def kept(browser: Chromium) -> list[Any]:
    found = browser.worker("chrome.storage.session.get('attached').then(({attached}) => attached ?? [])")
    return list(found)


def assert_free(browser: Chromium, tab: int) -> None:
    """Nobody has the debugger of the tab: neither by the extension's account nor by Chrome's."""
    refused = f"chrome.debugger.sendCommand({{tabId: {tab}}}, 'Runtime.evaluate', {{expression: '1'}}).then(() => 'attached', e => e.message)"
    eventually(lambda: "not attached" in browser.worker(refused), 10, "the debugger is free")
    assert tab not in [key for key, *_ in kept(browser)]
