"""A CDP client of the gateway that notes all it is told: what the drop tests look at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chromium import Cdp, eventually
from daemon import Daemon


class Client(Cdp):
    """One socket on the gateway. `events` has all that was told, in its order."""

    def __init__(self, daemon: Daemon | str) -> None:
        address = daemon if isinstance(daemon, str) else daemon.url
        super().__init__(address.replace("http://", "ws://") + "/")

    @property
    def closed(self) -> tuple[int | None, str | None] | None:
        """Code and reason of the socket's end; None while it is open."""
        return (self._socket.close_code, self._socket.close_reason) if self._ended else None

    def told(self, method: str, session: str | None | type = Any, since: int = 0) -> list[dict[str, Any]]:
        """The params of all events of that name."""
        return [params for whose, name, params in self.events[since:] if name == method and session in (Any, whose)]

    def wait_told(
        self, method: str, session: Any = Any, since: int = 0, timeout: float = 10, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The first such event."""

        def first() -> list[dict[str, Any]]:
            return [params for params in self.told(method, session, since) if where(params)]

        return eventually(first, timeout, f"{method} is told")[0]

    def page(self, url: str) -> "Page":
        """A new page with a session of its own."""
        target = self.call("Target.createTarget", url=url)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session)


class Page:
    """A session on a page, with the domains that clients enable."""

    def __init__(self, client: Client, target: str, session: str) -> None:
        self.client, self.target, self.session = client, target, session

    def __call__(self, method: str, timeout: float = 30.0, **params: Any) -> Any:
        return self.client.call(method, self.session, timeout, **params)

    def evaluate(self, expression: str, **params: Any) -> Any:
        answer = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, **params)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def enable(self, *domains: str) -> "Page":
        for domain in domains:
            self(f"{domain}.enable")
        return self

    def loaded(self) -> "Page":
        def complete() -> bool:
            return bool(self.client.glance(self.session, "location.href !== 'about:blank' && document.readyState === 'complete'"))

        eventually(complete, 20, "the page is complete")
        return self

    def told(self, method: str, since: int = 0) -> list[dict[str, Any]]:
        return self.client.told(method, self.session, since)

    def wait_told(self, method: str, since: int = 0, timeout: float = 10, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        return self.client.wait_told(method, self.session, since, timeout, where)


def quiet(client: Client, seconds: float) -> None:
    """Waits until nothing has been told for that long: for what must not come."""
    seen, at = len(client.events), time.monotonic()
    while time.monotonic() - at < seconds:
        if len(client.events) != seen:
            seen, at = len(client.events), time.monotonic()
        time.sleep(0.02)
