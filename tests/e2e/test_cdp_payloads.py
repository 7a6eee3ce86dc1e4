"""Large, slow and wrong messages all the way from client to page. What raw Chromium says to a wrong one is asked in the same test."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import Cdp, Chromium, eventually
from daemon import Daemon
from pages import Pages
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

MB = 1 << 20
#: seconds for 200 MB: how fast they go depends on the machine alone, and 176 were seen on a busy one
PATIENCE = 600


def socket_to(url: str, **options: Any) -> ClientConnection:
    return connect(url.replace("http://", "ws://") + "/", max_size=None, compression=None, proxy=None, ping_interval=None, **options)


@pytest.fixture
def attached(daemon: Daemon, browser: Chromium, site: Pages) -> Iterator[tuple[Cdp, str, str]]:
    """A client, the session of a page of its own, the page's target."""
    client = Cdp(daemon.url.replace("http://", "ws://") + "/")
    target = client.call("Target.createTarget", url=site.url("/plain"))["targetId"]
    session = client.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    eventually(lambda: client.glance(session, "document.title") == "Plain", 15)
    yield client, session, target
    client.close()
    last = Cdp(daemon.url.replace("http://", "ws://") + "/")
    last.call("Target.closeTarget", targetId=target)
    last.close()


def memory_of(daemon: Daemon) -> int:
    """The most bytes the daemon has held so far."""
    for line in open(f"/proc/{daemon.pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


@pytest.mark.slow
def test_a_result_of_200_mb_arrives_whole(daemon: Daemon, attached: tuple[Cdp, str, str]) -> None:
    client, session, _ = attached
    value = client.evaluate(session, "'x'.repeat(200 * 1024 * 1024) + 'end'", PATIENCE)
    assert len(value) == 200 * MB + 3 and value.endswith("xend")
    assert memory_of(daemon) < 2_000 * MB
    assert client.evaluate(session, "40 + 2") == 42


@pytest.mark.slow
def test_params_of_200_mb_arrive_whole(daemon: Daemon, attached: tuple[Cdp, str, str]) -> None:
    client, session, _ = attached
    assert client.evaluate(session, "'" + "y" * (200 * MB) + "'.length", PATIENCE) == 200 * MB
    assert memory_of(daemon) < 2_000 * MB
    assert client.evaluate(session, "40 + 2") == 42


def test_a_message_over_the_limit_ends_its_socket_with_1009_and_no_other(daemon: Daemon, attached: tuple[Cdp, str, str]) -> None:
    client, session, _ = attached
    with socket_to(daemon.url) as large:
        large.send('{"id":1,"method":"Browser.getVersion","params":{}}')
        large.recv(10)
        with pytest.raises(ConnectionClosed) as closed:
            large.send('{"id":2,"method":"Runtime.evaluate","params":{"expression":"' + "z" * (300 * MB) + '"}}')
            large.recv(60)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
        assert large.close_code in (1009, 1006)
    assert client.evaluate(session, "40 + 2") == 42


def test_a_screenshot_of_a_megabyte(attached: tuple[Cdp, str, str]) -> None:
    client, session, _ = attached
    draw = """
        const canvas = document.createElement('canvas'); canvas.width = canvas.height = 900;
        const pen = canvas.getContext('2d'), image = pen.createImageData(900, 900);
        for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
        pen.putImageData(image, 0, 0); document.body.replaceChildren(canvas); 1"""
    client.evaluate(session, draw)
    clip = {"x": 0, "y": 0, "width": 900, "height": 900, "scale": 1}
    picture = base64.b64decode(client.call("Page.captureScreenshot", session, format="png", clip=clip, captureBeyondViewport=True)["data"])
    assert picture.startswith(b"\x89PNG") and len(picture) > MB


#: "SESSION" stands for that of a page
WRONG = (
    "{",
    "not json at all",
    "[]",
    '"text"',
    "null",
    "{}",
    '{"id":1}',
    '{"id":"1","method":"Runtime.evaluate"}',
    '{"id":1.5,"method":"Runtime.evaluate"}',
    '{"id":1,"method":7}',
    '{"id":1,"method":""}',
    '{"method":"Runtime.evaluate"}',
    '{"id":1,"method":"Runtime.evaluate","params":7}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"none","params":{}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":7,"params":{}}',
    '{"id":1,"method":"No.such","params":{}}',
    '{"id":1,"method":"nodot","params":{}}',
    '{"id":1,"method":"Target.noSuch","params":{}}',
    '{"id":1,"method":"Target.attachToTarget","params":{"targetId":"none","flatten":true}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{"expression":7}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{"expression":"1","contextId":99999}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION"}',
    '{"id":1,"method":"Runtime.noSuch","sessionId":"SESSION","params":{}}',
    '{"id":1,"method":"Page.navigate","sessionId":"SESSION","params":{"url":"no address"}}',
    '{"id":1,"method":"DOM.describeNode","sessionId":"SESSION","params":{"backendNodeId":987654}}',
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{"expression":"1","deep":' + "[" * 100_000 + "]" * 100_000 + "}}",
    '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{"expression":"1"}} trailing',
)


def answer_to(url: str, text: str) -> Any:
    """What an end says to one wrong message, and that it goes on answering after it."""
    with connect(url, max_size=None, compression=None, proxy=None, ping_interval=None) as socket:

        def ask(message: dict[str, Any]) -> Any:
            socket.send(json.dumps(message))
            while "id" not in (said := json.loads(socket.recv(10))) or said["id"] != message["id"]:
                pass
            return said["result"]

        target = ask({"id": 900, "method": "Target.createTarget", "params": {"url": "about:blank"}})["targetId"]
        session = ask({"id": 901, "method": "Target.attachToTarget", "params": {"targetId": target, "flatten": True}})["sessionId"]
        ask({"id": 902, "method": "Runtime.evaluate", "sessionId": session, "params": {"expression": "1"}})
        socket.send(text.replace("SESSION", session))
        socket.send(json.dumps({"id": 999, "method": "Browser.getVersion", "params": {}}))
        said: list[Any] = []
        done = 0
        while done < 1 or (not said and done < 2):
            try:
                message = json.loads(socket.recv(5 if done else 20))
            except TimeoutError:
                break
            if message.get("id") == 999:
                done = 1
            elif "method" not in message:
                said.append({key: value for key, value in message.items() if key != "sessionId"})
        assert done, "it goes on answering"
        ask({"id": 903, "method": "Target.closeTarget", "params": {"targetId": target}})
        return said


def plain(said: list[Any]) -> list[Any]:
    """Where in a text a JSON parser stumbled, and in which bytes a field was missed, each parser counts for itself."""
    for message in said:
        error = message.get("error", {})
        error.pop("data", None)
        if error.get("code") == -32700:
            error["message"] = error["message"][:6]
    return said


@pytest.fixture(scope="module")
def raw() -> Iterator[str]:
    with Chromium(extension=False) as browser:
        port, path = (browser.profile / "DevToolsActivePort").read_text().split("\n")[:2]
        yield f"ws://127.0.0.1:{port}{path}"


@pytest.mark.parametrize("text", WRONG, ids=[f"{text[:90]}…{len(text)}" for text in WRONG])
def test_a_wrong_message_is_answered_in_chromes_words(daemon: Daemon, browser: Chromium, raw: str, text: str) -> None:
    assert plain(answer_to(daemon.url.replace("http://", "ws://") + "/", text)) == plain(answer_to(raw, text))


@pytest.mark.parametrize("params", ['{"targetId":7,"flatten":true}', "{}"])
def test_wrong_params_of_a_method_of_ours_are_refused_and_lose_nothing(daemon: Daemon, browser: Chromium, params: str) -> None:
    said = answer_to(daemon.url.replace("http://", "ws://") + "/", f'{{"id":1,"method":"Target.attachToTarget","params":{params}}}')
    assert len(said) == 1 and said[0]["id"] == 1 and "error" in said[0]


def test_what_chrome_itself_finds_too_deep_reaches_the_page_all_the_same(daemon: Daemon, browser: Chromium) -> None:
    deep = '{"id":1,"method":"Runtime.evaluate","sessionId":"SESSION","params":{"expression":"1","deep":' + "[" * 900 + "]" * 900 + "}}"
    said = answer_to(daemon.url.replace("http://", "ws://") + "/", deep)
    assert len(said) == 1 and said[0]["id"] == 1


@pytest.mark.slow
def test_no_command_has_a_time_limit_of_ours(attached: tuple[Cdp, str, str]) -> None:
    client, session, _ = attached
    begun = time.monotonic()
    assert client.evaluate(session, "new Promise(done => setTimeout(() => done('late'), 45000))", 60) == "late"
    assert time.monotonic() - begun >= 45
