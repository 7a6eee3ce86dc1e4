"""Requests, records and errors as Python sees them."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Optional

import pytest

import anytab
from anytab import AnyError, Event, Record, ScriptError, TabClosedError, errors
from anytab._config import config_path, state_folder
from anytab._daemon import Endpoint, find_binary
from anytab._request import build_request
from anytab.errors import error_from_json

ROOT = Path(__file__).resolve().parents[2]


def test_each_request_gets_an_id_so_that_it_can_be_sent_again() -> None:
    first, second = build_request("return 1", {}), build_request("return 1", {})
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", first["id"])
    assert first["id"] != second["id"]
    assert build_request("return 1", {"id": "mine"})["id"] == "mine"


def test_only_what_was_said_is_sent() -> None:
    assert build_request("return 1", {"id": "a", "queue_timeout": None}) == {"id": "a", "script": "return 1", "queue_timeout": None}


def test_a_path_brings_its_text_and_its_name(tmp_path: Path) -> None:
    path = tmp_path / "crawl.js"
    path.write_bytes(b"\xef\xbb\xbfreturn '\xc3\xa9'")
    request = build_request(path, {})
    assert (request["script"], request["file"]) == ("return 'é'", "crawl.js")
    assert build_request(path, {"file": "other.js"})["file"] == "other.js"


def test_a_misspelt_option_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(TypeError, match="timout.*queue_timeout"):
        build_request("return 1", {"timout": 3})


def test_a_script_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        build_request(b"return 1", {})  # type: ignore[arg-type]


def test_every_name_of_the_protocol_has_its_class() -> None:
    table = (ROOT / "docs" / "protocol.md").read_text().split("## Tasks over REST")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`(\w+Error)`", row)}
    assert len(names) > 20
    for name in names:
        error = error_from_json({"name": name, "message": "why"})
        assert type(error).__name__ == name and error.name == name
        assert getattr(anytab, name) is type(error)


def test_the_tree_groups_what_is_caught_together() -> None:
    assert issubclass(TabClosedError, errors.InfrastructureError)
    assert issubclass(errors.NoBrowserError, errors.InfrastructureError)
    assert issubclass(errors.ConflictError, errors.DaemonError)
    assert issubclass(errors.TimeoutError, builtins.TimeoutError)
    assert issubclass(errors.WaitTimeoutError, builtins.TimeoutError)
    assert not issubclass(errors.WaitTimeoutError, errors.TimeoutError)
    assert issubclass(errors.UnreachableError, builtins.ConnectionError)
    assert not issubclass(ScriptError, errors.InfrastructureError)


def test_a_name_of_a_newer_daemon_is_still_an_error_that_says_why() -> None:
    error = error_from_json({"name": "FluxError", "message": "the flux is down"})
    assert type(error) is AnyError
    assert str(error) == "FluxError: the flux is down"


def test_a_script_error_shows_the_stack_with_file_and_line() -> None:
    error = error_from_json(
        {
            "name": "ScriptError",
            "message": "x is not a function",
            "thrown": "TypeError",
            "stack": "TypeError: x is not a function\n    at go (crawl.js:3:9)\n    at crawl.js:7:1",
            "file": "crawl.js",
            "line": 3,
            "column": 9,
        }
    )
    assert isinstance(error, ScriptError)
    assert str(error) == "TypeError: x is not a function\n    at go (crawl.js:3:9)\n    at crawl.js:7:1"
    assert (error.thrown, error.file, error.line, error.column) == ("TypeError", "crawl.js", 3, 9)


def test_a_script_error_without_a_stack_still_shows_where() -> None:
    error = error_from_json(
        {"name": "ScriptError", "message": "Unexpected token", "thrown": "SyntaxError", "file": "a.js", "line": 2, "column": 5}
    )
    assert str(error) == "SyntaxError: Unexpected token\n    at a.js:2:5"


def test_a_thrown_value_that_is_no_error_has_no_name() -> None:
    error = error_from_json({"name": "ScriptError", "message": "the script threw 'stop'", "thrown": None})
    assert isinstance(error, ScriptError)
    assert error.thrown is None and str(error) == "the script threw 'stop'"


def test_a_hint_is_part_of_what_is_shown() -> None:
    error = error_from_json({"name": "NoBrowserError", "message": "none", "hint": "try `any doctor`"})
    assert str(error) == "none\ntry `any doctor`"


RECORD = {
    "id": "a",
    "state": "failed",
    "result": None,
    "error": {"name": "TabClosedError", "message": "the tab was closed"},
    "tab": {"id": 4, "url": "http://a/", "title": "A"},
    "attempts": [{"number": 1, "dispatched": "2026-01-31T09:00:00.250Z", "started": None, "ended": None, "browser": "b", "error": None}],
    "console": [{"time": "2026-01-31T09:00:00.000Z", "level": "warn", "text": "hm", "line": 2, "column": 1}],
    "created": "2026-01-31T09:00:00.000Z",
    "of_tomorrow": 1,
}


def test_a_record_of_a_failed_task_raises_its_error_and_the_error_knows_the_record() -> None:
    record = Record.from_json(RECORD)
    assert record.done and record.tab is not None and record.tab.url == "http://a/"
    assert record.console[0].text == "hm"
    assert record.attempts[0].dispatched is not None and record.attempts[0].dispatched.microsecond == 250_000
    assert record.created is not None and record.created.utcoffset() is not None
    assert record.raw["of_tomorrow"] == 1
    with pytest.raises(TabClosedError) as caught:
        record.value()
    assert caught.value.record is record


def test_a_script_that_returned_nothing_gives_none() -> None:
    assert Record.from_json({"id": "a", "state": "completed", "result": None, "result_type": "undefined"}).value() is None


def test_an_event_gives_its_members_by_name() -> None:
    event = Event.from_json({"task": "a", "seq": 3, "time": "2026-01-31T09:00:00.000Z", "kind": "progress", "value": {"n": 1}})
    assert (event.seq, event.kind, event["value"], event.get("text")) == (3, "progress", {"n": 1}, None)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("http://localhost", "http://localhost:8766"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_addresses_are_read_as_people_write_them(given: str, url: str) -> None:
    endpoint = Endpoint(given)
    assert endpoint.url == url and endpoint.is_loopback
    assert endpoint.rpc_url == "ws" + url[4:] + "/v1/rpc"


@pytest.mark.parametrize("given", ["127.0.0.1:8766", "ftp://127.0.0.1", "http://", "http://127.0.0.1:1/v1"])
def test_an_address_that_is_none_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match="http://127.0.0.1:8766"):
        Endpoint(given)


def settings(text: str) -> Path:
    """Writes config.toml where the library looks for it."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_argument_then_environment_then_file_then_default_name_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(daemon: Optional[str] = None) -> tuple[str, bool]:
        endpoint = Endpoint.choose(daemon, None)
        return endpoint.url, endpoint.named

    assert chosen() == ("http://127.0.0.1:8766", False)
    settings('listen = ["127.0.0.1:3000", "[::1]:3000"]')
    assert chosen() == ("http://127.0.0.1:3000", False)
    settings('listen = "[::1]:3500"')
    assert chosen() == ("http://[::1]:3500", False)
    monkeypatch.setenv("ANY_LISTEN", " 127.0.0.1:4000, [::1]:4000")
    assert chosen() == ("http://127.0.0.1:4000", False)
    settings('daemon = "127.0.0.1:5000"')
    assert chosen() == ("http://127.0.0.1:5000", True)
    monkeypatch.setenv("ANY_DAEMON", "http://127.0.0.1:1000")
    assert chosen() == ("http://127.0.0.1:1000", True)
    assert chosen("http://127.0.0.1:2000") == ("http://127.0.0.1:2000", True)


def test_environment_then_file_then_default_name_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "any"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == Path.home() / ".local/state/any"
    settings('state_dir = "/in/the/file"')
    assert state_folder() == Path("/in/the/file")
    monkeypatch.setenv("ANY_STATE_DIR", "/elsewhere")
    assert state_folder() == Path("/elsewhere")


@pytest.mark.parametrize("text", ["daemon = 1", "listen = []", "listen = [1]", "daemon ="])
def test_settings_that_cannot_be_read_are_an_error_that_names_the_file(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    path = settings(text)
    with pytest.raises(errors.BadRequestError, match=re.escape(str(path))):
        Endpoint.choose(None, None)
    # To whom they would tell nothing they do not matter.
    assert Endpoint.choose("http://127.0.0.1:2000", None).port == 2000


@pytest.mark.parametrize("text", ["state_dir = 1", "state_dir = ''", "[[["])
def test_a_state_folder_that_is_none_is_an_error_that_names_the_file(text: str) -> None:
    path = settings(text)
    with pytest.raises(errors.BadRequestError, match=re.escape(str(path))):
        state_folder()


def test_a_binary_named_by_the_environment_must_be_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANY_BINARY", str(tmp_path / "missing"))
    with pytest.raises(errors.UnreachableError, match="missing"):
        find_binary()
    binary = tmp_path / "any"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("ANY_BINARY", str(binary))
    assert find_binary() == binary
