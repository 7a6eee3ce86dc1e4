"""The I/O of the RPC socket: one connection, re-made when it drops. asyncio."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, AsyncIterator, Mapping, Optional, Union

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from ._core import Core, Stream
from ._daemon import Endpoint
from .errors import AnyError, ProtocolError, UnavailableError, UnreachableError, WaitTimeoutError, error_from_json

__all__ = ["Connection"]

_MAX_MESSAGE = 256 << 20  # bytes; a result may have 128 MiB, its record a request of 64 MiB besides
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between attempts to connect again
_MOST_WAITS = 4_000  # questions the daemon keeps open for us at a time
_RESTART_AFTER = 2.0  # seconds without a daemon after which one that we started is started again


class Connection:
    """Calls and streams over a socket that is re-made for `reconnect` seconds when it drops."""

    def __init__(self, endpoint: Endpoint, *, start: bool, reconnect: float) -> None:
        self.endpoint = endpoint
        self._start = start
        self._reconnect = reconnect
        self._core = Core()
        self._socket: Optional[ClientConnection] = None
        self._reader: Optional[asyncio.Task[None]] = None
        self._opening: Optional[asyncio.Lock] = None
        self._turns: Optional[asyncio.Semaphore] = None
        self._started_it = False
        self._closed = False

    async def open(self) -> None:
        """Connects, starting the daemon if none runs and that was wanted. Does nothing where the connection is held already."""
        if self._closed:
            raise UnreachableError("this Browser has been closed; make a new one")
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._reader is not None and not self._reader.done():
                return
            if not await asyncio.to_thread(self.endpoint.check):
                await self._start_daemon()
            socket = await self._connect()
            self._reader = asyncio.create_task(self._run(socket), name="anytab reader")

    async def close(self) -> None:
        """Ends the connection; whoever still waits gets UnreachableError."""
        self._closed = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
        self._core.fail(lambda: UnreachableError("this Browser was closed while the call was under way"))

    async def call(self, method: str, params: Mapping[str, Any], *, repeat: bool = True, timeout: Optional[float] = None) -> Any:
        """One request and its answer. `timeout`: seconds this program waits at most, WaitTimeoutError after."""
        await self.open()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: Optional[AnyError]) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)

        ident, text = self._core.call(method, params, done, repeat=repeat)
        try:
            await self._send(text)
            return await asyncio.wait_for(answer, timeout)
        except asyncio.TimeoutError as error:
            if isinstance(error, AnyError):
                raise
            raise WaitTimeoutError(f"`{method}` was not answered within {timeout:g} s") from None
        finally:
            self._core.abandon(ident)

    @property
    def may_wait(self) -> bool:
        """Whether one more question may stay open at the daemon: there must be room for those that are answered at once."""
        return self._turns is None or not self._turns.locked()

    async def wait(self, method: str, params: Mapping[str, Any], *, timeout: Optional[float] = None) -> Any:
        """A call that the daemon keeps open for a while, as soon as not too many are."""
        if self._turns is None:
            self._turns = asyncio.Semaphore(_MOST_WAITS)
        try:
            await asyncio.wait_for(self._turns.acquire(), timeout)
        except asyncio.TimeoutError:
            raise WaitTimeoutError(f"`{method}` had to wait for {_MOST_WAITS} others for more than {timeout:g} s") from None
        try:
            return await self.call(method, params, timeout=timeout)
        finally:
            self._turns.release()

    def forget(self, method: str, params: Mapping[str, Any]) -> None:
        """A request whose answer nobody wants; lost where there is no connection."""
        ident, text = self._core.call(method, params, lambda *_: None)
        self._core.abandon(ident)
        if text is not None:
            task = asyncio.ensure_future(self._send(text))
            task.add_done_callback(lambda t: t.cancelled() or t.exception())

    async def stream(self, key: str, after: int) -> AsyncIterator[Mapping[str, Any]]:
        """The notifications of one topic, over dropped connections, until its end."""
        await self.open()
        items: asyncio.Queue[Union[Mapping[str, Any], AnyError, None]] = asyncio.Queue()

        def sink(item: Optional[Mapping[str, Any]], error: Optional[AnyError]) -> None:
            items.put_nowait(error if error is not None else item)

        stream = Stream(key, sink, after)
        try:
            for text in self._core.open_stream(stream):
                await self._send(text)
            while True:
                item = await items.get()
                if item is None:
                    return
                if isinstance(item, AnyError):
                    raise item
                yield item
        finally:
            for text in self._core.close_stream(stream):
                await self._send(text)

    # -- inside ------------------------------------------------------------------------------------------

    async def _start_daemon(self) -> None:
        if not self._start:
            raise UnreachableError(f"no daemon answers at {self.endpoint.url}; start one with `any serve`")
        await asyncio.to_thread(self.endpoint.start)
        self._started_it = True
        if not await asyncio.to_thread(self.endpoint.check):
            raise UnreachableError(f"the daemon at {self.endpoint.url} ended right after its start; see `any doctor`")

    async def _connect(self) -> ClientConnection:
        try:
            socket = await connect(
                self.endpoint.rpc_url,
                additional_headers=self.endpoint.headers,
                proxy=None,
                compression=None,
                max_size=_MAX_MESSAGE,
                open_timeout=10,
                close_timeout=1,
            )
        except InvalidStatus as error:
            raise _refusal(error) from error
        except (OSError, EOFError, InvalidHandshake) as error:
            raise UnreachableError(f"the daemon at {self.endpoint.url} did not take the connection: {error}") from error
        self._socket = socket
        for text in self._core.connected():
            try:
                await socket.send(text)
            except WebSocketException:
                break  # the reader notices, and all is said again
        return socket

    async def _send(self, text: Optional[str]) -> None:
        if text is None or self._socket is None:
            return
        try:
            await self._socket.send(text)
        except WebSocketException:
            pass  # the reader notices, and what may be repeated is said again

    async def _run(self, socket: ClientConnection) -> None:
        """Reads until the client is closed; connects again in between."""
        while True:
            failure: Optional[AnyError] = None
            try:
                async for message in socket:
                    for text in self._core.receive(message):
                        await socket.send(text)
            except ProtocolError as error:
                failure = error
                await socket.close(1002)
            except WebSocketException as error:
                lost: Exception = error
            else:
                lost = EOFError("the daemon closed it")
            self._core.disconnected()
            if failure is not None:
                self._give_up(failure)
                return
            try:
                socket = await self._again(lost)
            except AnyError as error:
                self._give_up(error)
                return

    def _give_up(self, error: AnyError) -> None:
        self._core.fail(lambda: type(error)(error.message, error.data))

    async def _again(self, lost: Exception) -> ClientConnection:
        """A new connection, within the time for it. A refusal that waiting cannot cure is raised at once."""
        began = time.monotonic()
        pause = _FIRST_PAUSE
        last: Exception = lost
        while True:
            waited = time.monotonic() - began
            if waited > self._reconnect:
                raise UnreachableError(
                    f"the connection to the daemon at {self.endpoint.url} was lost and did not come back within "
                    f"{self._reconnect:g} s ({last}). Its tasks are in its journal: start `any serve` and ask again by their ids"
                )
            try:
                if await asyncio.to_thread(self.endpoint.check):
                    return await self._connect()
                if self._started_it and waited > _RESTART_AFTER:
                    await self._start_daemon()
                    continue
            except (UnreachableError, UnavailableError) as error:
                last = error
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _refusal(error: InvalidStatus) -> AnyError:
    """The daemon's own words for a handshake it refused."""
    response = error.response
    try:
        body = json.loads(response.body or b"")
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            return error_from_json(body["error"])
    except ValueError:
        pass
    return UnreachableError(f"the daemon refused the RPC socket with HTTP status {response.status_code}")


