"""Bodies too large, too deep, too slow; and a crowd that only stands there."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator

import pytest

from daemon import Daemon
from raw_http import ask, message, read_answer


def submit(daemon: Daemon, body: bytes | str) -> tuple[int, str]:
    answer = ask(daemon.port, "POST", "/v1/tasks", None, body, timeout=60)
    return answer.status, answer.error


def test_a_body_over_the_limit_is_refused_before_it_is_sent(daemon: Daemon) -> None:
    head = message("POST", "/v1/tasks", {"Host": f"127.0.0.1:{daemon.port}", "Content-Length": str((64 << 20) + 1)})
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as connection:
        connection.sendall(head)
        answer = read_answer(connection)
    assert (answer.status, answer.error) == (413, "TooLargeError")
    assert "64 MiB" in answer.json()["error"]["message"] or str(64 << 20) in answer.json()["error"]["message"]


def test_a_chunked_body_over_the_limit_is_refused_on_the_way(daemon: Daemon) -> None:
    head = message("POST", "/v1/tasks", {"Host": f"127.0.0.1:{daemon.port}", "Transfer-Encoding": "chunked"})
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as connection:
        connection.sendall(head)
        try:
            for _ in range(66):
                connection.sendall(chunk)
        except (ConnectionResetError, BrokenPipeError):
            pass  # it had enough before we had sent all
        try:
            answer = read_answer(connection)
            assert (answer.status, answer.error) == (413, "TooLargeError")
        except ConnectionResetError:
            pass
    assert 'any_refused_total{error="TooLargeError"} 1' in daemon.request("GET", "/metrics")[1]


def test_a_body_just_under_the_limit_is_taken(daemon: Daemon) -> None:
    script = "x" * ((64 << 20) - 100)
    status, record = daemon.request("POST", "/v1/tasks", {"script": script, "id": "large", "queue_timeout": 0})
    assert status == 201, record
    assert len(daemon.request("GET", "/v1/tasks/large/script")[1]) == len(script)


BAD_BODIES = {
    "nothing": "",
    "no JSON": "script=return+1",
    "cut": '{"script": "return 1"',
    "more behind": '{"script": "return 1"} {}',
    "duplicate key": '{"script": "return 1", "script": "return 2"}',
    "duplicate key, escaped": '{"script": "return 1", "scr\\u0069pt": "return 2"}',
    "duplicate key, deeper": '{"script": "return 1", "args": {"a": {"b": 1, "b": 2}}}',
    "20,000 deep": '{"script": "return 1", "args": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "20,000 deep, open": "[" * 20_000,
    "20,000 objects deep": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "a list": "[]",
    "a string": '"return 1"',
    "null": "null",
    "not UTF-8": b'{"script": "\xff\xfe"}',
    "half a surrogate": '{"script": "\\ud800"}',
    "a number no double can hold": '{"script": "return 1", "args": 1e999}',
    "NaN": '{"script": "return 1", "args": NaN}',
    "a comment": '{"script": "return 1" /* so */}',
    "a control character": '{"script": "a\nb"}',
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.mark.parametrize("body", list(BAD_BODIES.values()), ids=list(BAD_BODIES))
def test_a_bad_body_gets_a_clear_error_and_makes_no_task(shared: Daemon, body: str | bytes) -> None:
    assert submit(shared, body) == (400, "BadRequestError")
    assert shared.request("GET", "/v1/tasks")[1]["tasks"] == []


FIELDS = {
    "colour": '{"script": "return 1", "colour": "red"}',
    "tab.colour": '{"script": "return 1", "tab": {"open": "https://a.example/", "colour": "red"}}',
    "script": '{"args": 1}',
    "timeout": '{"script": "return 1", "timeout": "30"}',
    "priority": '{"script": "return 1", "priority": 1001}',
    "labels.a": '{"script": "return 1", "labels": {"a": 1}}',
    "world": '{"script": "return 1", "world": "other"}',
    "id": '{"script": "return 1", "id": "a/b"}',
    "wait": '{"script": "return 1", "wait": -1}',
}


@pytest.mark.parametrize("path", list(FIELDS))
def test_a_field_that_is_unknown_or_wrong_is_named(shared: Daemon, path: str) -> None:
    answer = ask(shared.port, "POST", "/v1/tasks", None, FIELDS[path])
    assert answer.status == 400, answer
    error = answer.json()["error"]
    assert (error["name"], error["path"]) == ("BadRequestError", path)


def test_a_head_too_large_is_refused(shared: Daemon) -> None:
    answer = ask(shared.port, "GET", "/health", {"Host": f"127.0.0.1:{shared.port}", "X-Large": "x" * 20_000})
    assert answer.status in (400, 413, 431), answer
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("text", [b"\x16\x03\x01\x02\x00\x01", b"HELLO\r\n\r\n", b"GET /health HTTP/9.9\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_what_is_no_http_is_answered_or_cut_off(shared: Daemon, text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"403", b"505"), answer
    assert shared.health()["ok"]


@pytest.mark.waits
def test_a_client_that_sends_a_byte_a_second_is_given_up_and_disturbs_nobody(shared: Daemon) -> None:
    head = message("GET", "/health", {"Host": f"127.0.0.1:{shared.port}"})
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        begun = time.monotonic()
        connection.settimeout(1)
        answer = b""
        for byte in head:
            try:
                connection.sendall(bytes([byte]))
                answer = connection.recv(65536)  # waits the second
                break
            except TimeoutError:
                assert shared.health()["ok"]
            except (ConnectionResetError, BrokenPipeError):
                break
    taken = time.monotonic() - begun
    assert 8 < taken < 20, f"given up after {taken:.1f} s"
    if answer:
        assert b" 408 " in answer.split(b"\r\n")[0] and b"RequestTimeoutError" in answer
    assert shared.health()["ok"]


@pytest.mark.waits
def test_a_body_that_stands_still_is_given_up(shared: Daemon) -> None:
    head = message("POST", "/v1/tasks", {"Host": f"127.0.0.1:{shared.port}", "Content-Length": "100"})
    with socket.create_connection(("127.0.0.1", shared.port), timeout=60) as connection:
        connection.sendall(head + b'{"script": ')
        begun = time.monotonic()
        answer = read_answer(connection)
    assert 25 < time.monotonic() - begun < 45
    assert (answer.status, answer.error) == (408, "RequestTimeoutError")


@pytest.mark.slow
def test_ten_thousand_idle_connections_disturb_nobody(shared: Daemon) -> None:
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        pytest.skip(f"this user may open only {hard} files: ulimit -Hn {count + 500}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 500), hard))
    before = resident(shared)
    crowd: list[socket.socket] = []
    try:
        for number in range(count):
            # More addresses than one: a pair of addresses has 28,000 ports, which others use too.
            crowd.append(socket.create_connection(("127.0.0.1", shared.port), timeout=20, source_address=(f"127.0.0.{2 + number % 4}", 0)))
        deadline = time.monotonic() + 60
        while connections(shared) < count:
            assert time.monotonic() < deadline, f"{connections(shared)} connections are seen"
        times = []
        for _ in range(50):
            begun = time.monotonic()
            assert shared.request("POST", "/v1/tasks", {"script": "return 1", "queue_timeout": 0})[0] == 201
            times.append(time.monotonic() - begun)
        assert sorted(times)[25] < 0.25, f"median {sorted(times)[25] * 1000:.0f} ms"
        each = (resident(shared) - before) / count
        print(f"{each / 1000:.1f} kB a connection, a task in {sorted(times)[25] * 1000:.1f} ms")
        assert each < 40_000
    finally:
        for connection in crowd:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert shared.health()["ok"]


def metric(daemon: Daemon, name: str) -> int:
    text = str(daemon.request("GET", "/metrics")[1])
    return next(int(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def connections(daemon: Daemon) -> int:
    return metric(daemon, "any_connections")


def resident(daemon: Daemon) -> int:
    return metric(daemon, "any_resident_bytes")


def test_unknown_parameters_are_named(shared: Daemon) -> None:
    for path, name in (("/v1/tasks?colour=red", "colour"), ("/v1/tasks?limit=1&limit=2", "limit"), ("/v1/browsers?x", "x"), ("/health?pretty=1", "pretty")):
        answer = ask(shared.port, "GET", path)
        assert answer.status == 400, (path, answer)
        assert answer.json()["error"]["path"] == name


def test_curls_content_type_does_not_matter(shared: Daemon) -> None:
    headers = {"Host": f"127.0.0.1:{shared.port}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(shared.port, "POST", "/v1/tasks", headers, json.dumps({"script": "return 1", "queue_timeout": 0}))
    assert answer.status == 201
