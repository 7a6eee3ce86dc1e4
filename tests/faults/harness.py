"""Load while something breaks, and what must hold afterwards.

`Load` submits tasks over REST, each with an id of its own, each to a script that first counts its run on the test site. After
the fault `Load.settle()` waits for every end and `Load.check()` holds the promises:

- every accepted task reached exactly one end (its journal has exactly one `end` event, its state is final);
- each script ran at most once per attempt (the site counted);
- a completed task's result is its own.

`Amid` does the same for single tasks whose own page, tab or machine is what breaks, while a `Load` goes on in other tabs.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Callable

from chromium import Tab, eventually
from pages import Pages

FINAL = {"completed", "failed", "cancelled"}
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Rest:
    """The daemon's REST door, nothing more."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, body: Any = None, timeout: float = 60) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with _direct.open(request, timeout=timeout) as answer:
                raw = answer.read()
                return answer.status, json.loads(raw) if raw else None
        except urllib.error.HTTPError as error:
            raw = error.read()
            return error.code, json.loads(raw) if raw else None

    def submit(self, script: str, **fields: Any) -> dict[str, Any]:
        status, record = self("POST", "/v1/tasks", {"script": script, **fields})
        assert status in (200, 201), record
        return record

    def task(self, task: str, wait: float = 0) -> dict[str, Any]:
        status, record = self("GET", f"/v1/tasks/{task}?wait={wait}", timeout=wait + 30)
        assert status == 200, record
        return record

    def end(self, task: str, timeout: float = 60) -> dict[str, Any]:
        """The record once it has ended; asks again where the daemon went away meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                record = self.task(task, wait=max(0.0, min(10.0, deadline - time.monotonic())))
                if record["state"] in FINAL:
                    return record
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
            assert time.monotonic() < deadline, f"{task} has not ended in {timeout} s"

    def until_state(self, task: str, state: str, timeout: float = 20) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while (record := self.task(task))["state"] != state:
            assert time.monotonic() < deadline, f"{task} is {record['state']}, not {state}: {record['error']}"
            time.sleep(0.02)
        return record

    def events(self, task: str) -> list[dict[str, Any]]:
        """All events of a task that has ended."""
        request = urllib.request.Request(f"{self.url}/v1/tasks/{task}/events")
        events = []
        with _direct.open(request, timeout=30) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    events.append(json.loads(line[5:]))
        return events


def counting(work: str) -> str:
    """A script that counts its run on the page's own site before it does `work`."""
    return "await fetch('/count/' + encodeURIComponent(args.key), {keepalive: true});\n" + work


def counting_and_blocking(work: str) -> str:
    """As `counting`; from its run's being counted to `work` its page does nothing else, so a cancel cannot come in between."""
    count = "const request = new XMLHttpRequest(); request.open('GET', '/count/' + encodeURIComponent(args.key), false); request.send();"
    return f"{count}\n{work}"


def ran_once_an_attempt(rest: Rest, count: Callable[[str], int], record: dict[str, Any]) -> int:
    """Holds what is promised of every task that has ended, and returns how often its script ran."""
    task = record["id"]
    ends = [event for event in rest.events(task) if event["kind"] == "end"]
    assert len(ends) == 1, f"{task} has {len(ends)} ends"
    ran, attempts = count(task), len(record["attempts"])
    assert ran <= attempts, f"{task} ran {ran} times in {attempts} attempts"
    return ran


@dataclass
class Load:
    """Tasks that go on being submitted until stop()."""

    rest: Rest
    url: str
    count: Callable[[str], int]
    prefix: str
    work: str = "await any.sleep(args.ms); return args.key"
    pause: float = 0.05
    fields: dict[str, Any] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Load:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            key = f"{self.prefix}-{number}"
            body = {"script": counting(self.work), "id": key, "args": {"key": key, "ms": 50 + 37 * (number % 7)},
                    "tab": {"open": self.url}, "timeout": 90, **self.fields}  # in which its tab opens, among 32 at once
            try:
                status, _ = self.rest("POST", "/v1/tasks", body, timeout=10)
                if status in (200, 201):
                    self.accepted[key] = number
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass  # not accepted: nothing is promised (and if it was, the same id asked again is the same task)
            self._stop.wait(self.pause)

    def until_accepted(self, number: int, timeout: float = 30) -> None:
        deadline = time.monotonic() + timeout
        while len(self.accepted) < number:
            assert time.monotonic() < deadline, f"only {len(self.accepted)} tasks were accepted"
            time.sleep(0.02)

    def settle(self, timeout: float = 300) -> None:
        deadline = time.monotonic() + timeout
        for key in self.accepted:
            self.ends[key] = self.rest.end(key, max(1.0, deadline - time.monotonic()))

    def check(self) -> dict[str, int]:
        """Holds the promises; returns how many ended how, by error name ("" is completed)."""
        tally: dict[str, int] = {}
        for key, record in self.ends.items():
            ran = ran_once_an_attempt(self.rest, self.count, record)
            if record["state"] == "completed":
                assert record["result"] == key, f"{key} came back with {record['result']!r}"
                assert ran >= 1
                name = ""
            else:
                assert record["error"] and record["error"]["message"], f"{key} failed without a cause: {record}"
                name = record["error"]["name"]
                if name == "InternalError":
                    name = f"{name}: {record['error']['message']}"
            tally[name] = tally.get(name, 0) + 1
        assert tally, "no task was accepted"
        return tally


class Amid:
    """Single tasks, while a load goes on in background tabs of another site, whose pages share no process with theirs.

    Within the `with` block they are started and end. After it, every task of the load must have completed, and each single one still
    have its one end and as many runs as when it ended, by the page's count: whatever came back later made no second.
    """

    _numbers = itertools.count(1)

    def __init__(self, rest: Rest, site: Pages) -> None:
        self.rest, self.site = rest, site
        url = site.other("/plain?load")
        tab = {"open": url, "background": True, "keep": False}
        self.load = Load(rest, url, site.count, f"load-{next(self._numbers)}", pause=0.25, fields={"tab": tab})
        self._ended: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Amid:
        self.load.__enter__()
        self.load.until_accepted(3)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            return self.load.stop()
        self.load.until_accepted(len(self.load.accepted) + 3)  # it goes on after the fault
        self.load.stop()
        self.load.settle()
        assert self.load.check() == {"": len(self.load.accepted)}
        for task, (ran, attempts) in self._ended.items():
            record = self.rest.task(task)
            assert (ran_once_an_attempt(self.rest, self.site.count, record), len(record["attempts"])) == (ran, attempts)

    def submit(self, task: str, work: str, tab: Any, counted: Callable[[str], str] = counting, **fields: Any) -> None:
        self.rest.submit(counted(work), id=task, args={"key": task}, tab=tab.id if isinstance(tab, Tab) else tab, **fields)

    def start(self, task: str, tab: Any, work: str = "await any.sleep(60000); return 'stayed'", timeout: float = 60, **fields: Any) -> None:
        """Returns when the daemon knows that it runs, and the page has counted it."""
        self.submit(task, work, tab, timeout=timeout, **fields)
        self.rest.until_state(task, "running")
        eventually(lambda: self.site.count(task) == 1, 20, f"{task} runs")

    def end(self, task: str, timeout: float = 30, attempts: int = 1) -> dict[str, Any]:
        """The record of a task that must have ended after so many attempts that began, and have run in each.

        One that is proven not to have begun does not count: a page that goes in that moment gives the task back.
        """
        record = self.rest.end(task, timeout)
        ran = ran_once_an_attempt(self.rest, self.site.count, record)
        begun = [attempt for attempt in record["attempts"] if not attempt["error"] or attempt["error"].get("started") is not False]
        assert (ran, len(begun)) == (attempts, attempts), record
        self._ended[task] = (ran, len(record["attempts"]))
        return record
