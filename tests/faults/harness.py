"""Load while something breaks, and what must hold afterwards.

`Load` submits tasks over REST, each with an id of its own, each to a script that first counts its run on the test site. After
the fault `Load.settle()` waits for every end and `Load.check()` holds the promises:

- every accepted task reached exactly one end (its journal has exactly one `end` event, its state is final);
- each script ran at most once per attempt (the site counted);
- a completed task's result is its own.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Callable

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
                    "tab": {"open": self.url}, "timeout": 20, **self.fields}
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

    def settle(self, timeout: float = 150) -> None:
        deadline = time.monotonic() + timeout
        for key in self.accepted:
            self.ends[key] = self.rest.end(key, max(1.0, deadline - time.monotonic()))

    def check(self) -> dict[str, int]:
        """Holds the promises; returns how many ended how, by error name ("" is completed)."""
        tally: dict[str, int] = {}
        for key, record in self.ends.items():
            ends = [event for event in self.rest.events(key) if event["kind"] == "end"]
            assert len(ends) == 1, f"{key} has {len(ends)} ends"
            ran, attempts = self.count(key), len(record["attempts"])
            assert ran <= attempts, f"{key} ran {ran} times in {attempts} attempts"
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
