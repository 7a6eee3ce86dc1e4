"""The synchronous side: Browser and Task. The asynchronous one, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Coroutine, Iterator, Mapping, Optional, TypeVar

from ._request import Script, TaskOptions
from .aio import AsyncBrowser, AsyncTask
from .records import BrowserInfo, Event, LogLine, Record, TabInfo

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Browser", "Task"]

T = TypeVar("T")


class _Loop:
    """An event loop in a thread. Any thread may wait for what runs there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="anytab", daemon=True)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("this Browser has been closed; make a new one")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # ours was interrupted (Ctrl-C): so is the work
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> tuple[bool, Optional[T]]:
            try:
                return True, await items.__anext__()
            except StopAsyncIteration:
                return False, None

        try:
            while True:
                more, item = self.wait(following())
                if not more:
                    return
                yield item  # type: ignore[misc]  # T, where there is more
        finally:
            close = getattr(items, "aclose", None)
            if close is not None and not self._loop.is_closed():
                self.wait(close())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class Task:
    """A task the daemon holds."""

    def __init__(self, loop: _Loop, task: AsyncTask) -> None:
        self._loop = loop
        self._task = task

    def __repr__(self) -> str:
        return f"<Task {self.id}>"

    @property
    def id(self) -> str:
        return self._task.id

    def result(self, timeout: Optional[float] = None) -> Any:
        """What the script returned (None for nothing), or the task's own error raised.

        `timeout`: seconds to wait here; then WaitTimeoutError, and the task goes on.
        """
        return self._loop.wait(self._task.result(timeout))

    def wait(self, timeout: Optional[float] = None) -> Record:
        """The record once the task has ended, well or not. WaitTimeoutError after `timeout` seconds."""
        return self._loop.wait(self._task.wait(timeout))

    def record(self) -> Record:
        """All that is known of it now."""
        return self._loop.wait(self._task.record())

    def cancel(self) -> Record:
        """Has it ended as cancelled: at once where it waits; a running one once its browser has stopped it (`wait()` for that).

        The record as it is now. ConflictError where it has ended otherwise; cancelling twice is no error.
        """
        return self._loop.wait(self._task.cancel())

    def events(self) -> Iterator[Event]:
        """Its history from the beginning and then live, none missing, none twice, over dropped connections; the last is `end`."""
        return self._loop.iterate(self._task.events())

    def screenshot(self) -> Optional[bytes]:
        """The picture (PNG) taken when it failed; None where there is none."""
        return self._loop.wait(self._task.screenshot())


class Browser:
    """A connection to the daemon and, through it, to the person's browsers. Any thread may use it.

    `daemon`: its address; else $ANY_DAEMON, else what config.toml says (`daemon`, or the first of `listen`), else
    http://127.0.0.1:8766. `token`: else $ANY_TOKEN, else read from the state folder where the daemon wants one.
    `start`: run `any serve` where no daemon answers at a loopback address. `reconnect`: seconds for which a dropped
    connection is re-made; calls and waits live through that.

    Errors: ValueError for an address that is none, BadRequestError where config.toml is needed and cannot be read.
    """

    def __init__(
        self, daemon: Optional[str] = None, *, token: Optional[str] = None, start: bool = True, reconnect: float = 60.0
    ) -> None:
        self._browser = AsyncBrowser(daemon, token=token, start=start, reconnect=reconnect)
        self._running: Optional[_Loop] = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def _loop(self) -> _Loop:
        with self._lock:
            if self._closed:
                raise RuntimeError("this Browser has been closed; make a new one")
            if self._running is None:
                self._running = _Loop()
            return self._running

    def __enter__(self) -> Browser:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The daemon's address."""
        return self._browser.url

    def open(self) -> None:
        """Connects now. Every call does so where it has to; UnreachableError where there is no daemon and none can be started."""
        self._loop.wait(self._browser.open())

    def close(self) -> None:
        """Ends the connection; calls under way in other threads get UnreachableError. Tasks go on."""
        with self._lock:
            self._closed = True
            loop, self._running = self._running, None
        if loop is not None:
            loop.wait(self._browser.close())
            loop.stop()

    # -- tasks -------------------------------------------------------------------------------------------

    def submit(self, script: Script, **options: Unpack[TaskOptions]) -> Task:
        """Hands a script over; it is on the daemon's disk when this returns. Options: see `TaskOptions`."""
        loop = self._loop
        return Task(loop, loop.wait(self._browser.submit(script, **options)))

    def run(self, script: Script, **options: Unpack[TaskOptions]) -> Any:
        """Submits, waits and returns the result, or raises the task's error. Interrupted, it cancels the task."""
        return self._loop.wait(self._browser.run(script, **options))

    def task(self, id: str) -> Task:
        """A task by its id, also one of another program or of last week. Nothing is asked yet."""
        return Task(self._loop, self._browser.task(id))

    def tasks(
        self,
        *,
        state: Optional[str] = None,
        label: Optional[str] = None,
        browser: Optional[str] = None,
        limit: Optional[int] = 50,
    ) -> list[Record]:
        """Tasks, newest first, without result, console and args. `label` is ``key:value``; `limit` None: all there are."""
        return self._loop.wait(self._browser.tasks(state=state, label=label, browser=browser, limit=limit))

    # -- browsers ----------------------------------------------------------------------------------------

    def wait_for_browser(self, timeout: Optional[float] = 30.0) -> BrowserInfo:
        """The first linked browser, as soon as there is one. NoBrowserError after `timeout` seconds (None: never)."""
        return self._loop.wait(self._browser.wait_for_browser(timeout))

    def browsers(self) -> list[BrowserInfo]:
        """Every browser the daemon knows, linked or not."""
        return self._loop.wait(self._browser.browsers())

    def tabs(self, browser: Optional[str] = None) -> list[TabInfo]:
        """The open tabs of one browser (id or label) or of all."""
        return self._loop.wait(self._browser.tabs(browser))

    def chrome(self, path: str, *args: Any, browser: Optional[str] = None) -> Any:
        """Any function of the extension's `chrome`: ``b.chrome("tabs.query", {"active": True})``.

        `browser`: id or label; without it the first that is linked. It is not repeated when the connection drops under it
        (UnreachableError): nobody knows whether it was done.
        """
        return self._loop.wait(self._browser.chrome(path, *args, browser=browser))

    def label(self, browser: str, label: str) -> BrowserInfo:
        """Gives a browser a name of your own."""
        return self._loop.wait(self._browser.label(browser, label))

    # -- the daemon --------------------------------------------------------------------------------------

    def health(self) -> Mapping[str, Any]:
        """What the daemon says of itself."""
        return self._loop.wait(self._browser.health())

    def logs(self, *, limit: int = 200, since: Optional[int] = None) -> list[LogLine]:
        """The last lines of the daemon's and the extensions' log, those from before a crash included."""
        return self._loop.wait(self._browser.logs(limit=limit, since=since))

    def follow_logs(self, *, since: int = 0) -> Iterator[LogLine]:
        """Log lines as they come, for ever."""
        return self._loop.iterate(self._browser.follow_logs(since=since))
