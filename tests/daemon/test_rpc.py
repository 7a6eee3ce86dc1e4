"""The RPC socket: the same methods as REST, many in flight, and notifications."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from daemon import Daemon
from link_client import LinkClient
from rpc_socket import RpcError, RpcSocket


@pytest.fixture
def rpc(daemon: Daemon) -> Iterator[RpcSocket]:
    with RpcSocket(daemon.port) as running:
        yield running


@pytest.fixture
def browser(daemon: Daemon) -> Iterator[LinkClient]:
    with LinkClient(daemon.url, label="work") as running:
        daemon.wait_for_browser()
        yield running


def failed(rpc: RpcSocket, method: str, **params: object) -> RpcError:
    with pytest.raises(RpcError) as caught:
        rpc.call(method, **params)
    return caught.value


def kinds(rpc: RpcSocket, task: str) -> list[str]:
    return [p["kind"] for m, p in rpc.notifications if m == "task.event" and p["task"] == task and p["kind"] != "waiting"]


def test_both_doors_answer_alike(daemon: Daemon, rpc: RpcSocket, browser: LinkClient) -> None:
    record = rpc.call("tasks.submit", script="return 1", id="same", labels={"a": "b"})
    browser.run(browser.next_start(), [1])
    record = rpc.call("tasks.get", id="same", wait=20)
    assert record == daemon.request("GET", "/v1/tasks/same")[1]
    assert rpc.call("tasks.list", label="a:b") == daemon.request("GET", "/v1/tasks?label=a:b")[1]
    assert rpc.call("tasks.list", label={"a": "c"})["tasks"] == []
    mine, theirs = rpc.call("browsers.list")["browsers"], daemon.request("GET", "/v1/browsers")[1]["browsers"]
    assert [{**b, "last_seen": 0} for b in mine] == [{**b, "last_seen": 0} for b in theirs]
    assert rpc.call("browsers.chrome", id="work", path="runtime.getManifest")["result"] == ["runtime.getManifest", []]
    assert rpc.call("browsers.label", id="work", label="home")["label"] == "home"
    assert rpc.call("health")["pid"] == daemon.pid
    assert rpc.call("logs.list", limit=1)["lines"]
    missing = failed(rpc, "tasks.get", id="none")
    assert missing.data == daemon.request("GET", "/v1/tasks/none")[1]["error"]
    assert missing.code == -32000


def test_errors_have_the_codes_of_json_rpc(daemon: Daemon, rpc: RpcSocket) -> None:
    unknown = failed(rpc, "tasks.fly")
    assert unknown.code == -32601 and "tasks.fly" in str(unknown)
    wrong = failed(rpc, "tasks.submit", script="x", colour="red")
    assert (wrong.code, wrong.name, wrong.data["path"]) == (-32602, "BadRequestError", "colour")
    assert failed(rpc, "health", pretty=True).code == -32602
    assert failed(rpc, "tasks.get").data["path"] == "id"
    for text, code in (
        ("{", -32700),
        ('{"jsonrpc":"2.0","id":1,"id":2,"method":"health"}', -32700),
        ("[" * 20_000 + "]" * 20_000, -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"health","params":' + "[" * 20_000 + "]" * 20_000 + "}", -32700),
        ('[{"jsonrpc":"2.0","id":1,"method":"health"}]', -32600),
        ('"health"', -32600),
        ('{"id":"a","method":7}', -32600),
    ):
        rpc.raw(text)
        answer = rpc.read()
        assert answer["error"]["code"] == code, (text[:60], answer)
        assert answer["error"]["message"]
    rpc.raw('{"jsonrpc":"2.0","id":"s","method":"tasks.get","params":[1]}')
    assert rpc.read()["error"]["code"] == -32602
    assert rpc.call("health")["ok"]  # the socket lives on


def test_a_notification_is_done_and_not_answered(rpc: RpcSocket) -> None:
    rpc.raw(json.dumps({"jsonrpc": "2.0", "method": "tasks.submit", "params": {"script": "x", "id": "quiet"}}))
    end = time.monotonic() + 10
    while not rpc.call("tasks.list")["tasks"]:
        assert time.monotonic() < end
    assert all("id" not in message or "result" in message for message in rpc.seen)


def test_answers_come_as_they_are_ready(rpc: RpcSocket, browser: LinkClient) -> None:
    rpc.call("tasks.submit", script="x", id="long")
    start = browser.next_start()
    waiting = [rpc.send("tasks.get", id="long", wait=60) for _ in range(200)]
    begun = time.monotonic()
    assert rpc.call("health")["ok"]
    assert time.monotonic() - begun < 5
    browser.run(start, "late")
    assert [rpc.answer(number)["result"] for number in waiting] == ["late"] * 200


def test_submit_may_wait_for_the_end(rpc: RpcSocket, browser: LinkClient) -> None:
    number = rpc.send("tasks.submit", script="x", wait=30)
    browser.run(browser.next_start(), 5)
    assert rpc.answer(number)["result"] == 5


def test_watching_tells_every_event_once_after_the_answer(rpc: RpcSocket, browser: LinkClient) -> None:
    rpc.call("tasks.submit", script="x", id="w")
    start = browser.next_start()
    number = rpc.send("tasks.watch", id="w")
    assert rpc.answer(number) == {"watching": True}
    assert [message for message in rpc.seen if "method" in message] == [], "events came before the answer"
    browser.accept(start)
    browser.started(start)
    browser.event(start, "progress", value=1)
    browser.finish(start, value=1)
    end = rpc.until("task.event", task="w", kind="end")
    assert end["state"] == "completed"
    assert kinds(rpc, "w") == ["queued", "dispatched", "started", "progress", "end"]
    seqs = [p["seq"] for _, p in rpc.notifications if p["kind"] != "waiting"]
    assert seqs == [1, 2, 3, 4, 5]
    # A task that has ended is told whole, from wherever one asks.
    rpc.notifications.clear()
    assert rpc.call("tasks.watch", id="w", after=3) == {"watching": True}
    rpc.until("task.event", task="w", kind="end")
    assert kinds(rpc, "w") == ["progress", "end"]


def test_submit_may_watch_from_the_first_event(rpc: RpcSocket, browser: LinkClient) -> None:
    record = rpc.call("tasks.submit", script="x", id="both", watch=True)
    assert record["id"] == "both"
    browser.run(browser.next_start(), 1)
    rpc.until("task.event", task="both", kind="end")
    assert kinds(rpc, "both") == ["queued", "dispatched", "started", "end"]


def test_submit_that_watches_and_waits_tells_events_before_its_answer(rpc: RpcSocket, browser: LinkClient) -> None:
    number = rpc.send("tasks.submit", script="x", id="wait", watch=True, wait=30)
    start = browser.next_start()
    rpc.until("task.event", task="wait", kind="dispatched")
    browser.run(start, 1)
    assert rpc.answer(number)["result"] == 1
    rpc.until("task.event", task="wait", kind="end")


def test_unwatch_ends_it(rpc: RpcSocket, browser: LinkClient) -> None:
    rpc.call("tasks.submit", script="x", id="u", watch=True)
    start = browser.next_start()
    rpc.until("task.event", task="u", kind="dispatched")
    rpc.call("tasks.unwatch", id="u")
    rpc.notifications.clear()
    browser.run(start, 1)
    assert rpc.call("tasks.get", id="u", wait=20)["state"] == "completed"
    assert kinds(rpc, "u") == []
    assert failed(rpc, "tasks.watch", id="none").name == "NotFoundError"


def test_log_lines_are_told_as_they_come(daemon: Daemon, rpc: RpcSocket, browser: LinkClient) -> None:
    assert rpc.call("logs.watch", since=0) == {"watching": True}
    browser.call("log", {"lines": [{"n": 1, "time": "2026-01-31T09:00:00.000Z", "level": "info", "text": "black box"}]})
    line = rpc.until("log.line", text="black box")
    assert (line["source"], line["browser"]) == ("extension", browser.browser)
    seqs = [params["seq"] for method, params in rpc.notifications if method == "log.line"]
    assert seqs == sorted(set(seqs))


def test_waiting_for_a_browser(daemon: Daemon, rpc: RpcSocket) -> None:
    begun = time.monotonic()
    assert failed(rpc, "browsers.wait", timeout=0.3).name == "NoBrowserError"
    assert time.monotonic() - begun < 5
    number = rpc.send("browsers.wait", timeout=30)
    with LinkClient(daemon.url, label="late"):
        assert rpc.answer(number)["label"] == "late"


@pytest.mark.waits
def test_a_socket_that_ends_leaves_nothing_behind(daemon: Daemon) -> None:
    sockets = [RpcSocket(daemon.port) for _ in range(20)]
    for number, socket in enumerate(sockets):
        socket.call("tasks.submit", script="x", id=f"s{number}", watch=True, queue_timeout=None)
        socket.send("tasks.get", id=f"s{number}", wait=300)
        socket.call("logs.watch")
    for socket in sockets:
        socket.__exit__()
    end = time.monotonic() + 10
    while "any_streams 0\n" not in daemon.request("GET", "/metrics")[1]:
        assert time.monotonic() < end, "the daemon still holds streams of sockets that have ended"
    assert daemon.health()["tasks"]["queued"] == 20
    daemon.request("POST", "/v1/tasks/s0/cancel")  # wakes what waited for it on a dead socket
    assert daemon.health()["ok"]


def test_too_many_unanswered_requests_are_refused_one_by_one(rpc: RpcSocket) -> None:
    rpc.call("tasks.submit", script="x", id="never", queue_timeout=None)
    numbers = [rpc.send("tasks.get", id="never", wait=300) for _ in range(10_001)]
    with pytest.raises(RpcError) as caught:
        rpc.answer(numbers[-1])
    assert caught.value.name == "QueueFullError"


def test_shutdown_closes_the_socket(daemon: Daemon, rpc: RpcSocket) -> None:
    assert rpc.call("shutdown") == {}
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            rpc.read()
    assert caught.value.rcvd is None or caught.value.rcvd.code in (1001, 1000)
    assert daemon.process and daemon.process.wait(10) == 0
    daemon.process = None
