"""The RPC socket without I/O: ids, pending calls, streams, and what survives a dropped connection.

The owner feeds it what arrives (`receive`) and tells it when a connection stands (`connected`) or is gone
(`disconnected`); it calls back whoever waits. Text to be sent is what `call`, `watch` … return, or is handed out by `connected`.
Not thread-safe: one thread owns a core.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Literal, Mapping, Optional, Union

from .errors import AnyError, BadRequestError, InternalError, ProtocolError, UnavailableError, UnreachableError, error_from_json

__all__ = ["LONGEST_QUEUE", "PROTOCOL", "Core", "Stream"]

PROTOCOL = 1
LONGEST_QUEUE = 9_000  # requests not answered yet; the daemon takes 10,000 a socket

Done = Callable[[Any, Optional[AnyError]], None]
Sink = Callable[[Optional[Mapping[str, Any]], Optional[AnyError]], None]


@dataclass
class _Call:
    """A request that has not been answered."""

    text: str
    label: str
    done: Done
    # What becomes of it when the connection drops: asked again, failed (if it was sent), or dropped as belonging to the connection.
    kind: Literal["repeat", "once", "watch"]
    sent: bool = False


@dataclass(eq=False)
class Stream:
    """One reader of a task's events or of the log. `sink(item, None)` for each, `sink(None, error or None)` at the end."""

    key: str  # "task:ID", or "log"
    sink: Sink
    after: int = 0
    live: bool = False  # notifications on this connection are meant for it


@dataclass
class _Topic:
    """All streams that share one watch of the daemon's."""

    streams: list[Stream] = field(default_factory=list)
    watched: bool = False  # on this connection


def encode(message: Mapping[str, Any]) -> str:
    """JSON text; BadRequestError for what JSON cannot carry."""
    try:
        return json.dumps(message, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequestError(f"the request cannot be written as JSON: {error}") from error


class Core:
    """State of one client across its connections."""

    def __init__(self) -> None:
        self._next_id = 0
        self._calls: dict[int, _Call] = {}
        self._topics: dict[str, _Topic] = {}
        self._up = False
        self._open: set[int] = set()  # sent on this connection and not answered, also those nobody waits for any more
        self._held: deque[int] = deque()  # to be sent when there is room

    # -- what the owner wants sent ------------------------------------------------------------------

    def call(self, method: str, params: Mapping[str, Any], done: Done, *, repeat: bool = True) -> tuple[int, Optional[str]]:
        """Registers a call; its id and the text to send now (None: `connected` or `receive` will hand it out, when a connection
        stands and has room).

        `repeat`: asking twice does no harm, so a lost answer is asked for again. Others fail with UnreachableError.
        """
        ident, text = self._register(method, params, done, "repeat" if repeat else "once")
        return ident, text if self._calls[ident].sent else None

    def abandon(self, ident: int) -> None:
        """Nobody waits for this answer any more."""
        self._calls.pop(ident, None)

    def open_stream(self, stream: Stream) -> list[str]:
        """Begins a stream; the texts to send now."""
        topic = self._topics.setdefault(stream.key, _Topic())
        topic.streams.append(stream)
        return self._watch(stream.key, topic) if self._up else []

    def close_stream(self, stream: Stream) -> list[str]:
        """Ends it without a word to its sink; the texts to send now."""
        topic = self._topics.get(stream.key)
        if topic is None or stream not in topic.streams:
            return []
        topic.streams.remove(stream)
        if topic.streams:
            return []
        del self._topics[stream.key]
        return [self._unwatch(stream.key)] if self._up and stream.key != "log" else []

    # -- what happens to the connection ---------------------------------------------------------------

    def connected(self) -> list[str]:
        """A connection stands: every text that has to be sent on it, oldest first."""
        self._up = True
        texts = []
        for ident, call in list(self._calls.items()):
            call.sent = self._sandbox(ident)
            if call.sent:
                texts.append(call.text)
        for key, topic in list(self._topics.items()):
            texts += self._watch(key, topic)
        return texts

    def disconnected(self) -> None:
        """The connection is gone. What may be repeated is kept; the rest is told."""
        self._up = False
        self._open.clear()
        self._held.clear()
        for topic in self._topics.values():
            topic.watched = False
            for stream in topic.streams:
                stream.live = False
        for ident, call in list(self._calls.items()):
            if call.kind == "watch":
                del self._calls[ident]
            elif call.sent and call.kind == "once":
                del self._calls[ident]
                call.done(
                    None,
                    UnreachableError(
                        f"the connection to the daemon was lost before `{call.label}` was answered; it may or may not have been done"
                    ),
                )

    def fail(self, make: Callable[[], AnyError]) -> None:
        """Nobody will answer any more: ends every call and stream, each with an error of its own."""
        self._up = False
        self._open.clear()
        self._held.clear()
        calls, self._calls = self._calls, {}
        topics, self._topics = self._topics, {}
        for call in calls.values():
            call.done(None, make())
        for topic in topics.values():
            for stream in topic.streams:
                stream.sink(None, make())

    @property
    def idle(self) -> bool:
        """Nobody waits for anything."""
        return not self._calls and not self._topics

    # -- what arrives -------------------------------------------------------------------------------------

    def receive(self, text: Union[str, bytes]) -> list[str]:
        """One message from the daemon; the texts to send now. ProtocolError where it is none."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"the daemon sent something that is not JSON: {error}") from error
        if not isinstance(message, dict):
            raise ProtocolError("the daemon sent something that is not a JSON-RPC message")
        if "method" in message:
            params = message.get("params")
            if isinstance(params, dict):
                self._notified(str(message["method"]), params)
        elif "id" in message:
            self._answered(message)
            return self._let_go()
        return []

    def _sandbox(self, ident: int) -> bool:
        """Whether this call can be sent now; if not, it is held until there is room."""
        if len(self._open) >= LONGEST_QUEUE:
            self._held.append(ident)
            return False
        self._open.add(ident)
        return True

    def _let_go(self) -> list[str]:
        texts = []
        while self._held and len(self._open) < LONGEST_QUEUE:
            ident = self._held.popleft()
            call = self._calls.get(ident)
            if call is not None:
                self._open.add(ident)
                call.sent = True
                texts.append(call.text)
        return texts

    def _answered(self, message: Mapping[str, Any]) -> None:
        ident = message.get("id")
        call = self._calls.pop(ident, None) if isinstance(ident, int) else None
        self._open.discard(ident if isinstance(ident, int) else -1)
        if call is None:
            return  # abandoned meanwhile
        error = message.get("error")
        if error is None:
            call.done(message.get("result"), None)
            return
        failure = rpc_error(error, call.label)
        if isinstance(failure, UnavailableError) and call.kind != "once":
            # The daemon is going: as good as lost, and asked again of its successor.
            if call.kind == "repeat" and isinstance(ident, int):
                self._calls[ident] = call
            return
        call.done(None, failure)

    def _notified(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "task.event":
            key = f"task:{params.get('task')}"
        elif method == "log.line":
            key = "log"
        else:
            return  # a newer daemon's
        topic = self._topics.get(key)
        if topic is None:
            return
        seq = params.get("seq")
        ends = key != "log" and params.get("kind") == "end"
        for stream in list(topic.streams):
            if not stream.live:
                continue
            if params.get("kind") != "waiting" and not params.get("live") and isinstance(seq, int):
                # `waiting`, and what is marked `live`, is not in the journal: it neither counts nor repeats. An end is an end,
                # whatever its number.
                if seq <= stream.after and not ends:
                    continue
                stream.after = seq
            stream.sink(params, None)
            if ends:
                topic.streams.remove(stream)
                stream.sink(None, None)
        if not topic.streams:
            self._topics.pop(key, None)

    # -- watches ---------------------------------------------------------------------------------------------

    def _watch(self, key: str, topic: _Topic) -> list[str]:
        """Has the daemon tell this topic from the earliest place that one of its streams still needs."""
        texts = []
        fresh = not topic.watched
        if topic.watched and key != "log":
            # Watching anew from an earlier place; what the old watch still sends is not for the new stream.
            texts.append(self._unwatch(key))
        waiting = [stream for stream in topic.streams if not stream.live]
        if fresh:
            for stream in waiting:
                stream.live = True
        topic.watched = True
        after = min(stream.after for stream in topic.streams)

        def done(_: Any, error: Optional[AnyError]) -> None:
            for stream in waiting:
                stream.live = True
            if error is not None:
                current = self._topics.pop(key, None)
                for stream in current.streams if current is not None else []:
                    stream.sink(None, error)

        if key == "log":
            texts.append(self._register("logs.watch", {"since": after}, done, "watch")[1])
        else:
            texts.append(self._register("tasks.watch", {"id": key[len("task:") :], "after": after}, done, "watch")[1])
        return texts

    def _unwatch(self, key: str) -> str:
        return self._register("tasks.unwatch", {"id": key[len("task:") :]}, lambda *_: None, "watch")[1]

    def _register(
        self, method: str, params: Mapping[str, Any], done: Done, kind: Literal["repeat", "once", "watch"]
    ) -> tuple[int, str]:
        self._next_id += 1
        text = encode({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        # Watches are few and are not held: their order counts.
        sent = self._up and (kind == "watch" or self._sandbox(self._next_id))
        self._calls[self._next_id] = _Call(text, method, done, kind, sent)
        return self._next_id, text


def rpc_error(error: Any, label: str) -> AnyError:
    """The exception for the `error` member of a JSON-RPC answer."""
    if isinstance(error, dict):
        data = error.get("data")
        code, message = error.get("code"), str(error.get("message") or "no message")
        if code == -32601:
            return ProtocolError(f"the daemon does not know `{label}`: {message}. It is older than this library: upgrade it")
        if isinstance(data, dict) and "name" in data:
            return error_from_json(data)
        if code == -32602:
            return BadRequestError(message)
        return InternalError(f"`{label}`: {message}")
    return InternalError(f"`{label}` was answered with an error of no known form: {error!r}")
