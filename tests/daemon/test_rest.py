"""REST as docs/protocol.md has it, with a simulated browser."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from daemon import Daemon
from link_client import LinkClient
from raw_http import ask

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nsmall").decode()


@pytest.fixture
def browser(daemon: Daemon) -> Iterator[LinkClient]:
    with LinkClient(daemon.url, label="work") as running:
        daemon.wait_for_browser()
        yield running


def submit(daemon: Daemon, **fields: Any) -> str:
    status, record = daemon.request("POST", "/v1/tasks", {"script": "return 1", **fields})
    assert status == 201, record
    return str(record["id"])


class Events:
    """A stream of server-sent events."""

    def __init__(self, daemon: Daemon, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
        self._connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.answer = self._connection.getresponse()

    def __iter__(self) -> Iterator[tuple[str | None, str, dict[str, Any]]]:
        """(id, event, data) until the stream ends."""
        fields: dict[str, str] = {}
        while raw := self.answer.readline():
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield fields.get("id"), fields["event"], json.loads(fields["data"])
                fields = {}

    def close(self) -> None:
        self._connection.close()


def test_a_task_goes_its_way_and_each_answer_tells_it(daemon: Daemon, browser: LinkClient) -> None:
    task = submit(daemon, id="t1", args={"a": [1, None]}, labels={"kind": "test"}, file="mine.js")
    start = browser.next_start()
    assert (start["task"], start["script"], start["args"]) == ("t1", "return 1", {"a": [1, None]})
    assert daemon.request("GET", "/v1/tasks/t1")[1]["state"] == "dispatched"
    status, body = daemon.request("GET", "/v1/tasks/t1/result")
    assert (status, body["error"]["name"]) == (409, "ConflictError")
    browser.accept(start)
    browser.started(start)
    browser.event(start, "progress", value={"done": 1})
    browser.finish(start, value={"big": [1.5, "x"]})
    record = daemon.wait(task)
    assert record["state"] == "completed"
    assert record["result"] == {"big": [1.5, "x"]}
    assert record["result_type"] == "json"
    assert record["progress"] == {"done": 1}
    assert record["injection"] == "scripting"
    assert record["labels"] == {"kind": "test"}
    assert record["file"] == "mine.js"
    assert [attempt["number"] for attempt in record["attempts"]] == [1]
    assert daemon.request("GET", "/v1/tasks/t1/result") == (200, {"big": [1.5, "x"]})
    assert daemon.request("GET", "/v1/tasks/t1/script") == (200, "return 1")


def test_the_same_id_is_the_same_task_and_another_body_a_conflict(daemon: Daemon) -> None:
    body = {"script": "return 1", "id": "once", "args": {"a": 1, "b": 2}}
    assert daemon.request("POST", "/v1/tasks", body)[0] == 201
    again = {"id": "once", "args": {"b": 2, "a": 1}, "script": "return 1", "timeout": 30}
    status, record = daemon.request("POST", "/v1/tasks", again)
    assert (status, record["id"]) == (200, "once")
    status, answer = daemon.request("POST", "/v1/tasks", {**body, "script": "return 2"})
    assert (status, answer["error"]["name"]) == (409, "ConflictError")
    assert len(daemon.request("GET", "/v1/tasks")[1]["tasks"]) == 1


def test_wait_returns_at_the_end_and_no_later(daemon: Daemon, browser: LinkClient) -> None:
    submit(daemon, id="slow")
    start = browser.next_start()
    begun = time.monotonic()
    ender = threading.Timer(0.5, lambda: browser.run(start, 7))
    ender.start()
    status, record = daemon.request("GET", "/v1/tasks/slow?wait=30")
    taken = time.monotonic() - begun
    ender.join()
    assert (status, record["state"], record["result"]) == (200, "completed", 7)
    assert 0.4 < taken < 5


def test_wait_that_runs_out_gives_the_record_as_it_stands(daemon: Daemon) -> None:
    submit(daemon, id="waits", queue_timeout=None)
    begun = time.monotonic()
    status, record = daemon.request("GET", "/v1/tasks/waits?wait=0.3")
    assert (status, record["state"], record["waiting_for"]) == (200, "queued", "browser")
    assert 0.25 < time.monotonic() - begun < 5
    assert daemon.request("GET", "/v1/tasks/waits/result?wait=0.1")[0] == 409


def test_submit_may_wait_too(daemon: Daemon, browser: LinkClient) -> None:
    ender = threading.Thread(target=lambda: browser.run(browser.next_start(), "done"))
    ender.start()
    status, record = daemon.request("POST", "/v1/tasks", {"script": "return 1", "wait": 20})
    ender.join()
    assert (status, record["state"], record["result"]) == (201, "completed", "done")


def test_nothing_returned_is_204_and_a_failure_is_422(daemon: Daemon, browser: LinkClient) -> None:
    submit(daemon, id="nothing")
    start = browser.next_start()
    browser.accept(start)
    browser.started(start)
    browser.finish(start, outcome="value")
    assert daemon.wait("nothing")["result_type"] == "undefined"
    assert daemon.request("GET", "/v1/tasks/nothing/result") == (204, "")

    submit(daemon, id="thrown")
    start = browser.next_start()
    browser.accept(start)
    browser.started(start)
    error = {"name": "ScriptError", "message": "no such price", "thrown": "TypeError", "line": 3, "column": 7}
    browser.finish(start, outcome="error", error=error, screenshot=PNG)
    record = daemon.wait("thrown")
    assert record["state"] == "failed"
    assert record["error"]["thrown"] == "TypeError"
    status, body = daemon.request("GET", "/v1/tasks/thrown/result")
    assert status == 422
    assert (body["error"]["name"], body["error"]["line"]) == ("ScriptError", 3)
    answer = ask(daemon.port, "GET", record["screenshot"])
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/png", base64.b64decode(PNG))
    assert ask(daemon.port, "GET", "/v1/tasks/nothing/screenshot").status == 404


def test_cancel_ends_a_waiting_task_at_once_and_twice_is_a_conflict(daemon: Daemon) -> None:
    submit(daemon, id="never")
    status, record = daemon.request("POST", "/v1/tasks/never/cancel")
    assert (status, record["state"], record["error"]["name"]) == (200, "cancelled", "CancelledError")
    status, body = daemon.request("POST", "/v1/tasks/never/cancel")
    assert (status, body["error"]["name"]) == (409, "ConflictError")
    assert daemon.request("POST", "/v1/tasks/never/cancel", {"why": "x"})[0] == 400


def test_cancel_of_a_running_task_reaches_the_browser(daemon: Daemon, browser: LinkClient) -> None:
    submit(daemon, id="runs")
    start = browser.next_start()
    browser.accept(start)
    browser.started(start)
    assert daemon.request("POST", "/v1/tasks/runs/cancel")[0] == 200
    told = browser.cancels.get(timeout=10)
    assert told["task"] == "runs"
    browser.finish(start, outcome="error", error=told["error"])
    assert daemon.wait("runs")["state"] == "cancelled"


def test_the_list_has_pages_and_filters(daemon: Daemon) -> None:
    for number in range(7):
        submit(daemon, id=f"t{number}", labels={"odd": str(number % 2), "a": "b:c"})
    daemon.request("POST", "/v1/tasks/t3/cancel")
    seen, before = [], ""
    while True:
        page = daemon.request("GET", "/v1/tasks?limit=3" + (f"&before={before}" if before else ""))[1]
        seen += [task["id"] for task in page["tasks"]]
        assert all("result" not in task and "console" not in task and "args" not in task for task in page["tasks"])
        before = page["next"]
        if before is None:
            break
    assert seen == [f"t{number}" for number in reversed(range(7))]

    def ids(query: str) -> list[str]:
        return [task["id"] for task in daemon.request("GET", "/v1/tasks?" + query)[1]["tasks"]]

    assert ids("state=cancelled") == ["t3"]
    assert ids("label=odd:1&state=queued") == ["t5", "t1"]
    assert ids("label=odd:1&label=a:b:c") == ["t5", "t3", "t1"]
    assert ids("label=odd:2") == []
    assert ids("browser=nobody") == []
    for bad in ("limit=0", "limit=1001", "limit=x", "state=done", "label=odd", "state="):
        assert daemon.request("GET", "/v1/tasks?" + bad)[0] == 400, bad


def test_events_come_in_order_from_the_beginning_until_the_end(daemon: Daemon, browser: LinkClient) -> None:
    submit(daemon, id="watched")
    start = browser.next_start()
    browser.accept(start)
    events = Events(daemon, "/v1/tasks/watched/events")
    assert events.answer.headers["Content-Type"] == "text/event-stream"
    browser.started(start)
    browser.event(start, "progress", 1, value=[1])
    browser.event(start, "console", 2, level="log", text="hello\nthere", line=1, column=2)
    browser.finish(start, value=1)
    seen = list(events)  # ends by itself
    journaled = [(event_id, kind, data) for event_id, kind, data in seen if kind != "waiting"]
    assert [kind for _, kind, _ in journaled] == ["queued", "dispatched", "started", "progress", "console", "end"]
    assert [event_id for event_id, _, _ in journaled] == [str(n) for n in range(1, 7)]
    assert all(data["seq"] == int(event_id or 0) and data["kind"] == kind for event_id, kind, data in journaled)
    assert journaled[4][2]["text"] == "hello\nthere"
    assert journaled[-1][2]["state"] == "completed"

    behind = Events(daemon, "/v1/tasks/watched/events", Last_Event_ID="4")
    assert [kind for _, kind, _ in behind] == ["console", "end"]
    assert ask(daemon.port, "GET", "/v1/tasks/watched/events", {"Host": f"127.0.0.1:{daemon.port}", "Last-Event-ID": "x"}).status == 400
    assert ask(daemon.port, "HEAD", "/v1/tasks/watched/events").body == b""


@pytest.mark.waits
def test_a_quiet_stream_is_kept_alive_by_comments(daemon: Daemon) -> None:
    submit(daemon, id="quiet", queue_timeout=None)
    begun = time.monotonic()
    events = Events(daemon, "/v1/tasks/quiet/events")
    while True:
        line = events.answer.readline()
        assert line, "the stream ended"
        if line.startswith(b":"):
            break
    assert 13 < time.monotonic() - begun < 20
    events.close()


def test_what_is_not_there_is_named(daemon: Daemon) -> None:
    for path in ("/v1/tasks/none", "/v1/tasks/none/result", "/v1/tasks/none/script", "/v1/tasks/none/screenshot", "/v1/tasks/none/events", "/", "/nothing"):
        status, body = daemon.request("GET", path)
        assert (status, body["error"]["name"]) == (404, "NotFoundError"), path
    assert daemon.request("POST", "/v1/tasks/none/cancel")[0] == 404
    assert daemon.request("PATCH", "/v1/browsers/none", {"label": "x"})[0] == 404
    assert daemon.request("DELETE", "/v1/browsers/none")[0] == 404
    assert daemon.request("POST", "/v1/browsers/none/chrome", {"path": "tabs.query"})[0] == 404


def test_a_wrong_method_is_told_the_right_ones(daemon: Daemon) -> None:
    for method, path, allow in (
        ("DELETE", "/v1/tasks", "POST, GET, HEAD"),
        ("PUT", "/health", "GET, HEAD"),
        ("GET", "/v1/shutdown", "POST"),
        ("OPTIONS", "/v1/tasks", "POST, GET, HEAD"),
        ("POST", "/v1/browsers/x", "PATCH, DELETE"),
    ):
        answer = ask(daemon.port, method, path)
        assert (answer.status, answer.headers["allow"]) == (405, allow)
        assert answer.error == "MethodNotAllowedError"


def test_head_answers_like_get_without_a_body(daemon: Daemon) -> None:
    got, head = ask(daemon.port, "GET", "/openapi.json"), ask(daemon.port, "HEAD", "/openapi.json")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


def test_browsers_are_listed_labelled_and_forgotten(daemon: Daemon, browser: LinkClient) -> None:
    (listed,) = daemon.request("GET", "/v1/browsers")[1]["browsers"]
    assert (listed["id"], listed["label"], listed["linked"], listed["paused"]) == (browser.browser, "work", True, False)
    assert listed["capabilities"] == {"user_scripts": False, "debugger": True, "incognito": False, "file_urls": False, "all_sites": True, "javascript": True}
    submit(daemon, id="r")
    browser.accept(browser.next_start())
    assert daemon.request("GET", "/v1/browsers")[1]["browsers"][0]["running"] == ["r"]

    status, labelled = daemon.request("PATCH", f"/v1/browsers/{browser.browser}", {"label": "home"})
    assert (status, labelled["label"]) == (200, "home")
    assert daemon.request("PATCH", "/v1/browsers/home", {"label": "x", "paused": True})[0] == 400
    assert daemon.request("PATCH", "/v1/browsers/home", {"label": "x" * 101})[0] == 400
    assert daemon.request("DELETE", "/v1/browsers/home")[0] == 409
    browser.close()
    end = time.monotonic() + 10
    while daemon.request("GET", "/v1/browsers")[1]["browsers"][0]["linked"]:
        assert time.monotonic() < end
    assert daemon.request("DELETE", "/v1/browsers/home") == (204, "")
    assert daemon.request("GET", "/v1/browsers")[1]["browsers"] == []


def test_any_chrome_call_goes_through(daemon: Daemon, browser: LinkClient) -> None:
    status, body = daemon.request("POST", "/v1/browsers/work/chrome", {"path": "tabs.query", "args": [{"active": True}]})
    assert (status, body) == (200, {"result": ["tabs.query", [{"active": True}]]})  # the simulated browser's echo
    assert daemon.request("POST", "/v1/browsers/work/chrome", {"args": []})[0] == 400
    assert daemon.request("POST", "/v1/browsers/work/chrome", {"path": "a.b", "args": {}})[0] == 400
    assert daemon.request("POST", "/v1/browsers/work/reload") == (200, {})
    assert browser.reloads.get(timeout=5) == {}


def test_a_browser_that_is_not_linked_is_told_apart_from_one_unknown(daemon: Daemon, browser: LinkClient) -> None:
    browser.close()
    end = time.monotonic() + 10
    while daemon.health()["browsers"]:
        assert time.monotonic() < end
    status, body = daemon.request("POST", "/v1/browsers/work/chrome", {"path": "tabs.query"})
    assert (status, body["error"]["name"]) == (503, "NoBrowserError")
    assert daemon.request("GET", "/v1/tabs?browser=work")[0] == 503
    assert daemon.request("GET", "/v1/tabs?browser=none")[0] == 404
    assert daemon.request("GET", "/v1/tabs") == (200, {"tabs": []})


def test_log_lines_are_listed_and_followed(daemon: Daemon, browser: LinkClient) -> None:
    lines = daemon.request("GET", "/v1/logs")[1]["lines"]
    assert lines and [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)
    last = lines[-1]["seq"]
    assert [line["seq"] for line in daemon.request("GET", "/v1/logs?limit=1")[1]["lines"]] == [last]
    following = iter(Events(daemon, f"/v1/logs?follow=1&since={last}"))
    said = {"n": 1, "time": "2026-01-31T09:00:00.000Z", "level": "warn", "task": "t9", "text": "the page said <b>"}
    browser.call("log", {"lines": [said]})
    for event_id, kind, data in following:
        assert kind == "line" and event_id == str(data["seq"]) and data["seq"] > last
        if data["source"] == "extension":
            break
    assert (data["text"], data["task"], data["browser"], data["level"]) == ("the page said <b>", "t9", browser.browser, "warn")
    assert daemon.request("GET", "/v1/logs?follow=2")[0] == 400


def test_metrics_tell_tasks_browsers_and_refusals(daemon: Daemon, browser: LinkClient) -> None:
    submit(daemon, id="m1", browser="nobody", queue_timeout=None)
    ask(daemon.port, "GET", "/health", {"Host": "evil.example"})
    answer = ask(daemon.port, "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = dict(line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if not line.startswith("#"))
    assert samples['any_tasks{state="queued"}'] == "1"
    assert samples["any_browsers"] == "1"
    assert samples['any_refused_total{error="ForbiddenError"}'] == "1"
    assert int(samples["any_resident_bytes"]) > 1_000_000
    assert float(samples["any_uptime_seconds"]) > 0


def test_shutdown_answers_and_then_the_daemon_is_gone(daemon: Daemon) -> None:
    events = Events(daemon, "/v1/logs?follow=1")
    assert daemon.request("POST", "/v1/shutdown") == (200, {})
    assert daemon.process
    assert daemon.process.wait(10) == 0
    for _ in events:
        pass  # the stream ends in order
    daemon.process = None


@pytest.mark.parametrize("number", ["1524831183200260097", "1e400", "0.1234567890123456789", "-9007199254740993"])
def test_a_number_that_a_script_would_see_as_another_is_refused_by_its_digits_at_every_door(daemon: Daemon, number: str) -> None:
    body = f'{{"script": "return args", "args": {{"id": [{number}]}}}}'
    headers = {"Host": f"127.0.0.1:{daemon.port}", "Content-Type": "application/json"}
    answer = ask(daemon.port, "POST", "/v1/tasks", headers, body)
    assert answer.status == 400 and b"BadRequestError" in answer.body, answer
    words = [b"too large"] if number == "1e400" else [number.encode(), b"in quotes"]
    assert all(word in answer.body for word in words), answer


def test_a_number_that_a_double_carries_comes_as_it_is_written(daemon: Daemon, browser: LinkClient) -> None:
    for number in (1524831183200260096, 0.1, 1e21, 2**53, -0.0):
        assert daemon.request("POST", "/v1/tasks", {"script": "return 1", "args": number})[0] == 201
