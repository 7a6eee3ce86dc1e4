"""Every error, one class a name.

::

    AnyError
    ├── ScriptError                the script threw; .thrown .stack .file .line .column
    ├── TimeoutError               the task's own `timeout` ran out (also a builtins.TimeoutError)
    ├── CancelledError             the task was cancelled (not asyncio's)
    ├── InfrastructureError                  the way to the page failed
    │   ├── NoBrowserError         no browser within `queue_timeout`
    │   ├── PausedError            only paused browsers
    │   ├── TabNotFoundError       .tabs lists what is open
    │   ├── FrameNotFoundError
    │   ├── ForbiddenPageError     Chrome lets no extension in there; .tabs lists ordinary tabs
    │   ├── WorldUnavailableError
    │   ├── NavigatedError         the page went away under the script
    │   ├── TabClosedError
    │   ├── PageCrashedError
    │   └── BrowserLostError
    ├── ResultError                what the script returned cannot be carried
    │   ├── NotSerializableError   .path names the place inside the value
    │   └── ResultTooLargeError
    ├── DaemonError                the daemon refused the request
    │   ├── BadRequestError (.path), UnauthorizedError, ForbiddenError, NotFoundError,
    │   ├── MethodNotAllowedError, ConflictError, TooLargeError, QueueFullError,
    │   ├── RequestTimeoutError, DiskFullError, InternalError, UnavailableError
    │   └── ProtocolError          the daemon and this library are of versions that cannot work together
    ├── UnreachableError           no daemon answers (also a builtins.ConnectionError)
    └── WaitTimeoutError           *we* stopped waiting, the task goes on (also a builtins.TimeoutError)
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Mapping, Optional

if TYPE_CHECKING:
    from .records import Record

__all__ = [
    "AnyError",
    "BadRequestError",
    "BrowserLostError",
    "CancelledError",
    "ConflictError",
    "DaemonError",
    "DiskFullError",
    "ForbiddenError",
    "ForbiddenPageError",
    "FrameNotFoundError",
    "InternalError",
    "MethodNotAllowedError",
    "NavigatedError",
    "NoBrowserError",
    "NotFoundError",
    "NotSerializableError",
    "PageCrashedError",
    "PausedError",
    "ProtocolError",
    "QueueFullError",
    "RequestTimeoutError",
    "ResultError",
    "ResultTooLargeError",
    "InfrastructureError",
    "ScriptError",
    "TabClosedError",
    "TabNotFoundError",
    "TimeoutError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "WaitTimeoutError",
    "WorldUnavailableError",
    "error_from_json",
]


class AnyError(Exception):
    """Anything that went wrong. `str()` says what happened and what to do next.

    `data` is the error as the daemon told it; `record` the task's record where the error is a task's end.
    """

    def __init__(self, message: str, data: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.message = message
        self.data: Mapping[str, Any] = data if data is not None else {}
        self.record: Optional[Record] = None

    @property
    def name(self) -> str:
        """The name in the protocol's list."""
        return str(self.data.get("name", type(self).__name__))

    @property
    def hint(self) -> Optional[str]:
        """What to do about it, where the daemon says so apart from the message."""
        return self._text("hint")

    @property
    def path(self) -> Optional[str]:
        """The place inside the request or the value that is meant."""
        return self._text("path")

    @property
    def tabs(self) -> list[Any]:
        """The open tabs that could have been meant, as the daemon lists them."""
        tabs = self.data.get("tabs")
        return list(tabs) if isinstance(tabs, list) else []

    @property
    def stack(self) -> Optional[str]:
        return self._text("stack")

    @property
    def file(self) -> Optional[str]:
        return self._text("file")

    @property
    def line(self) -> Optional[int]:
        """1-based, in the script as it was handed over."""
        return self._number("line")

    @property
    def column(self) -> Optional[int]:
        return self._number("column")

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint and self.hint not in self.message else self.message

    def _text(self, key: str) -> Optional[str]:
        value = self.data.get(key)
        return value if isinstance(value, str) else None

    def _number(self, key: str) -> Optional[int]:
        value = self.data.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


class ScriptError(AnyError):
    """The script threw. `str()` is its message with the stack, in the script's own lines."""

    @property
    def thrown(self) -> Optional[str]:
        """The name of the script's own error (`TypeError` …); None for a thrown value that is no Error."""
        return self._text("thrown")

    def __str__(self) -> str:
        head = self.message
        if self.thrown and self.thrown not in head:
            head = f"{self.thrown}: {head}"
        lines = [head]
        frames = [line.rstrip() for line in (self.stack or "").splitlines() if line.strip()]
        # V8 repeats name and message at the top of the stack.
        while frames and not frames[0].lstrip().startswith("at "):
            frames.pop(0)
        lines += [f"    {frame.strip()}" for frame in frames]
        if self.file and self.line is not None:
            place = f"{self.file}:{self.line}"
            if not any(place in line for line in lines):
                column = f":{self.column}" if self.column is not None else ""
                lines.insert(1, f"    at {place}{column}")
        return "\n".join(lines)


class TimeoutError(AnyError, builtins.TimeoutError):
    """The task's own `timeout` (seconds per page) ran out."""


class CancelledError(AnyError):
    """A program cancelled the task."""


class InfrastructureError(AnyError):
    """The way to the page failed; the script itself did not."""


class NoBrowserError(InfrastructureError):
    """No browser that fits was connected within `queue_timeout`."""


class PausedError(InfrastructureError):
    """Only paused browsers fit, for all of `queue_timeout`."""


class TabNotFoundError(InfrastructureError):
    """No tab matches; `tabs` lists what is open."""


class FrameNotFoundError(InfrastructureError):
    """No frame matches."""


class ForbiddenPageError(InfrastructureError):
    """Chrome lets no extension into that page; `tabs` lists the ordinary ones."""


class WorldUnavailableError(InfrastructureError):
    """There is no way into this world on this page; the message says what to switch on."""


class NavigatedError(InfrastructureError):
    """The page was navigated away under the script."""


class TabClosedError(InfrastructureError):
    """The tab was closed under the script."""


class PageCrashedError(InfrastructureError):
    """The page's process died under the script."""


class BrowserLostError(InfrastructureError):
    """The browser went away and did not come back in time."""


class ResultError(AnyError):
    """The script ended well, but what it returned cannot be carried."""


class NotSerializableError(ResultError):
    """The result holds a value that JSON cannot carry; `path` names it."""


class ResultTooLargeError(ResultError):
    """The result is above the limit (128 MiB)."""


class DaemonError(AnyError):
    """The daemon refused the request."""


class BadRequestError(DaemonError, ValueError):
    """Malformed, of a wrong type, or an unknown field; `path` names it."""


class UnauthorizedError(DaemonError):
    """The token is missing or wrong."""


class ForbiddenError(DaemonError):
    """The daemon does not serve this caller (Host, Origin or user)."""


class NotFoundError(DaemonError, LookupError):
    """No such task, browser or method."""


class MethodNotAllowedError(DaemonError):
    """The route exists, with another method."""


class ConflictError(DaemonError):
    """The id is known with another body, or the task has ended."""


class TooLargeError(DaemonError):
    """The request is above the limit (64 MiB)."""


class QueueFullError(DaemonError):
    """100,000 tasks are waiting."""


class RequestTimeoutError(DaemonError):
    """The request came too slowly."""


class DiskFullError(DaemonError):
    """The journal cannot be written."""


class InternalError(DaemonError):
    """A bug of the daemon."""


class UnavailableError(DaemonError):
    """The daemon is shutting down."""


class ProtocolError(DaemonError):
    """The daemon and this library cannot work together; the message names the older side."""


class UnreachableError(AnyError, builtins.ConnectionError):
    """No daemon answers, none could be started, or the connection was lost under a call that must not be repeated."""


class WaitTimeoutError(AnyError, builtins.TimeoutError):
    """This program stopped waiting. Nothing was cancelled: the task goes on and can be asked for again by its id."""


_BY_NAME: dict[str, type[AnyError]] = {
    cls.__name__: cls
    for cls in (
        ScriptError,
        TimeoutError,
        CancelledError,
        NoBrowserError,
        PausedError,
        TabNotFoundError,
        FrameNotFoundError,
        ForbiddenPageError,
        WorldUnavailableError,
        NavigatedError,
        TabClosedError,
        PageCrashedError,
        BrowserLostError,
        NotSerializableError,
        ResultTooLargeError,
        BadRequestError,
        UnauthorizedError,
        ForbiddenError,
        NotFoundError,
        MethodNotAllowedError,
        ConflictError,
        TooLargeError,
        QueueFullError,
        RequestTimeoutError,
        DiskFullError,
        InternalError,
        UnavailableError,
        ProtocolError,
    )
}


def error_from_json(data: Mapping[str, Any]) -> AnyError:
    """The exception for an error as the daemon writes it. A name outside the list (a newer daemon's) becomes a plain AnyError."""
    name = data.get("name")
    message = data.get("message")
    text = message if isinstance(message, str) and message else f"the daemon gave no message: {dict(data)!r}"
    cls = _BY_NAME.get(name) if isinstance(name, str) else None
    if cls is None:
        return AnyError(f"{name}: {text}", data)
    return cls(text, data)
