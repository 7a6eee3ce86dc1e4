"""The table of operations (GET /v1/operations) against docs/protocol.md, the command line and the Python library.

The C++ library is held against it by tests/unit/cli/test_client_operations.cpp.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from anytab import Browser, NoBrowserError  # noqa: E402
from anytab._core import Core  # noqa: E402
from chromium import eventually  # noqa: E402
from daemon import BINARY, Daemon  # noqa: E402
from link_client import LinkClient  # noqa: E402
from rpc_socket import RpcSocket  # noqa: E402

Row = dict[str, Any]


@pytest.fixture
def table(daemon: Daemon) -> dict[str, Row]:
    status, answer = daemon.request("GET", "/v1/operations")
    assert status == 200
    return {row["name"]: row for row in answer["operations"]}


def fields(daemon: Daemon, row: Row, door: str) -> set[str]:
    """What the row takes at that door."""
    schema = row["input"]
    if "$ref" in schema:
        shapes = daemon.request("GET", "/openapi.json")[1]["components"]["schemas"]
        schema = shapes[schema["$ref"].rpartition("/")[2]]
    return {name for name, field in schema.get("properties", {}).items() if field.get("x-door", door) == door}


def calls(daemon: Daemon) -> dict[str, int]:
    """How often each operation was called."""
    text = daemon.request("GET", "/metrics")[1]
    return {name: int(count) for name, count in re.findall(r'^any_calls_total\{operation="([^"]+)"\} (\d+)$', text, re.M)}


# What people read


def test_the_protocols_page_names_every_route_and_its_query(daemon: Daemon, table: dict[str, Row]) -> None:
    page = (ROOT / "docs" / "protocol.md").read_text().partition("## The prototype's door")[0]
    told = {(method, path): query for method, path, query in re.findall(r"`(GET|POST|PATCH|DELETE) (/[^`?\s]*)\??([^`\s]*)", page)}
    routes = {(row["rest"]["method"], row["rest"]["path"]): row for row in table.values() if row["rest"]}
    assert told.keys() == routes.keys()
    for (method, path), row in routes.items():
        if method != "GET":
            continue
        in_query = fields(daemon, row, "rest") - set(re.findall(r"\{(\w+)\}", path))
        assert set(re.findall(r"(\w+)=", told[method, path])) == in_query, path


def test_the_protocols_page_names_every_method_of_the_socket_and_its_params(daemon: Daemon, table: dict[str, Row]) -> None:
    page = (ROOT / "docs" / "protocol.md").read_text()
    (part,) = re.findall(r"^Methods, whose.*?\n\n(.*?)\n\n", page.replace("any order. Methods", "any order.\nMethods"), re.M | re.S)
    told = dict(re.findall(r"`([a-z]+(?:\.[a-z]+)?)(?: (\{[^}]*\}))?`", part))
    notifications = {"task.event", "log.line", "cdp.event", "cdp.closed", "end"}
    methods = {name for name, row in table.items() if row["rpc"]}
    assert told.keys() - notifications == methods
    for name in methods:
        if "…" not in told[name]:
            assert set(re.findall(r"(\w+)(?::|,|\})", re.sub(r": [^,}]*", "", told[name]))) == fields(daemon, table[name], "rpc"), name


# What programs and shells can reach. Each that a door lacks is here with its reason.

PYTHON_LACKS = {
    "tasks.result": "AsyncTask.result() reads it from the record",
    "tasks.script": "whoever asks by the library has the script",
    "browsers.forget": "housekeeping, for a person: DELETE /v1/browsers/{id}",
    "browsers.reload": "the daemon does it itself after an upgrade",
    "cdp.call": "a program has CDP clients of its own at the daemon's address",
    "cdp.watch": "as cdp.call",
    "operations.list": "for whoever makes a client",
    "openapi": "for whoever makes a client",
    "metrics": "for Prometheus",
    "shutdown": "a program does not end the daemon that others use",
}
COMMAND_LINE_LACKS = {
    "tasks.result": "`any result` reads it from the record",
    "tasks.script": "its file is the person's own",
    "tasks.screenshot": "`any task` prints its address",
    "tasks.unwatch": "a command ends its socket",
    "browsers.wait": "`any run --queue-timeout` waits",
    "browsers.label": "the extension's options page has it",
    "browsers.forget": "housekeeping: DELETE /v1/browsers/{id}",
    "browsers.chrome": "for programs; `any launch` opens its page by it",
    "browsers.reload": "the daemon does it itself after an upgrade",
    "operations.list": "for whoever makes a client",
    "openapi": "for whoever makes a client",
    "metrics": "for Prometheus",
}


@pytest.fixture
def waiting_task(daemon: Daemon) -> str:
    daemon.request("POST", "/v1/tasks", {"script": "return 1", "id": "waiting", "browser": "nobody", "queue_timeout": None})
    return "waiting"


def hold(table: dict[str, Row], lacks: dict[str, str], reached: set[str]) -> None:
    assert reached - table.keys() == set()
    assert table.keys() - lacks.keys() - reached == set(), "reached by nothing, and left out without a reason"
    assert lacks.keys() & reached == set(), "it is reached: take it off the list"
    assert lacks.keys() - table.keys() == set(), "there is no such operation any more"


def follow_events(b: Browser, task: str) -> None:
    events: Iterator[Any] = iter(b.task(task).events())
    assert next(events).kind == "queued"
    events.close()  # type: ignore[attr-defined]


def wait_for_nobody(b: Browser) -> None:
    with pytest.raises(NoBrowserError):
        b.wait_for_browser(0)


def test_the_python_library_has_each_operation_or_a_reason(
    daemon: Daemon, table: dict[str, Row], waiting_task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repeated: dict[str, bool] = {}
    call = Core.call

    def watched(self: Core, method: str, params: Any, done: Any, *, repeat: bool = True) -> Any:
        repeated[method] = repeat
        return call(self, method, params, done, repeat=repeat)

    monkeypatch.setattr(Core, "call", watched)
    ways: dict[str, Callable[[Browser], object]] = {
        "tasks.submit": lambda b: b.submit("return 1", browser="nobody"),
        "tasks.list": lambda b: b.tasks(),
        "tasks.get": lambda b: b.task(waiting_task).record(),
        "tasks.watch": lambda b: follow_events(b, waiting_task),
        "tasks.screenshot": lambda b: b.task(waiting_task).screenshot(),
        "tasks.cancel": lambda b: b.task(waiting_task).cancel(),
        "browsers.wait": wait_for_nobody,
        "browsers.list": lambda b: b.browsers(),
        "tabs.list": lambda b: b.tabs(),
        "logs.list": lambda b: b.logs(),
        "logs.watch": lambda b: next(iter(b.follow_logs())),
        "health": lambda b: b.health(),
    }
    reached = {"tasks.unwatch"}
    with Browser(daemon.url, start=False) as b:
        for name, way in ways.items():
            before = calls(daemon)[name]
            way(b)
            eventually(lambda name=name, before=before: calls(daemon)[name] > before)  # type: ignore[misc]
            reached.add(name)
        eventually(lambda: calls(daemon)["tasks.unwatch"] > 0)  # by the end of tasks.watch
        with LinkClient(daemon.url, label="work"):
            daemon.wait_for_browser()
            for name, linked in {"browsers.chrome": lambda: b.chrome("runtime.getManifest"), "browsers.label": lambda: b.label("work", "home")}.items():
                linked()
                assert calls(daemon)[name] == 1
                reached.add(name)
    hold(table, PYTHON_LACKS, reached)
    # What is asked again by itself when its answer was lost. A submit has an id of its own.
    assert {name for name, again in repeated.items() if again and not table[name]["repeatable"]} == {"tasks.submit"}


def test_the_command_line_has_each_operation_or_a_reason(daemon: Daemon, table: dict[str, Row], waiting_task: str) -> None:
    commands: dict[tuple[str, ...], set[str]] = {
        ("eval", "return 1", "--queue-timeout", "0"): {"tasks.submit", "tasks.get"},
        ("tasks",): {"tasks.list"},
        ("task", waiting_task): {"tasks.get"},
        ("cancel", waiting_task): {"tasks.cancel"},
        ("tabs",): {"tabs.list"},
        ("cdp", "Browser.getVersion"): {"cdp.call"},
        ("cdp", "Page.enable", "--events", "*"): {"cdp.watch"},
        ("browsers",): {"browsers.list"},
        ("logs",): {"logs.list", "health"},
    }
    reached: set[str] = set()
    for words, wanted in commands.items():
        before = calls(daemon)
        subprocess.run([BINARY, *words], env=daemon.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        after = calls(daemon)
        assert {name for name in wanted if after[name] == before[name]} == set(), words
        reached |= wanted
    # Those that go on until something ends them.
    for words, name in {("logs", "-f"): "logs.watch"}.items():
        with subprocess.Popen([BINARY, *words], env=daemon.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as follower:
            try:
                eventually(lambda name=name: calls(daemon)[name] > 0)  # type: ignore[misc]
            finally:
                follower.terminate()
        reached.add(name)
    # A daemon that comes back is asked to go on telling of the task.
    assert '"tasks.watch"' in (ROOT / "src" / "cli" / "run.cpp").read_text()
    reached.add("tasks.watch")
    assert daemon.process
    subprocess.run([BINARY, "stop"], env=daemon.env, capture_output=True, timeout=60, check=True)
    assert daemon.process.wait(10) == 0
    daemon.process = None
    reached.add("shutdown")
    hold(table, COMMAND_LINE_LACKS, reached)


# What is asked of them


def test_each_input_is_refused_alike_at_both_doors(daemon: Daemon, table: dict[str, Row]) -> None:
    """An unknown field, and each field in the wrong kind, by REST and by the RPC socket: one error."""
    tried = 0
    with RpcSocket(daemon.port) as rpc:
        for name, row in table.items():
            if not row["rpc"] or not row["rest"] or row["rest"]["method"] == "GET" or name == "shutdown":
                continue
            in_path = set(re.findall(r"\{(\w+)\}", row["rest"]["path"]))
            path = re.sub(r"\{\w+\}", "x", row["rest"]["path"])
            for field in (fields(daemon, row, "rest") - in_path - {"args", "params"}) | {"colour"}:
                status, answer = daemon.request(row["rest"]["method"], path, {field: {"a": [True]}})
                number = rpc.send(name, **{key: "x" for key in in_path}, **{field: {"a": [True]}})
                while not any(message.get("id") == number for message in rpc.seen):
                    rpc.read()
                (error,) = (message["error"] for message in rpc.seen if message.get("id") == number)
                assert (status, error["code"]) == (400, -32602), (name, field)
                assert error["data"] == answer["error"]
                assert error["data"]["path"].partition(".")[0] == field
                tried += 1
    assert tried > 15
