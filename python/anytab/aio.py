"""The asynchronous side: AsyncBrowser and AsyncTask."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Generator, Mapping, Optional

from ._connection import Connection
from ._daemon import Endpoint
from ._request import Script, TaskOptions, build_request
from .errors import ConflictError, NoBrowserError, WaitTimeoutError
from .records import BrowserInfo, Event, LogLine, Record, TabInfo

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AsyncBrowser", "AsyncTask"]

_ASK_EACH = 300.0  # seconds, the longest wait the daemon grants in one question
_PAGE = 200  # records asked for at once


class AsyncTask:
    """A task the daemon holds. `await task` is `await task.result()`."""

    def __init__(self, browser: AsyncBrowser, id: str) -> None:
        self._browser = browser
        self.id = id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    def __await__(self) -> Generator[Any, None, Any]:
        return self.result().__await__()

    async def result(self, timeout: Optional[float] = None) -> Any:
        """What the script returned (None for nothing), or the task's own error raised.

        `timeout`: seconds to wait here; then WaitTimeoutError, and the task goes on.
        """
        return (await self.wait(timeout)).value()

    async def wait(self, timeout: Optional[float] = None) -> Record:
        """The record once the task has ended, well or not. WaitTimeoutError after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _ASK_EACH if deadline is None else min(_ASK_EACH, max(0.0, deadline - time.monotonic()))
            # The daemon waits; should it not answer at all, we still end, a little later.
            patience = None if deadline is None else max(0.0, deadline - time.monotonic()) + 1.0
            try:
                answer = await self._browser._connection.wait("tasks.get", {"id": self.id, "wait": left}, timeout=patience)
            except WaitTimeoutError:
                raise WaitTimeoutError(
                    f"task {self.id}: the daemon could not be asked within {timeout:g} s; it keeps the task, ask again by its id"
                ) from None
            record = Record.from_json(answer)
            if record.done:
                return record
            if deadline is not None and time.monotonic() >= deadline:
                waiting = f", waiting for a {record.waiting_for}" if record.waiting_for else ""
                error = WaitTimeoutError(
                    f"task {self.id} has not ended within {timeout:g} s: it is {record.state}{waiting}. It goes on; cancel() ends it"
                )
                error.record = record
                raise error

    async def record(self) -> Record:
        """All that is known of it now."""
        return Record.from_json(await self._browser._call("tasks.get", {"id": self.id, "wait": 0}))

    async def cancel(self) -> Record:
        """Has it ended as cancelled: at once where it waits; a running one once its browser has stopped it (`wait()` for that).

        The record as it is now. ConflictError where it has ended otherwise; cancelling twice is no error.
        """
        try:
            return Record.from_json(await self._browser._call("tasks.cancel", {"id": self.id}))
        except ConflictError:
            record = await self.record()
            if record.state == "cancelled":
                return record
            raise

    async def events(self) -> AsyncIterator[Event]:
        """Its history from the beginning and then live, none missing, none twice, over dropped connections; the last is `end`."""
        async for data in self._browser._connection.stream(f"task:{self.id}", 0):
            yield Event.from_json(data)

    async def screenshot(self) -> Optional[bytes]:
        """The picture (PNG) taken when it failed; None where there is none."""
        endpoint = self._browser._connection.endpoint
        await self._browser.open()
        status, body = await asyncio.to_thread(endpoint.get, f"/v1/tasks/{self.id}/screenshot", 30.0)
        return body if status == 200 else None


class AsyncBrowser:
    """A connection to the daemon and, through it, to the person's browsers. Many calls may be under way at once.

    `daemon`: its address; else $ANY_DAEMON, else what config.toml says (`daemon`, or the first of `listen`), else
    http://127.0.0.1:8766. `token`: else $ANY_TOKEN, else read from the state folder where the daemon wants one.
    `start`: run `any serve` where no daemon answers at a loopback address. `reconnect`: seconds for which a dropped
    connection is re-made; calls and waits live through that.

    Errors: ValueError for an address that is none, BadRequestError where config.toml is needed and cannot be read.
    """

    def __init__(
        self, daemon: Optional[str] = None, *, token: Optional[str] = None, start: bool = True, reconnect: float = 60.0
    ) -> None:
        self._connection = Connection(Endpoint.choose(daemon, token), start=start, reconnect=reconnect)

    async def __aenter__(self) -> AsyncBrowser:
        await self.open()
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The daemon's address."""
        return self._connection.endpoint.url

    async def open(self) -> None:
        """Connects now. Every call does so where it has to; UnreachableError where there is no daemon and none can be started."""
        await self._connection.open()

    async def close(self) -> None:
        """Ends the connection. Tasks go on."""
        await self._connection.close()

    async def _call(self, method: str, params: Mapping[str, Any], *, repeat: bool = True, timeout: Optional[float] = None) -> Any:
        return await self._connection.call(method, params, repeat=repeat, timeout=timeout)

    # -- tasks -------------------------------------------------------------------------------------------

    async def submit(self, script: Script, **options: Unpack[TaskOptions]) -> AsyncTask:
        """Hands a script over; it is on the daemon's disk when this returns. Options: see `TaskOptions`."""
        request = build_request(script, options)
        await self._call("tasks.submit", request)
        return AsyncTask(self, request["id"])

    async def run(self, script: Script, **options: Unpack[TaskOptions]) -> Any:
        """Submits, waits and returns the result, or raises the task's error. Interrupted, it cancels the task."""
        request = build_request(script, options)
        try:
            if self._connection.may_wait:
                record = Record.from_json(await self._connection.wait("tasks.submit", {**request, "wait": _ASK_EACH}))
                if record.done:
                    return record.value()
            else:
                await self._call("tasks.submit", request)
            return await AsyncTask(self, request["id"]).result()
        except asyncio.CancelledError:
            self._connection.forget("tasks.cancel", {"id": request["id"]})
            raise

    def task(self, id: str) -> AsyncTask:
        """A task by its id, also one of another program or of last week. Nothing is asked yet."""
        return AsyncTask(self, id)

    async def tasks(
        self,
        *,
        state: Optional[str] = None,
        label: Optional[str] = None,
        browser: Optional[str] = None,
        limit: Optional[int] = 50,
    ) -> list[Record]:
        """Tasks, newest first, without result, console and args. `label` is ``key:value``; `limit` None: all there are."""
        found: list[Record] = []
        before: Optional[str] = None
        while limit is None or len(found) < limit:
            params: dict[str, Any] = {"limit": _PAGE if limit is None else min(_PAGE, limit - len(found))}
            for key, value in (("state", state), ("label", label), ("browser", browser), ("before", before)):
                if value is not None:
                    params[key] = value
            answer = await self._call("tasks.list", params)
            found += [Record.from_json(entry) for entry in answer["tasks"]]
            before = answer.get("next")
            if before is None:
                break
        return found

    # -- browsers ----------------------------------------------------------------------------------------

    async def wait_for_browser(self, timeout: Optional[float] = 30.0) -> BrowserInfo:
        """The first linked browser, as soon as there is one. NoBrowserError after `timeout` seconds (None: never)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _ASK_EACH if deadline is None else min(_ASK_EACH, max(0.0, deadline - time.monotonic()))
            try:
                return BrowserInfo.from_json(await self._call("browsers.wait", {"timeout": left}))
            except NoBrowserError:
                if deadline is not None and time.monotonic() >= deadline:
                    raise

    async def browsers(self) -> list[BrowserInfo]:
        """Every browser the daemon knows, linked or not."""
        answer = await self._call("browsers.list", {})
        return [BrowserInfo.from_json(entry) for entry in answer["browsers"]]

    async def tabs(self, browser: Optional[str] = None) -> list[TabInfo]:
        """The open tabs of one browser (id or label) or of all."""
        answer = await self._call("tabs.list", {} if browser is None else {"browser": browser})
        return [TabInfo.from_json(entry) for entry in answer["tabs"]]

    async def chrome(self, path: str, *args: Any, browser: Optional[str] = None) -> Any:
        """Any function of the extension's `chrome`: ``await b.chrome("tabs.query", {"active": True})``.

        `browser`: id or label; without it the first that is linked. It is not repeated when the connection drops under it
        (UnreachableError): nobody knows whether it was done.
        """
        if browser is None:
            browser = (await self.wait_for_browser(timeout=0)).id
        answer = await self._call("browsers.chrome", {"id": browser, "path": path, "args": list(args)}, repeat=False)
        return answer.get("result") if isinstance(answer, dict) else answer

    async def label(self, browser: str, label: str) -> BrowserInfo:
        """Gives a browser a name of your own."""
        return BrowserInfo.from_json(await self._call("browsers.label", {"id": browser, "label": label}))

    # -- the daemon --------------------------------------------------------------------------------------

    async def health(self) -> Mapping[str, Any]:
        """What the daemon says of itself."""
        answer: Mapping[str, Any] = await self._call("health", {})
        return answer

    async def logs(self, *, limit: int = 200, since: Optional[int] = None) -> list[LogLine]:
        """The last lines of the daemon's and the extensions' log, those from before a crash included."""
        params: dict[str, Any] = {"limit": limit}
        if since is not None:
            params["since"] = since
        answer = await self._call("logs.list", params)
        return [LogLine.from_json(line) for line in answer["lines"]]

    async def follow_logs(self, *, since: int = 0) -> AsyncIterator[LogLine]:
        """Log lines as they come, for ever."""
        async for data in self._connection.stream("log", since):
            yield LogLine.from_json(data)
