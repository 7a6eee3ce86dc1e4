"""What the daemon tells, as typed values. Fields this library does not know stay readable in `raw`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Mapping, Optional

from .errors import AnyError, error_from_json

__all__ = ["Attempt", "BrowserInfo", "ConsoleLine", "Event", "LogLine", "Record", "TabInfo"]

FINAL_STATES = frozenset({"completed", "failed", "cancelled"})


def parse_time(text: Optional[str]) -> Optional[datetime]:
    """An ISO 8601 time in UTC, as the protocol writes it; None stays None."""
    if text is None:
        return None
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def _time(data: Mapping[str, Any], key: str) -> Optional[datetime]:
    value = data.get(key)
    return parse_time(value) if isinstance(value, str) else None


@dataclass(frozen=True)
class TabInfo:
    """A tab. `browser` is empty where it is clear which one is meant (inside a task's record)."""

    id: int
    url: str
    title: str
    browser: str = ""
    window: Optional[int] = None
    active: bool = False
    focused: bool = False
    discarded: bool = False
    incognito: bool = False
    status: str = ""
    last_used: Optional[datetime] = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TabInfo:
        return cls(
            id=int(data["id"]),
            url=str(data.get("url") or ""),
            title=str(data.get("title") or ""),
            browser=str(data.get("browser") or ""),
            window=data.get("window"),
            active=bool(data.get("active")),
            focused=bool(data.get("focused")),
            discarded=bool(data.get("discarded")),
            incognito=bool(data.get("incognito")),
            status=str(data.get("status") or ""),
            last_used=_time(data, "last_used"),
            raw=data,
        )


@dataclass(frozen=True)
class BrowserInfo:
    """One Chrome profile in which the extension runs."""

    id: str
    label: str
    linked: bool
    since: Optional[datetime]
    last_seen: Optional[datetime]
    product: str
    platform: str
    extension: str
    paused: bool
    capabilities: Mapping[str, bool]
    running: tuple[str, ...]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BrowserInfo:
        return cls(
            id=str(data["id"]),
            label=str(data.get("label") or ""),
            linked=bool(data.get("linked")),
            since=_time(data, "since"),
            last_seen=_time(data, "last_seen"),
            product=str(data.get("product") or ""),
            platform=str(data.get("platform") or ""),
            extension=str(data.get("extension") or ""),
            paused=bool(data.get("paused")),
            capabilities=dict(data.get("capabilities") or {}),
            running=tuple(data.get("running") or ()),
            raw=data,
        )


@dataclass(frozen=True)
class ConsoleLine:
    """A line the script wrote to its console. `line` and `column` are those of the script, where known."""

    time: Optional[datetime]
    level: str
    text: str
    line: Optional[int] = None
    column: Optional[int] = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ConsoleLine:
        return cls(
            _time(data, "time"), str(data.get("level") or "log"), str(data.get("text") or ""), data.get("line"), data.get("column")
        )


@dataclass(frozen=True)
class Attempt:
    """One delivery of a task to a browser."""

    number: int
    browser: Optional[str]
    dispatched: Optional[datetime]
    started: Optional[datetime]
    ended: Optional[datetime]
    error: Optional[AnyError]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attempt:
        error = data.get("error")
        return cls(
            int(data.get("number") or 1),
            data.get("browser"),
            _time(data, "dispatched"),
            _time(data, "started"),
            _time(data, "ended"),
            error_from_json(error) if error else None,
        )


@dataclass(frozen=True)
class Record:
    """All that is known of a task. In a list, `result`, `console` and `args` are left out."""

    id: str
    state: str
    result: Any
    result_type: Optional[str]
    error: Optional[AnyError]
    injection: Optional[str]
    browser: Optional[str]
    tab: Optional[TabInfo]
    attempts: tuple[Attempt, ...]
    hops: int
    progress: Any
    console: tuple[ConsoleLine, ...]
    created: Optional[datetime]
    started: Optional[datetime]
    ended: Optional[datetime]
    waiting_for: Optional[str]
    screenshot: Optional[str]
    labels: Mapping[str, str]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def done(self) -> bool:
        """The state is completed, failed or cancelled, and stays so."""
        return self.state in FINAL_STATES

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        error = data.get("error")
        tab = data.get("tab")
        record = cls(
            id=str(data["id"]),
            state=str(data["state"]),
            result=data.get("result"),
            result_type=data.get("result_type"),
            error=error_from_json(error) if error else None,
            injection=data.get("injection"),
            browser=data.get("browser"),
            tab=TabInfo.from_json(tab) if tab else None,
            attempts=tuple(Attempt.from_json(a) for a in data.get("attempts") or ()),
            hops=int(data.get("hops") or 0),
            progress=data.get("progress"),
            console=tuple(ConsoleLine.from_json(c) for c in data.get("console") or ()),
            created=_time(data, "created"),
            started=_time(data, "started"),
            ended=_time(data, "ended"),
            waiting_for=data.get("waiting_for"),
            screenshot=data.get("screenshot"),
            labels=dict(data.get("labels") or {}),
            raw=data,
        )
        if record.error is not None:
            record.error.record = record
        return record

    def value(self) -> Any:
        """The result of a task that has ended well (None where the script returned nothing); raises the task's error otherwise."""
        if self.error is not None:
            raise self.error
        return self.result


@dataclass(frozen=True)
class Event:
    """One step in a task's life. `kind` says which further members there are: `event["value"]`, `event.get("text")`.

    queued · dispatched {attempt, browser} · started {attempt, hop, tab, injection} · progress {value} ·
    console {level, text, line, column} · hop {hop, url} · requeued {reason} · retry {attempt, error} ·
    waiting {for, message} · end {state, error}
    """

    seq: int
    time: Optional[datetime]
    kind: str
    data: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Event:
        rest = {k: v for k, v in data.items() if k not in ("seq", "time", "kind", "task")}
        return cls(int(data.get("seq") or 0), _time(data, "time"), str(data.get("kind") or ""), rest)


@dataclass(frozen=True)
class LogLine:
    """A line of the daemon's or an extension's log."""

    seq: int
    time: Optional[datetime]
    level: str
    source: str
    browser: Optional[str]
    task: Optional[str]
    text: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LogLine:
        return cls(
            int(data.get("seq") or 0),
            _time(data, "time"),
            str(data.get("level") or ""),
            str(data.get("source") or ""),
            data.get("browser"),
            data.get("task"),
            str(data.get("text") or ""),
        )
