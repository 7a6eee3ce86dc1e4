"""Targets that come in another way than a client's own: each client is told, and none is disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from chromium import Cdp, Chromium, eventually
from daemon import Daemon
from pages import HTML, Pages

ALL = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}


@pytest.fixture
def client(daemon: Daemon, browser: Chromium) -> Iterator[Cdp]:
    made = Cdp(daemon.url.replace("http", "ws"))
    yield made
    made.close()


def attached(client: Cdp, target: str) -> list[str]:
    """The client's sessions on the target."""
    told = [params for _, method, params in client.events if method == "Target.attachedToTarget"]
    return [params["sessionId"] for params in told if params["targetInfo"]["targetId"] == target]


def test_a_tab_made_at_the_door_is_attached_to_and_nobody_waits_for_it(daemon: Daemon, client: Cdp, site: Pages) -> None:
    mine = client.call("Target.createTarget", url=site.url("/plain"))["targetId"]
    session = client.call("Target.attachToTarget", targetId=mine, flatten=True)["sessionId"]
    client.call("Runtime.enable", session)
    client.call("Target.setAutoAttach", **ALL)
    for turn in range(3):
        asked = client.post("Runtime.evaluate", session, expression="1", awaitPromise=True)
        status, made = daemon.request("PUT", f"/json/new?{site.url('/second')}")
        assert status == 200, made
        assert client.call("Runtime.evaluate", session, timeout=10, expression=f"{turn}")["result"]["value"] == turn
        assert asked.result(10)["result"]["value"] == 1
        eventually(lambda: attached(client, made["id"]), 10, "the client is told of the new tab")
        client.call("Target.closeTarget", targetId=made["id"])
    client.call("Target.closeTarget", targetId=mine)


class Service(Pages):
    """`/service/` is controlled by a service worker."""

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path.startswith("/service/worker.js"):
            return self._send(request, "text/javascript", {}, b"addEventListener('message', () => {}); addEventListener('activate', e => e.waitUntil(clients.claim()))")
        if request.path.startswith("/service/"):
            return self._send(request, HTML, {}, b"<!doctype html><title>Service</title><script>navigator.serviceWorker.register('worker.js')</script>")
        return super()._answer(request)


def test_a_service_worker_of_two_pages_outlives_the_first(client: Cdp) -> None:
    with Service() as service:
        client.call("Target.setAutoAttach", **ALL)
        pages = []
        for number in (1, 2):
            target = client.call("Target.createTarget", url=service.url(f"/service/?{number}"))["targetId"]
            session = eventually(lambda: attached(client, target), 10, "the page is attached to")[0]
            client.call("Target.setAutoAttach", session, **ALL)
            client.call("Runtime.evaluate", session, expression="navigator.serviceWorker.ready.then(() => 1)", awaitPromise=True)
            pages.append(target)

        def workers() -> list[str]:
            told = [(session, params) for session, method, params in client.events if method == "Target.attachedToTarget"]
            return [params["sessionId"] for session, params in told if params["targetInfo"]["type"] == "service_worker" and session is None]

        worker = eventually(workers, 15, "the worker is told at the browser's level")[0]
        assert client.evaluate(worker, "registration.scope") == service.url("/service/")
        client.call("Target.closeTarget", targetId=pages[0])
        assert client.evaluate(worker, "registration.scope", timeout=10) == service.url("/service/")
        client.call("Target.closeTarget", targetId=pages[1])
