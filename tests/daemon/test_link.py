"""The daemon's end of the link, and the tasks that go over it, with a simulated browser."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import queue
import re
import stat
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from daemon import BINARY, Daemon
from link_client import LinkClient, LinkError, LinkLost, run_of


def submit(daemon: Daemon, **fields: Any) -> dict[str, Any]:
    status, record = daemon.request("POST", "/v1/tasks", {"script": "return 1", **fields})
    assert status == 201, record
    return dict(record)


def task(daemon: Daemon, task_id: str) -> dict[str, Any]:
    status, record = daemon.request("GET", f"/v1/tasks/{task_id}")
    assert status == 200, record
    return dict(record)


def until_state(daemon: Daemon, task_id: str, state: str) -> dict[str, Any]:
    end = time.monotonic() + 20
    while (record := task(daemon, task_id))["state"] != state:
        assert time.monotonic() < end, record
        time.sleep(0.005)
    return record


def until_linked(daemon: Daemon, count: int) -> None:
    end = time.monotonic() + 20
    while daemon.health()["browsers"] != count:
        assert time.monotonic() < end, daemon.health()
        time.sleep(0.005)


def browsers(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {browser["id"]: browser for browser in daemon.request("GET", "/v1/browsers")[1]["browsers"]}


# a task's whole way


def test_a_task_goes_from_its_submit_to_its_result(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon, script="return args.n", args={"n": 3}, file="mine.js")
        start = browser.next_start()
        assert (start["script"], start["args"], start["file"], start["tab"]) == ("return args.n", {"n": 3}, "mine.js", "active")
        browser.accept(start, tab=7)
        browser.started(start)
        browser.event(start, "progress", value={"half": True})
        browser.event(start, "console", 2, level="warn", text="careful", line=3, column=4)
        browser.finish(start, value={"deep": [1, 2.50, "\ud83d\ude00"]})
        ended = daemon.wait(record["id"])
        assert ended["state"] == "completed" and ended["result"] == {"deep": [1, 2.5, "\U0001f600"]}
        assert ended["browser"] == browser.browser and ended["tab"]["id"] == 7 and ended["injection"] == "scripting"
        assert ended["progress"] == {"half": True}
        assert [(line["level"], line["text"], line["line"]) for line in ended["console"]] == [("warn", "careful", 3)]


def test_a_task_submitted_before_any_browser_runs_when_one_comes(daemon: Daemon) -> None:
    record = submit(daemon)
    assert record["state"] == "queued"
    with LinkClient(daemon.url) as browser:
        browser.run(browser.next_start(), "late")
        assert daemon.wait(record["id"])["result"] == "late"


def test_an_undefined_result_is_told_from_null(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        ids = [submit(daemon)["id"] for _ in range(2)]
        first = browser.next_start()
        browser.accept(first)
        browser.started(first)
        browser.finish(first)
        browser.run(browser.next_start(), None)
        kinds = {task_id: daemon.wait(task_id)["result_type"] for task_id in ids}
        assert sorted(kinds.values()) == ["json", "undefined"]


def test_a_scripts_error_comes_back_as_the_browser_said_it(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        error = {"name": "ScriptError", "message": "x is not defined", "thrown": "ReferenceError", "line": 1, "column": 8}
        browser.finish(start, outcome="error", error=error, screenshot="iVBORw0KGgo=")
        ended = daemon.wait(record["id"])
        assert ended["state"] == "failed"
        assert ended["error"] | error == ended["error"]
        assert ended["screenshot"]


def test_hops_go_on_in_the_same_tab_with_their_state(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        first = browser.next_start()
        browser.accept(first, tab=5)
        browser.started(first)
        browser.finish(first, outcome="next", url="http://127.0.0.1/2", state={"page": 2})
        second = browser.next_start()
        assert (second["hop"], second["tab"]["hop"], second["navigate"], second["state"]) == (1, 5, "http://127.0.0.1/2", {"page": 2})
        browser.accept(second, tab=5)
        browser.started(second)
        browser.finish(second, value="there")
        ended = daemon.wait(record["id"])
        assert (ended["result"], ended["hops"]) == ("there", 1)
        # The attempt is one, whatever number of pages it has.
        told = str(daemon.request("GET", f"/v1/tasks/{record['id']}/events")[1])
        assert re.findall(r"^event: (\w+)", told, re.M) == ["queued", "dispatched", "started", "hop", "started", "end"]


def test_a_large_result_passes_as_it_is(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        text = "äöü\n" * (5 << 20)
        browser.run(browser.next_start(), text)
        assert daemon.wait(record["id"])["result"] == text


def test_a_refused_start_ends_the_task_with_the_browsers_error(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        browser.refuse(browser.next_start(), "ForbiddenPageError")
        assert daemon.wait(record["id"])["error"]["name"] == "ForbiddenPageError"


def test_a_cancel_reaches_the_browser_and_its_end_counts(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        until_state(daemon, record["id"], "running")
        status, _ = daemon.request("POST", f"/v1/tasks/{record['id']}/cancel")
        assert status == 200
        asked = browser.cancels.get(timeout=10)
        assert run_of(asked) == run_of(start)
        browser.finish(start, outcome="error", error=asked["error"])
        ended = daemon.wait(record["id"])
        assert ended["state"] == "cancelled" and ended["error"]["name"] == "CancelledError"
        status, again = daemon.request("POST", f"/v1/tasks/{record['id']}/cancel")
        assert (status, again["error"]["name"]) == (409, "ConflictError")


def test_the_first_end_counts_and_every_one_is_acknowledged(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.run(start, "first")
        browser.finish(start, value="second")
        assert daemon.wait(record["id"])["result"] == "first"


def test_one_id_is_one_task_however_many_submit_it_at_once(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser, concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = [{"script": "return 1", "id": "the-one", "args": {"a": 1, "b": 2}}] * 4
        bodies += [{"script": "return 1", "id": "the-one", "args": {"b": 2, "a": 1}}] * 4
        answers = list(pool.map(lambda body: daemon.request("POST", "/v1/tasks", body), bodies))
        assert sorted(status for status, _ in answers) == [200] * 7 + [201]
        browser.run(browser.next_start(), 1)
        assert daemon.wait("the-one")["result"] == 1
        assert browser.starts.empty()
        status, record = daemon.request("POST", "/v1/tasks", bodies[0])
        assert (status, record["state"]) == (200, "completed")
        status, error = daemon.request("POST", "/v1/tasks", {"script": "return 2", "id": "the-one"})
        assert (status, error["error"]["name"]) == (409, "ConflictError")


# coming back


def test_a_run_goes_on_over_a_dropped_link(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        until_state(daemon, record["id"], "running")
        browser.cut()
        until_linked(daemon, 0)
        browser.holds = [{**run_of(start), "state": "running"}]
        browser.connect()
        assert browser.starts.empty()
        browser.finish(start, value="still here")
        assert daemon.wait(record["id"])["result"] == "still here"


def test_a_start_that_never_arrived_is_sent_again_and_takes_no_retry(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        browser.next_start()
        browser.cut()
        until_linked(daemon, 0)
        browser.connect()
        browser.run(browser.next_start(), "second time")
        assert daemon.wait(record["id"])["result"] == "second time"


def test_what_the_daemon_does_not_know_is_stopped_or_forgotten(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as browser:
        runs, ended = ({"task": name, "attempt": 1, "hop": 0} for name in ("runs", "ended"))
        browser.holds = [{**runs, "state": "running"}, {**ended, "state": "finished"}]
        browser.connect()
        assert browser.forgotten.get(timeout=10) == ended
        assert run_of(browser.cancels.get(timeout=10)) == runs


def test_a_result_kept_over_the_daemons_death_arrives_and_counts(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        until_state(daemon, record["id"], "running")
        daemon.kill9()
        assert browser.closed.wait(10)
        daemon.start()
        browser.holds = [{**run_of(start), "state": "finished"}]
        browser.connect()
        browser.finish(start, value="kept")
        ended = daemon.wait(record["id"])
        assert (ended["state"], ended["result"], len(ended["attempts"])) == ("completed", "kept", 1)


def test_every_accepted_task_outlives_the_daemons_death(daemon: Daemon) -> None:
    ids = [submit(daemon, queue_timeout=None)["id"] for _ in range(50)]
    daemon.kill9()
    daemon.start()
    with LinkClient(daemon.url) as browser:
        for _ in ids:
            start = browser.next_start()
            browser.run(start, start["task"])
        assert [daemon.wait(task_id)["result"] for task_id in ids] == ids


# the handshake


def test_a_key_is_exchanged_once_and_proved_ever_after(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        assert "key" in browser.begun and "proof" not in browser.begun
        first = browser.begun["daemon"]
        browser.cut()
        until_linked(daemon, 0)
        daemon.restart()
        browser.connect()
        assert "proof" in browser.begun and "key" not in browser.begun
        assert browser.begun["daemon"] == first


def test_one_daemon_at_two_addresses_is_one_daemon_with_one_key(daemon: Daemon) -> None:
    elsewhere = daemon.url.replace("127.0.0.1", "localhost")
    with LinkClient(daemon.url) as first, LinkClient(elsewhere, browser=first.browser, start=False) as second:
        second.instance = first.instance
        second.connect()
        assert second.begun["key"] == first.key
        assert first.closed.wait(10), "the newer link of one instance takes the older one's place"
        daemon.kill9()
        daemon.start()
        first.connect()
        assert "proof" in first.begun
        first.cut()
        until_linked(daemon, 0)
        second.connect()
        assert "proof" in second.begun


def test_two_first_handshakes_at_once_give_one_key(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as first, LinkClient(daemon.url, browser=first.browser, start=False) as second:
        first.open()
        second.open()
        assert first.begin()["key"] == second.begin()["key"]
        first.say_hello()
        daemon.kill9()
        daemon.start()
        assert first.connect()["browser"] == first.browser and "proof" in first.begun


def test_a_key_is_kept_only_once_a_hello_has_proven_it(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as browser:
        browser.open()
        unproven = browser.begin()["key"]
        browser.cut()
        assert browser.browser not in browsers(daemon)
        daemon.kill9()
        daemon.start()
        browser.key = None
        browser.connect()
        assert browser.begun["key"] != unproven, "nothing of the first one may be on disk"
        kept = browser.key
        daemon.kill9()
        daemon.start()
        browser.connect()
        assert "proof" in browser.begun and browser.key == kept


def test_nobody_can_take_a_browsers_key_from_it_by_claiming_its_name(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        for hello in (False, True):
            with LinkClient(daemon.url, browser=browser.browser, start=False) as stranger:
                stranger.open()
                stranger.begin(has_key=False)
                if hello:
                    with pytest.raises(LinkError) as refused:
                        stranger.say_hello(proof="A" * 43 + "=")
                    assert refused.value.name == "UnauthorizedError"
        assert not browser.closed.is_set()
        for restart in (daemon.restart, lambda: (daemon.kill9(), daemon.start())):
            restart()
            browser.connect()
            assert "proof" in browser.begun


def test_a_wrong_proof_is_refused_and_said_in_the_log(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        browser.cut()
        until_linked(daemon, 0)
        browser.open()
        browser.begin()
        with pytest.raises(LinkError) as refused:
            browser.say_hello(proof="A" * 43 + "=")
        assert refused.value.name == "UnauthorizedError"
        assert browser.closed.wait(10)
        assert daemon.health()["browsers"] == 0
        assert "proof is wrong" in daemon.log()


def test_an_extension_of_another_protocol_hears_who_is_older(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as browser:
        browser.open()
        with pytest.raises(LinkError) as refused:
            browser.begin(protocol=99)
        assert refused.value.name == "ProtocolError" and "daemon is older" in str(refused.value)
        assert browser.closed.wait(10)


def test_a_copied_profile_gets_a_name_of_its_own(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as original:
        with LinkClient(daemon.url, browser=original.browser, key=original.key) as copy:
            assert copy.browser != original.browser
            until_linked(daemon, 2)
            assert original.pings >= 1 and not original.closed.is_set()
            copy.cut()
            until_linked(daemon, 1)
            known = copy.browser
            copy.connect()
            assert copy.browser == known


def test_a_newer_link_of_one_instance_takes_the_olders_place(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        older = browser.closed
        browser.connect()
        assert older.wait(10)
        until_linked(daemon, 1)
        record = submit(daemon)
        browser.run(browser.next_start(), 5)
        assert daemon.wait(record["id"])["result"] == 5


def test_a_label_by_a_person_wins(daemon: Daemon) -> None:
    with LinkClient(daemon.url, label="from the extension") as browser:
        assert browsers(daemon)[browser.browser]["label"] == "from the extension"
        status, answer = daemon.request("PATCH", f"/v1/browsers/{browser.browser}", {"label": "work"})
        assert (status, answer["label"]) == (200, "work")
        browser.notify("browser.update", {"label": "changed"})
        browser.cut()
        until_linked(daemon, 0)
        assert browser.connect()["label"] == "work"
        record = submit(daemon, browser="work")
        browser.run(browser.next_start(), 1)
        assert daemon.wait(record["id"])["browser"] == browser.browser


def test_a_label_that_another_browser_has_is_refused_and_free_again_once_that_one_has_another(daemon: Daemon) -> None:
    with LinkClient(daemon.url, label="one") as one, LinkClient(daemon.url, label="two") as two:

        def label(browser: LinkClient, text: str) -> tuple[int, str]:
            status, answer = daemon.request("PATCH", f"/v1/browsers/{browser.browser}", {"label": text})
            return status, answer["label"] if status == 200 else answer["error"]["name"]

        assert label(one, "work") == (200, "work")
        assert label(one, "work") == (200, "work"), "its own is no other's"
        assert label(two, "work") == (409, "ConflictError")
        assert browsers(daemon)[two.browser]["label"] == "two"
        one.cut()
        until_linked(daemon, 1)
        assert label(two, "work") == (409, "ConflictError"), "one that is gone comes back by its name"
        assert label(one, "home") == (200, "home")
        assert label(two, "work") == (200, "work")
        assert label(two, "") == (200, "two"), "none given: the extension's own"
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda browser: label(browser, "both")[0], (one, two)))
        assert sorted(answers) == [200, 409]


def test_a_paused_browser_gets_nothing_until_it_goes_on(daemon: Daemon) -> None:
    with LinkClient(daemon.url, paused=True) as browser:
        record = submit(daemon)
        assert browsers(daemon)[browser.browser]["paused"] is True
        browser.notify("browser.update", {"paused": False})
        browser.run(browser.next_start(), 1)
        assert daemon.wait(record["id"])["state"] == "completed"


# what breaks the protocol


@pytest.mark.parametrize("text", ["{", '{"jsonrpc":"2.0","method":"log","method":"x"}', "[" * 20000, '{"jsonrpc":"2.0"}', "[]"])
def test_a_broken_message_ends_the_link_and_loses_nothing(daemon: Daemon, text: str) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        browser.send(text)
        assert browser.closed.wait(10)
        assert "ProtocolError" in daemon.log()
        browser.holds = [{**run_of(start), "state": "running"}]
        browser.connect()
        browser.finish(start, value="kept")
        assert daemon.wait(record["id"])["result"] == "kept"


def test_an_unknown_method_is_answered_and_the_link_stays(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        with pytest.raises(LinkError) as unknown:
            browser.call("tea.make", {})
        assert unknown.value.code == -32601
        assert browser.call("link.ping", {}) == {}


def test_a_task_method_before_hello_counts_for_nothing(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        with LinkClient(daemon.url, start=False) as stranger:
            stranger.open()
            with pytest.raises((LinkError, LinkLost)):
                stranger.finish(start, value="forged")
        assert task(daemon, record["id"])["state"] != "completed"


def test_an_end_from_another_browser_counts_for_nothing(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon, browser=browser.browser)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        with LinkClient(daemon.url) as other:
            other.finish(start, value="forged")
        browser.finish(start, value="mine")
        assert daemon.wait(record["id"])["result"] == "mine"


# calls and lines


def test_chrome_calls_reach_the_browser_and_fail_when_it_goes(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        path = f"/v1/browsers/{browser.browser}/chrome"
        status, answer = daemon.request("POST", path, {"path": "tabs.query", "args": [{}]})
        assert (status, answer) == (200, {"result": ["tabs.query", [{}]]})
        browser.cut()
        until_linked(daemon, 0)
        status, answer = daemon.request("POST", path, {"path": "tabs.query", "args": [{}]})
        assert (status, answer["error"]["name"]) == (503, "NoBrowserError")


def test_the_black_box_is_acknowledged_and_a_line_said_twice_stands_once(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        mark = uuid.uuid4().hex
        lines = [{"n": n, "time": f"2026-01-01T00:00:0{n}.000Z", "level": "info", "text": f"{mark} {n}"} for n in (1, 2)]
        assert browser.call("log", {"lines": lines}) == {"n": 2}
        assert browser.call("log", {"lines": lines}) == {"n": 2}
        told = [line for line in daemon.request("GET", "/v1/logs?limit=500")[1]["lines"] if mark in line["text"]]
        assert [(line["text"], line["source"], line["browser"]) for line in told] == [
            (f"{mark} {n}", "extension", browser.browser) for n in (1, 2)
        ]


def test_an_older_extension_is_asked_once_to_reload_itself(daemon: Daemon) -> None:
    with LinkClient(daemon.url, start=False) as browser:

        def link() -> None:
            browser.open()
            browser.begin(version="0.0.9")
            browser.say_hello()

        link()
        browser.reloads.get(timeout=10)
        browser.call("link.ping", {})
        browser.cut()
        until_linked(daemon, 0)
        daemon.restart()
        link()
        record = submit(daemon)
        browser.run(browser.next_start(), 1)
        daemon.wait(record["id"])
        assert browser.reloads.empty()


# the daemon itself


def test_a_second_daemon_on_the_folder_or_the_port_says_who_holds_it(daemon: Daemon, tmp_path: Path) -> None:
    def second(port: int, folder: Path) -> subprocess.CompletedProcess[str]:
        command = [str(BINARY), "serve", "--listen", f"127.0.0.1:{port}", "--state-dir", str(folder), "--compat-port", "0"]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, env=daemon.env, check=False)

    on_folder = second(0, daemon.state_dir)
    assert on_folder.returncode == 5 and str(daemon.pid) in on_folder.stderr, on_folder
    on_port = second(daemon.port, tmp_path / "other")
    assert on_port.returncode == 5 and str(daemon.port) in on_port.stderr and str(daemon.pid) in on_port.stderr, on_port
    assert daemon.health()["ok"]


def test_it_ends_in_order_and_tells_nobody_an_end_that_is_not_one(daemon: Daemon) -> None:
    with LinkClient(daemon.url) as browser:
        record = submit(daemon)
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        until_state(daemon, record["id"], "running")
        waiting = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
        waiting.request("GET", f"/v1/tasks/{record['id']}?wait=60")
        daemon.health()  # on a later connection: that the task is waited for has been read before it
        begun = time.monotonic()
        status, _ = daemon.request("POST", "/v1/shutdown")
        assert status == 200
        assert daemon.process and daemon.process.wait(10) == 0
        daemon.process = None
        assert time.monotonic() - begun < 10
        answer = waiting.getresponse()
        assert (answer.status, json.load(answer)["error"]["name"]) == (503, "UnavailableError")
        waiting.close()
        assert browser.closed.wait(10)
        daemon.start()
        browser.holds = [{**run_of(start), "state": "running"}]
        browser.connect()
        browser.finish(start, value="after")
        assert daemon.wait(record["id"])["result"] == "after"


def test_the_token_lies_in_a_file_of_the_owner_alone(tmp_path: Path) -> None:
    with Daemon("--token", state_dir=tmp_path / "state"):
        file = tmp_path / "state" / "token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_text().strip()) == 64
