"""Who may come in, asked of the running daemon: every check of docs/security.md on HTTP and on WebSockets."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import Daemon
from link_client import ORIGIN as EXTENSION
from raw_http import Answer, ask, upgrade

STRANGER = "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
ALLOWED = "chrome-extension://bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
NOBODY = 65534
SUBMIT = '{"script": "return 1", "id": "forged"}'


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon("--allow-extension", ALLOWED.rpartition("/")[2], state_dir=tmp_path_factory.mktemp("door")) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon("--token", state_dir=tmp_path_factory.mktemp("locked")) as running:
        yield running


def token_of(daemon: Daemon) -> str:
    return (daemon.state_dir / "token").read_text().strip()


def own(daemon: Daemon, **more: str) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{daemon.port}", **{name.replace("_", "-"): value for name, value in more.items()}}


def refused(answer: Answer, daemon: Daemon, status: int = 403, name: str = "ForbiddenError") -> None:
    assert (answer.status, answer.error) == (status, name), answer
    assert answer.json()["error"]["message"]
    assert daemon.request("GET", "/v1/tasks")[1]["tasks"] == [], "a refused request did something"


def refusals(daemon: Daemon, name: str = "ForbiddenError") -> int:
    text = daemon.request("GET", "/metrics")[1]
    return next(int(line.split()[-1]) for line in text.splitlines() if line.startswith(f'any_refused_total{{error="{name}"}}'))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "127.0.0.2", "0.0.0.0", "localhost."])
@pytest.mark.parametrize("how", ["http", "websocket"])
def test_a_forged_host_is_refused(door: Daemon, host: str, how: str) -> None:
    name = f"{host}:{door.port}"
    before = refusals(door)
    answer = ask(door.port, "POST", "/v1/tasks", {"Host": name}, SUBMIT) if how == "http" else upgrade(door.port, "/v1/rpc", host=name)
    refused(answer, door)
    assert refusals(door) == before + 1, "the refusal was not counted"


def test_a_host_with_another_port_is_refused(door: Daemon) -> None:
    refused(ask(door.port, "GET", "/health", {"Host": f"127.0.0.1:{door.port + 1}"}), door)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_host_without_a_port_is_a_programs_and_no_browsers(door: Daemon, host: str) -> None:
    assert ask(door.port, "GET", "/health", {"Host": host}).status == 200
    refused(ask(door.port, "GET", "/health", {"Host": host, "Origin": f"http://{host}"}), door)
    refused(ask(door.port, "GET", "/health", {"Host": host, "Sec-Fetch-Site": "none"}), door)


@pytest.mark.parametrize("names", [[], ["Host", "Host"], ["Host", "host"]])
def test_there_must_be_exactly_one_host(door: Daemon, names: list[str]) -> None:
    answer = ask(door.port, "GET", "/health", [(name, f"127.0.0.1:{door.port}") for name in names])
    assert answer.status in (400, 403), answer
    assert answer.error in ("BadRequestError", "ForbiddenError")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_every_loopback_name_is_served(door: Daemon, host: str) -> None:
    assert ask(door.port, "GET", "/health", {"Host": f"{host}:{door.port}"}).status == 200


ORIGINS = {
    "null": "null",
    "a web page": "https://evil.example",
    "another loopback port": "http://127.0.0.1:9",
    "another loopback name": "http://localhost:{port}",
    "another scheme": "https://127.0.0.1:{port}",
    "no port": "http://127.0.0.1",
    "a file": "file://",
    "another extension": STRANGER,
    "a longer host": "http://127.0.0.1:{port}.evil.example",
}


@pytest.mark.parametrize("origin", list(ORIGINS.values()), ids=list(ORIGINS))
def test_a_foreign_origin_is_refused_everywhere(door: Daemon, origin: str) -> None:
    headers = own(door, Origin=origin.format(port=door.port))
    for method, path in (("POST", "/v1/tasks"), ("POST", "/task"), ("GET", "/health"), ("GET", "/metrics"), ("OPTIONS", "/v1/tasks")):
        refused(ask(door.port, method, path, headers, SUBMIT if method == "POST" else ""), door)
    for path in ("/v1/rpc", "/extension", "/events"):
        refused(upgrade(door.port, path, {"Origin": headers["Origin"]}), door)


def test_two_origins_are_refused(door: Daemon) -> None:
    own_origin = f"http://127.0.0.1:{door.port}"
    refused(ask(door.port, "GET", "/health", [*own(door).items(), ("Origin", own_origin), ("Origin", own_origin)]), door)


@pytest.mark.parametrize("origin", [None, "own"])
def test_no_origin_and_the_daemons_own_are_served(door: Daemon, origin: str | None) -> None:
    extra = {"Origin": f"http://127.0.0.1:{door.port}"} if origin else {}
    assert ask(door.port, "GET", "/v1/tasks", {**own(door), **extra}).status == 200
    assert upgrade(door.port, "/v1/rpc", extra).status == 101


@pytest.mark.parametrize("origin", [EXTENSION, ALLOWED], ids=["pinned", "allowed"])
def test_an_extension_gets_to_its_own_doors_and_no_further(door: Daemon, origin: str) -> None:
    assert ask(door.port, "GET", "/health", own(door, Origin=origin)).status == 200
    for path in ("/extension", "/events"):
        assert upgrade(door.port, path, {"Origin": origin}).status == 101
    refused(upgrade(door.port, "/v1/rpc", {"Origin": origin}), door)
    for path in ("/v1/tasks", "/task", "/v1/shutdown"):
        refused(ask(door.port, "POST", path, own(door, Origin=origin), SUBMIT), door)


def test_no_answer_invites_another_origin(door: Daemon) -> None:
    for headers in ({}, {"Origin": EXTENSION}, {"Origin": "https://evil.example"}):
        answer = ask(door.port, "GET", "/health", {**own(door), **headers})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_browsers_word_that_a_page_asks_is_heeded(door: Daemon, site: str) -> None:
    headers = own(door, Sec_Fetch_Site=site)
    refused(ask(door.port, "POST", "/v1/tasks", headers, SUBMIT), door)
    refused(ask(door.port, "GET", "/health", headers), door)
    refused(upgrade(door.port, "/v1/rpc", {"Sec-Fetch-Site": site}), door)


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_the_person_types_is_served(door: Daemon, site: str) -> None:
    assert ask(door.port, "GET", "/v1/tasks", own(door, Sec_Fetch_Site=site)).status == 200


@pytest.mark.parametrize("path", ["/json/new", "/json/new?https://evil.example", "/json/close/17", "/json/activate/17", "/browsers/work/json/new"])
@pytest.mark.parametrize("site", ["none", "same-origin", "cross-site"])
def test_a_get_that_acts_is_not_for_browsers(door: Daemon, path: str, site: str) -> None:
    refused(ask(door.port, "GET", path, own(door, Sec_Fetch_Site=site)), door)


def test_a_get_that_acts_passes_the_door_without_that_header(door: Daemon) -> None:
    assert ask(door.port, "GET", "/json/new").status == 405  # the door itself, which takes PUT alone


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_of_the_machine_is_refused(door: Daemon) -> None:
    answers = as_nobody(door.port)
    assert [answer.split(":")[0] for answer in answers] == ["403 ForbiddenError", "403 ForbiddenError"], answers
    assert all("another user" in answer and str(NOBODY) in answer for answer in answers), answers
    assert door.request("GET", "/v1/tasks")[1]["tasks"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_is_served_with_any_user(tmp_path: Path) -> None:
    with Daemon("--any-user", state_dir=tmp_path / "state") as open_door:
        assert as_nobody(open_door.port) == ["200", "201"]


def as_nobody(port: int) -> list[str]:
    """What a program of the user nobody is answered: to /health, and to a task."""
    program = f"""
import http.client, json
for method, path, body in (("GET", "/health", None), ("POST", "/v1/tasks", {SUBMIT!r})):
    c = http.client.HTTPConnection("127.0.0.1", {port}, timeout=20)
    c.request(method, path, body)
    a = c.getresponse()
    e = json.loads(a.read()).get("error") if a.status >= 400 else None
    print(a.status, e["name"] + ": " + e["message"]) if e else print(a.status)
"""
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_without_the_token_nothing_but_health_and_the_link_is_served(locked: Daemon) -> None:
    assert ask(locked.port, "GET", "/health").json()["token"] is True
    assert upgrade(locked.port, "/extension", {"Origin": EXTENSION}).status == 101
    for method, path in (("GET", "/v1/tasks"), ("POST", "/v1/tasks"), ("POST", "/task"), ("GET", "/metrics"), ("GET", "/openapi.json"), ("GET", "/")):
        answer = ask(locked.port, method, path, None, SUBMIT if method == "POST" else "")
        assert (answer.status, answer.error) == (401, "UnauthorizedError"), (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert token_of(locked) not in answer.body.decode()
    for path in ("/v1/rpc", "/events"):
        assert upgrade(locked.port, path).status == 401


@pytest.mark.parametrize("change", ["", "x", "short", "case", "basic"])
def test_a_wrong_token_is_refused(locked: Daemon, change: str) -> None:
    token = token_of(locked)
    wrong = {"": "", "x": token + "x", "short": token[:-1], "case": token.swapcase(), "basic": token}[change]
    scheme = "Basic" if change == "basic" else "Bearer"
    assert ask(locked.port, "GET", "/v1/tasks", own(locked, Authorization=f"{scheme} {wrong}")).status == 401
    if change != "basic":
        assert ask(locked.port, "GET", f"/v1/tasks?token={wrong}").status == 401
        assert upgrade(locked.port, f"/v1/rpc?token={wrong}").status == 401


def test_the_right_token_opens_by_header_and_by_url(locked: Daemon) -> None:
    token = token_of(locked)
    assert ask(locked.port, "GET", "/v1/tasks", own(locked, Authorization=f"Bearer {token}")).status == 200
    assert ask(locked.port, "GET", f"/v1/tasks?token={token}&limit=1").status == 200
    assert upgrade(locked.port, f"/v1/rpc?token={token}").status == 101
    assert upgrade(locked.port, "/v1/rpc", {"Authorization": f"Bearer {token}"}).status == 101
    # It does not open for a web page.
    answer = ask(locked.port, "GET", "/v1/tasks", own(locked, Authorization=f"Bearer {token}", Origin="https://evil.example"))
    assert answer.status == 403


def test_only_the_owner_can_read_the_token(locked: Daemon) -> None:
    assert (locked.state_dir / "token").stat().st_mode & 0o777 == 0o600
    assert locked.state_dir.stat().st_mode & 0o777 == 0o700
    assert len(token_of(locked)) >= 32
    assert token_of(locked) not in locked.log()


def test_the_pages_come_from_another_origin_and_only_under_its_name(door: Daemon) -> None:
    port = door.pages_port
    assert port != door.port
    assert ask(port, "GET", "/", {"Host": f"evil.example:{port}"}).status == 403
    for path in ("/v1/tasks", "/health", "/extension"):
        assert ask(port, "GET", path, {"Host": f"127.0.0.1:{port}"}).status == 404
    answer = ask(port, "POST", "/", {"Host": f"127.0.0.1:{port}"}, "x")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    for path in ("/../base/error.hpp", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"):
        assert ask(port, "GET", path, {"Host": f"127.0.0.1:{port}"}).status in (400, 404)
