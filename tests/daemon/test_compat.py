"""The prototype's programs work unchanged: a client program and an extension written to its description, on its own port."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from websockets.sync.client import ClientConnection, connect

from daemon import Daemon, free_port
from link_client import LinkClient
from link_client import ORIGIN as EXTENSION


class CompatDaemon(Daemon):
    """A daemon with the prototype's port open too."""

    def __init__(self, compat_port: int, state_dir: Path) -> None:
        self._compat_port = compat_port
        super().__init__(state_dir=state_dir)

    @property
    def command(self) -> list[str]:
        words = super().command
        words[words.index("--compat-port") + 1] = str(self._compat_port)
        return words


class Prototype:
    """The program: it knows POST /task and GET /task/{id}, and nothing of any."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._base = f"http://{address}:{port}"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with self._open(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def submit(self, **task: Any) -> tuple[int, Any]:
        return self._call("POST", "/task", task)

    def get(self, task: str) -> tuple[int, Any]:
        return self._call("GET", f"/task/{as_client(task)}")

    def end(self, task: str, **result: Any) -> tuple[int, Any]:
        """What the prototype's extension posts."""
        body = {"task_id": task, "status": "completed", "output": None, "error": None, **result}
        return self._call("POST", f"/task/{quote(task, safe='')}", body)

    def wait(self, task: str) -> Any:
        end = time.monotonic() + 20
        while (answer := self.get(task)[1])["status"] not in ("completed", "failed"):
            assert time.monotonic() < end, answer
            time.sleep(0.02)
        return answer


def as_client(task: str) -> str:
    """An id as the prototype's client puts it into a path: what is no part of an address is escaped, an escape that stands there is not."""
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", quote(task, safe="%/:?[]@!$&'()*+,;=~"))


@pytest.fixture
def compat_port() -> int:
    return free_port()


@pytest.fixture
def served(tmp_path: Path, compat_port: int) -> Iterator[Daemon]:
    with CompatDaemon(compat_port, tmp_path / "state") as running:
        yield running


@pytest.fixture(params=["own port", "main port"])
def program(request: pytest.FixtureRequest, served: Daemon, compat_port: int) -> Prototype:
    return Prototype(compat_port if request.param == "own port" else served.port)


@pytest.fixture
def extension(served: Daemon, compat_port: int) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{compat_port}/events", origin=EXTENSION, proxy=None, max_size=None) as socket:  # type: ignore[arg-type]
        served.wait_for_browser()
        yield socket


def receive(extension: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(extension.recv(20)))


def test_a_task_is_kept_until_it_is_asked_for(program: Prototype) -> None:
    assert program.submit(id="p1", script="return 1") == (200, {"ok": True, "id": "p1"})
    assert program.get("p1") == (200, {"task": {"id": "p1", "script": "return 1", "timeout": 30}, "status": "queued", "result": None})


def test_extra_fields_are_ignored_and_the_timeout_is_kept(program: Prototype) -> None:
    assert program.submit(id="p2", script="x", timeout=2.5, colour="red")[0] == 200
    assert program.get("p2")[1]["task"] == {"id": "p2", "script": "x", "timeout": 2.5}


def test_a_known_id_is_refused_also_with_the_same_body(program: Prototype) -> None:
    assert program.submit(id="p3", script="x")[0] == 200
    for script in ("x", "y"):
        status, answer = program.submit(id="p3", script=script)
        assert status == 400 and isinstance(answer["detail"], str)
    assert program.get("p3")[1]["task"]["script"] == "x"


def test_an_unknown_task_is_404(program: Prototype) -> None:
    for status, answer in (program.get("none"), program.end("none")):
        assert status == 404 and isinstance(answer["detail"], str)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"script": "x"}, "id"), ({"id": "a"}, "script"), ({"id": 7, "script": "x"}, "id"), ({"id": "a", "script": "x", "timeout": "soon"}, "timeout"), ({"id": "", "script": "x"}, "id"), ({"id": "a" * 1025, "script": "x"}, "id")],
)
def test_a_bad_body_is_422_and_names_the_field(program: Prototype, body: dict[str, Any], field: str) -> None:
    status, answer = program.submit(**body)
    assert status == 422
    assert [item["loc"] for item in answer["detail"]] == [["body", field]]


def test_what_is_no_json_is_422(program: Prototype) -> None:
    for body in (b"", b"{", b"[]", b'{"id":"a","id":"b","script":"x"}', b'{"id":"a","script":"x","y":' + b"[" * 20_000 + b"]" * 20_000 + b"}"):
        status, answer = program._call("POST", "/task", body)
        assert status == 422 and answer["detail"][0]["loc"] == ["body"], body[:40]


def test_an_extension_of_the_prototype_is_handed_tasks_and_ends_them(program: Prototype, extension: ClientConnection) -> None:
    program.submit(id="e1", script="return document.title", timeout=5)
    assert receive(extension) == {"id": "e1", "script": "return document.title", "timeout": 5}
    assert program.get("e1")[1]["status"] == "dispatched"
    status, answer = program.end("e1", output={"title": "A page", "n": [1, None]})
    assert status == 200, answer
    posted = {"task_id": "e1", "status": "completed", "output": {"title": "A page", "n": [1, None]}, "error": None}
    assert program.get("e1")[1] == {"task": {"id": "e1", "script": "return document.title", "timeout": 5}, "status": "completed", "result": posted}
    assert program.end("e1")[0] == 409, "the first end counts"


ERRORS = [
    {"name": "TypeError", "message": "x is not a function", "stack": "TypeError: x is not a function\n    at <anonymous>:1:1"},
    {"message": "no name", "deep": {"n": [1.5, None]}},
    "TypeError: no",
    ["a list"],
    7,
    None,
]


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_what_an_extension_of_the_prototype_posted_comes_back_as_it_was_posted(program: Prototype, extension: ClientConnection, error: Any) -> None:
    for status, output in (("failed", None), ("failed", {"so": "far"})):
        task = uuid.uuid4().hex
        program.submit(id=task, script="throw")
        receive(extension)
        posted = {"task_id": task, "status": status, "output": output, "error": error}
        assert program.end(task, **posted)[0] == 200
        assert program.get(task)[1]["result"] == posted
        assert program.end(task, status="lost")[0] == 422


def test_a_task_that_our_own_extension_ran_has_an_error_of_the_models_shape(served: Daemon, program: Prototype) -> None:
    with LinkClient(served.url) as browser:
        served.wait_for_browser()
        ends = [
            ({"name": "ScriptError", "message": "x is not defined", "thrown": "ReferenceError", "stack": "at script.js:1:8"}, "ReferenceError"),
            ({"name": "ScriptError", "message": "thrown: 7", "thrown": None}, "ScriptError"),
            ({"name": "TabClosedError", "message": "the tab was closed"}, "TabClosedError"),
        ]
        for error, name in ends:
            task = uuid.uuid4().hex
            program.submit(id=task, script="throw")
            start = browser.next_start()
            browser.accept(start)
            browser.started(start)
            browser.finish(start, outcome="error", error=error)
            result = program.wait(task)["result"]
            assert result["error"] == {"name": name, "message": error["message"], "stack": error.get("stack", "")}
            assert (result["status"], result["output"]) == ("failed", None)


IDS = ["with blanks in it", "50%", "50%41", "%41", "a/b/c", "ütf-8 ☃ 中文", "quote\"s\\", "x" * 1024, "☃" * 341, "a b?c=d", "{curly}"]


@pytest.mark.parametrize("task", IDS)
def test_any_id_that_the_client_sends_works(served: Daemon, program: Prototype, extension: ClientConnection, task: str) -> None:
    assert program.get(task)[0] == 404
    assert program.submit(id=task, script="return 1") == (200, {"ok": True, "id": task})
    assert program.submit(id=task, script="return 1")[0] == 400
    assert receive(extension) == {"id": task, "script": "return 1", "timeout": 30}
    assert program.get(task)[1]["task"]["id"] == task
    served.restart()
    assert program.get(task)[1]["task"]["id"] == task
    assert program.end(task, output=1)[0] == 200
    assert program.get(task)[1]["result"] == {"task_id": task, "status": "completed", "output": 1, "error": None}


def test_tasks_run_side_by_side_and_one_that_hangs_holds_up_nobody(program: Prototype, extension: ClientConnection) -> None:
    names = ["hangs", *(f"s{n}" for n in range(50))]
    for name in names:
        program.submit(id=name, script="x")
    assert [receive(extension)["id"] for _ in names] == names
    for name in reversed(names[1:]):
        assert program.end(name, output=name)[0] == 200
    assert [program.get(name)[1]["status"] for name in names] == ["dispatched", *["completed"] * 50]


@pytest.mark.parametrize("where", ["output", "error"])
def test_a_posted_result_that_cannot_be_kept_still_ends_the_task(program: Prototype, extension: ClientConnection, where: str) -> None:
    program.submit(id="half", script="x")
    receive(extension)
    posted = {"task_id": "half", "status": "failed" if where == "error" else "completed", "output": None, "error": None, where: {"text": "\ud83d"}}
    assert program._call("POST", "/task/half", json.dumps(posted).encode())[0] == 200
    result = program.get("half")[1]["result"]
    assert (result["status"], result["error"]["name"]) == ("failed", "NotSerializableError")
    assert where in result["error"]["message"] and result["error"].keys() == {"name", "message", "stack"}


def test_the_timeout_ends_a_task_of_its_extension_too(program: Prototype, extension: ClientConnection) -> None:
    program.submit(id="slow", script="x", timeout=0.3)
    receive(extension)
    result = program.wait("slow")["result"]
    assert (result["status"], result["output"], result["error"]["name"]) == ("failed", None, "TimeoutError")
    assert result["error"].keys() == {"name", "message", "stack"}
    assert program.end("slow", output=1)[0] == 409, "the first end counts"


def test_results_of_5_mb_and_scripts_of_1_mb_pass(program: Prototype, extension: ClientConnection) -> None:
    script, output = "// ä" * (1 << 18), "ö☃" * (1 << 20)
    program.submit(id="large", script=script)
    assert receive(extension)["script"] == script
    assert program.end("large", output=output)[0] == 200
    answer = program.get("large")[1]
    assert (answer["task"]["script"], answer["result"]["output"]) == (script, output)


def test_the_extension_may_post_from_its_own_origin(served: Daemon, program: Prototype, extension: ClientConnection, compat_port: int) -> None:
    program.submit(id="e3", script="x")
    receive(extension)
    connection = http.client.HTTPConnection("127.0.0.1", compat_port, timeout=20)
    body = json.dumps({"task_id": "e3", "status": "completed", "output": 1, "error": None})
    connection.request("POST", "/task/e3", body, {"Origin": EXTENSION, "Sec-Fetch-Site": "none"})
    assert connection.getresponse().status == 200
    assert program.wait("e3")["result"]["output"] == 1


def test_each_task_goes_to_one_browser(served: Daemon, program: Prototype, compat_port: int) -> None:
    address = f"ws://127.0.0.1:{compat_port}/events"
    with connect(address, proxy=None) as one, connect(address, proxy=None) as two:
        served.wait_for_browser(2)
        names = [f"m{n}" for n in range(10)]
        for name in names:
            program.submit(id=name, script="x")
        got: list[str] = []
        end = time.monotonic() + 20
        while len(got) < len(names):
            assert time.monotonic() < end, got
            for socket in (one, two):
                for task in arrived(socket):
                    got.append(task)
                    assert program.end(task, output=task)[0] == 200
        assert sorted(got) == sorted(names), "a task was handed out twice or not at all"
        assert [program.get(name)[1]["result"]["output"] for name in names] == names
        assert arrived(one) == arrived(two) == []


def arrived(socket: ClientConnection) -> list[str]:
    """The ids of the tasks that have come, and come within a moment."""
    found: list[str] = []
    try:
        while True:
            found.append(str(json.loads(socket.recv(0.1))["id"]))
    except TimeoutError:
        return found


def test_a_task_handed_out_elsewhere_cannot_be_ended_there(served: Daemon, program: Prototype) -> None:
    with LinkClient(served.url) as browser:
        served.wait_for_browser()
        program.submit(id="ours", script="return 1")
        start = browser.next_start()
        browser.accept(start)
        browser.started(start)
        assert program.get("ours")[1]["status"] == "dispatched", "running reads as dispatched"
        status, answer = program.end("ours", output="forged")
        assert status == 403 and isinstance(answer["detail"], str)
        browser.finish(start, value="real")
        assert program.wait("ours")["result"] == {"task_id": "ours", "status": "completed", "output": "real", "error": None}
    assert served.request("GET", "/v1/tasks/ours")[1]["result"] == "real"


def test_a_task_that_nobody_has_yet_cannot_be_ended(program: Prototype) -> None:
    program.submit(id="waits", script="x")
    assert program.end("waits", output=1)[0] == 403
    assert program.get("waits")[1]["status"] == "queued"


def test_a_cancelled_task_reads_as_failed(served: Daemon, program: Prototype) -> None:
    program.submit(id="c", script="x")
    assert served.request("POST", "/v1/tasks/c/cancel")[0] == 200
    answer = program.get("c")[1]
    assert (answer["status"], answer["result"]["status"]) == ("failed", "failed")
    assert answer["result"]["error"]["name"] == "CancelledError"


def test_its_port_has_four_routes_and_health_and_nothing_else(served: Daemon, compat_port: int) -> None:
    program = Prototype(compat_port)
    assert program._call("GET", "/health")[1]["compat_port"] == compat_port
    for method, path in (("POST", "/v1/tasks"), ("GET", "/v1/tasks"), ("GET", "/metrics"), ("POST", "/v1/shutdown"), ("GET", "/")):
        assert program._call(method, path, {} if method == "POST" else None)[0] == 404, path
    assert Prototype(compat_port, "[::1]")._call("GET", "/health")[0] == 200
    assert Prototype(compat_port)._call("DELETE", "/task/a")[0] == 405


def test_its_port_has_the_same_door(served: Daemon, compat_port: int) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": f"evil.example:{compat_port}"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        connection = http.client.HTTPConnection("127.0.0.1", compat_port, timeout=20)
        connection.request("POST", "/task", json.dumps({"id": "forged", "script": "x"}), headers)
        assert connection.getresponse().status == 403, headers
    assert Prototype(compat_port).get("forged")[0] == 404


def test_a_taken_port_is_one_log_line_and_no_harm(served: Daemon, compat_port: int, tmp_path: Path) -> None:
    with CompatDaemon(compat_port, tmp_path / "second") as second:
        assert second.health()["compat_port"] is None
        assert len([line for line in second.log().splitlines() if str(compat_port) in line]) == 1
