"""The library's core, without any I/O: what is said, what is kept, who is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Optional

import pytest

import anytab
from anytab import (
    AnyError,
    BadRequestError,
    NotFoundError,
    ProtocolError,
    TabNotFoundError,
    UnreachableError,
)
from anytab._core import LONGEST_QUEUE, Core, Stream


class Answers:
    """Collects what the core tells a caller."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.errors: list[AnyError] = []

    def __call__(self, result: Any, error: Optional[AnyError]) -> None:
        if error is not None:
            self.errors.append(error)
        else:
            self.results.append(result)


class Seen:
    """Collects what a stream brings."""

    def __init__(self) -> None:
        self.items: list[Mapping[str, Any]] = []
        self.ended = False
        self.error: Optional[AnyError] = None

    def __call__(self, item: Optional[Mapping[str, Any]], error: Optional[AnyError]) -> None:
        if item is not None:
            self.items.append(item)
        else:
            self.ended = True
            self.error = error

    @property
    def seqs(self) -> list[int]:
        return [item["seq"] for item in self.items]


def up() -> Core:
    core = Core()
    assert core.connected() == []
    return core


def sent(texts: list[str]) -> list[tuple[str, Any]]:
    return [(m["method"], m["params"]) for m in map(json.loads, texts)]


def reply(text: Optional[str], **members: Any) -> str:
    assert text is not None
    return json.dumps({"jsonrpc": "2.0", "id": json.loads(text)["id"], **members})


def event(task: str, seq: int, kind: str = "progress", **more: Any) -> str:
    params = {"task": task, "seq": seq, "time": "2026-01-31T09:00:00.000Z", "kind": kind, **more}
    return json.dumps({"jsonrpc": "2.0", "method": "task.event", "params": params})


def test_a_call_is_a_json_rpc_request_with_an_id_of_its_own() -> None:
    core = up()
    _, first = core.call("health", {}, Answers())
    _, second = core.call("health", {}, Answers())
    assert first is not None and second is not None
    a, b = json.loads(first), json.loads(second)
    assert (a["jsonrpc"], a["method"], a["params"]) == ("2.0", "health", {})
    assert a["id"] != b["id"]


def test_answers_in_any_order_reach_their_callers() -> None:
    core = up()
    one, two = Answers(), Answers()
    _, first = core.call("tasks.get", {"id": "1"}, one)
    _, second = core.call("tasks.get", {"id": "2"}, two)
    core.receive(reply(second, result="second"))
    core.receive(reply(first, result="first"))
    assert (one.results, two.results) == (["first"], ["second"])
    assert core.idle


def test_a_null_result_is_an_answer() -> None:
    core, answers = up(), Answers()
    _, text = core.call("tasks.unwatch", {}, answers)
    core.receive(reply(text, result=None))
    assert answers.results == [None]


def test_an_error_comes_back_as_its_own_class() -> None:
    core, answers = up(), Answers()
    _, text = core.call("tasks.get", {"id": "x"}, answers)
    data = {"name": "TabNotFoundError", "message": "no tab matches", "tabs": [{"id": 3}]}
    core.receive(reply(text, error={"code": -32000, "message": "no tab matches", "data": data}))
    (error,) = answers.errors
    assert isinstance(error, TabNotFoundError)
    assert error.tabs == [{"id": 3}]


def test_an_unknown_method_says_that_the_daemon_is_older() -> None:
    core, answers = up(), Answers()
    _, text = core.call("tabs.list", {}, answers)
    core.receive(reply(text, error={"code": -32601, "message": "m", "data": {"name": "NotFoundError", "message": "m"}}))
    assert isinstance(answers.errors[0], ProtocolError)
    assert "older than this library" in str(answers.errors[0])


def test_what_json_cannot_carry_is_refused_before_it_is_sent() -> None:
    core = up()
    for value in (object(), float("nan"), {1, 2}):
        with pytest.raises(BadRequestError, match="JSON"):
            core.call("tasks.submit", {"args": value}, Answers())
    assert core.idle


def test_a_message_that_is_not_json_is_a_protocol_error() -> None:
    core = up()
    for text in ("{", "[1]", "3", "[" * 100_000):
        with pytest.raises(ProtocolError):
            core.receive(text)


def test_answers_and_notifications_nobody_asked_for_are_ignored() -> None:
    core = up()
    core.receive('{"jsonrpc":"2.0","id":99,"result":1}')
    core.receive('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}')
    core.receive('{"jsonrpc":"2.0","method":"new.thing","params":{}}')
    core.receive(event("nobody", 1))
    assert core.idle


def test_a_call_made_without_a_connection_is_sent_once_there_is_one() -> None:
    core, answers = Core(), Answers()
    _, text = core.call("tasks.submit", {"id": "a"}, answers)
    assert text is None
    texts = core.connected()
    assert sent(texts) == [("tasks.submit", {"id": "a"})]
    core.receive(reply(texts[0], result={}))
    assert answers.results == [{}]


def test_an_unanswered_submit_is_sent_again_on_the_next_connection() -> None:
    core, answers = up(), Answers()
    core.call("tasks.submit", {"id": "a"}, answers)
    core.disconnected()
    again = core.connected()
    assert sent(again) == [("tasks.submit", {"id": "a"})]
    core.receive(reply(again[0], result="kept"))
    assert answers.results == ["kept"] and not answers.errors


def test_a_call_that_must_not_be_repeated_fails_when_the_connection_drops() -> None:
    core, answers = up(), Answers()
    core.call("browsers.chrome", {}, answers, repeat=False)
    core.disconnected()
    assert isinstance(answers.errors[0], UnreachableError)
    assert "may or may not" in str(answers.errors[0])
    assert core.connected() == []


def test_a_call_that_must_not_be_repeated_waits_if_it_was_never_sent() -> None:
    core, answers = Core(), Answers()
    core.call("browsers.chrome", {"path": "tabs.query"}, answers, repeat=False)
    core.disconnected()
    assert not answers.errors
    assert sent(core.connected()) == [("browsers.chrome", {"path": "tabs.query"})]


def test_a_daemon_that_shuts_down_is_asked_again_after_its_return() -> None:
    core, answers = up(), Answers()
    _, text = core.call("tasks.get", {"id": "a", "wait": 300}, answers)
    core.receive(reply(text, error={"code": -32000, "message": "m", "data": {"name": "UnavailableError", "message": "shutting down"}}))
    assert not answers.errors
    core.disconnected()
    assert sent(core.connected()) == [("tasks.get", {"id": "a", "wait": 300})]


def test_an_abandoned_call_is_neither_answered_nor_repeated() -> None:
    core, answers = up(), Answers()
    ident, text = core.call("tasks.get", {"id": "a"}, answers)
    core.abandon(ident)
    core.receive(reply(text, result=1))
    core.disconnected()
    assert core.connected() == []
    assert not answers.results


def test_giving_up_tells_every_caller_and_every_stream() -> None:
    core, answers, seen = up(), Answers(), Seen()
    core.call("tasks.get", {"id": "a"}, answers)
    core.open_stream(Stream("task:a", seen))
    core.fail(lambda: UnreachableError("gone"))
    assert isinstance(answers.errors[0], UnreachableError)
    assert isinstance(seen.error, UnreachableError)
    assert seen.error is not answers.errors[0]
    assert core.idle


def test_a_stream_watches_and_ends_with_the_task() -> None:
    core, seen = up(), Seen()
    texts = core.open_stream(Stream("task:a", seen))
    assert sent(texts) == [("tasks.watch", {"id": "a", "after": 0})]
    core.receive(reply(texts[0], result={"watching": True}))
    core.receive(event("a", 1, "queued"))
    core.receive(event("a", 2, "end", state="completed", error=None))
    assert seen.seqs == [1, 2]
    assert seen.ended and seen.error is None
    assert core.idle


def test_a_stream_goes_on_where_it_was_after_a_dropped_connection() -> None:
    core, seen = up(), Seen()
    core.open_stream(Stream("task:a", seen))
    core.receive(event("a", 1))
    core.receive(event("a", 2))
    core.disconnected()
    assert sent(core.connected()) == [("tasks.watch", {"id": "a", "after": 2})]
    core.receive(event("a", 2))  # said twice
    core.receive(event("a", 3))
    assert seen.seqs == [1, 2, 3]


def test_waiting_is_shown_and_does_not_count() -> None:
    core, seen = up(), Seen()
    core.open_stream(Stream("task:a", seen))
    core.receive(event("a", 1, "queued"))
    core.receive(event("a", 1, "waiting", message="no browser"))
    core.receive(event("a", 2, "dispatched"))
    assert [item["kind"] for item in seen.items] == ["queued", "waiting", "dispatched"]


def test_progress_that_is_told_live_alone_is_shown_and_does_not_count() -> None:
    core, seen = up(), Seen()
    core.open_stream(Stream("task:a", seen))
    core.receive(event("a", 7))
    for value in (1, 2):
        core.receive(event("a", 7, "progress", value=value, live=True))
    core.disconnected()
    assert sent(core.connected()) == [("tasks.watch", {"id": "a", "after": 7})]
    assert [item.get("value") for item in seen.items] == [None, 1, 2]


def test_a_second_stream_of_a_task_gets_everything_and_disturbs_nobody() -> None:
    core, one, two = up(), Seen(), Seen()
    core.open_stream(Stream("task:a", one))
    core.receive(event("a", 1))
    texts = core.open_stream(Stream("task:a", two))
    assert sent(texts) == [("tasks.unwatch", {"id": "a"}), ("tasks.watch", {"id": "a", "after": 0})]
    core.receive(event("a", 2))  # still from the first watch
    core.receive(reply(texts[1], result={"watching": True}))
    for seq in (1, 2, 3):
        core.receive(event("a", seq))
    assert one.seqs == [1, 2, 3]
    assert two.seqs == [1, 2, 3]


def test_the_last_stream_of_a_task_to_close_ends_the_watch() -> None:
    core = up()
    one, two = Stream("task:a", Seen()), Stream("task:a", Seen())
    core.open_stream(one)
    core.open_stream(two)
    assert core.close_stream(one) == []
    assert sent(core.close_stream(two)) == [("tasks.unwatch", {"id": "a"})]
    assert core.close_stream(two) == []


def test_a_refused_watch_ends_the_stream_with_the_error() -> None:
    core, seen = up(), Seen()
    (text,) = core.open_stream(Stream("task:a", seen))
    core.receive(reply(text, error={"code": -32000, "message": "m", "data": {"name": "NotFoundError", "message": "no such task"}}))
    assert isinstance(seen.error, NotFoundError)


def test_log_lines_reach_the_log_stream_only() -> None:
    core, log, task = up(), Seen(), Seen()
    texts = core.open_stream(Stream("log", log, after=7))
    core.open_stream(Stream("task:a", task))
    assert sent(texts) == [("logs.watch", {"since": 7})]
    core.receive('{"jsonrpc":"2.0","method":"log.line","params":{"seq":8,"text":"hello"}}')
    assert log.seqs == [8] and not task.items


def test_what_the_daemon_would_not_take_at_once_is_held_until_there_is_room() -> None:
    core, answers = up(), Answers()
    texts = [core.call("tasks.get", {"id": str(n)}, answers)[1] for n in range(LONGEST_QUEUE)]
    assert None not in texts
    ident, _ = core.call("tasks.get", {"id": "left"}, answers)
    assert core.call("tasks.get", {"id": "held"}, answers)[1] is None
    core.abandon(ident)
    released = core.receive(reply(texts[0], result=1))
    assert sent(released) == [("tasks.get", {"id": "held"})]
    # An abandoned question is still open at the daemon.
    core.abandon(json.loads(texts[1] or "")["id"])
    assert core.call("tasks.get", {"id": "more"}, answers)[1] is None
    core.disconnected()
    assert len(core.connected()) == LONGEST_QUEUE


def test_the_librarys_version_is_that_of_the_extension_and_so_of_the_daemon() -> None:
    manifest = Path(__file__).resolve().parents[2] / "extension" / "manifest.json"
    assert anytab.__version__ == json.loads(manifest.read_text())["version"]
