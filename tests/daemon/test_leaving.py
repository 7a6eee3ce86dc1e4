"""Callers who leave before their answer, and a daemon that ends while some still wait."""

from __future__ import annotations

import socket
import time
from typing import Callable

import pytest

from daemon import Daemon
from held_thread import held, other_threads
from raw_http import message


def eventually(is_so: Callable[[], bool], what: str, timeout: float) -> None:
    end = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def connections(daemon: Daemon) -> int:
    """Those of others: not the one that asks."""
    _, metrics = daemon.request("GET", "/metrics")
    line = next(line for line in metrics.splitlines() if line.startswith("any_connections "))
    return int(float(line.split()[1])) - 1


def waits_for(daemon: Daemon, method: str, path: str, body: bytes = b"") -> socket.socket:
    """A request that has no answer yet."""
    before = connections(daemon)
    caller = socket.create_connection(("127.0.0.1", daemon.port))
    caller.sendall(message(method, path, {"Host": f"127.0.0.1:{daemon.port}", "Content-Type": "application/json"}, body))
    eventually(lambda: connections(daemon) == before + 1, "the request has not come in", 10)
    return caller


@pytest.mark.parametrize("path", ["/v1/tasks/t?wait=60", "/v1/tasks/t/result?wait=60", "/v1/tasks/t/events", "/v1/logs?follow=1"])
def test_a_caller_who_leaves_is_waited_for_no_longer(daemon: Daemon, path: str) -> None:
    daemon.request("POST", "/v1/tasks", {"id": "t", "script": "return 1", "queue_timeout": None})
    before = connections(daemon)
    caller = waits_for(daemon, "GET", path)
    caller.close()
    eventually(lambda: connections(daemon) == before, f"{path} is held for a caller who has gone", 5)


def test_a_submit_whose_caller_leaves_is_carried_through(daemon: Daemon) -> None:
    (store,) = other_threads(daemon.pid)
    with held(store):
        waits_for(daemon, "POST", "/v1/tasks", b'{"id": "t", "script": "return 1"}').close()
    eventually(lambda: daemon.request("GET", "/v1/tasks/t")[0] == 200, "the task that was handed in is not there", 10)


def test_it_ends_in_order_while_its_disk_does_not_answer_and_callers_wait(daemon: Daemon) -> None:
    daemon.request("POST", "/v1/tasks", {"id": "t", "script": "return 1", "queue_timeout": None})
    (store,) = other_threads(daemon.pid)
    with held(store):
        callers = [
            waits_for(daemon, "POST", "/v1/tasks", b'{"script": "return 2"}'),
            waits_for(daemon, "GET", "/v1/tasks/t/events"),
            waits_for(daemon, "GET", "/v1/tasks"),
            waits_for(daemon, "GET", "/v1/tasks/t?wait=60"),
        ]
        assert daemon.process
        daemon.process.terminate()
        eventually(lambda: "the journal takes no writes" in daemon.log(), "it has not given up waiting for its disk", 20)
    assert daemon.stop() == 0
    for caller in callers:
        caller.close()
