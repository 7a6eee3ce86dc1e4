"""Runs each case on raw Chromium and on the gateway and writes the outcomes down for docs/conformance.md.

A test module names its client (`CLIENT = "Playwright (Python)"`); each test with the fixture `endpoint` is a case, its name a
sentence. Tests may be coroutines: they run on one loop and end after LIMIT seconds at the latest.
    python -m pytest tests/conformance -k "raw and dialogs"
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import results  # noqa: E402
from endpoint import NAMES, Endpoint, NoDoors  # noqa: E402
from served import Site  # noqa: E402

#: seconds that a case may take
LIMIT = 25.0


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.run_until_complete(made.shutdown_asyncgens())
    made.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with Site() as pages:
        yield pages


@pytest.fixture(scope="session", params=NAMES)
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    try:
        made = Endpoint(request.param)
    except NoDoors as why:
        pytest.skip(str(why))
    yield made
    made.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    loop = pyfuncitem.funcargs.get("loop") or pyfuncitem._request.getfixturevalue("loop")
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    loop.run_until_complete(asyncio.wait_for(pyfuncitem.obj(**arguments), LIMIT))
    return True


def _case(item: pytest.Item) -> tuple[str, str, str] | None:
    """(client, case, endpoint) of a test."""
    client = getattr(getattr(item, "module", None), "CLIENT", None)
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if "endpoint" not in parameters:
        return None
    if "case" in parameters:  # cases that a program of the client's own language runs
        client, case = parameters["case"]
    else:
        case = getattr(item, "originalname", item.name).removeprefix("test_").replace("_", " ")
    return (client, case, parameters["endpoint"]) if client else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    listed = results.known()
    for item in items:
        named = _case(item)
        if named is None:
            continue
        client, case, endpoint = named
        item.user_properties.append(("conformance", [client, case, endpoint]))
        why = listed.get((client, case))
        if why and (why.kind == "limits" or endpoint == "gateway"):
            item.add_marker(pytest.mark.xfail(reason=why.reason, strict=True))


class Outcomes:
    """Collects what the cases came to, also from the workers of a parallel run."""

    def __init__(self) -> None:
        self.fresh: dict[str, dict[str, dict[str, Any]]] = {}
        self.ran: set[tuple[str, str]] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        named = dict(report.user_properties).get("conformance")
        if not named or (report.when != "call" and not report.failed):
            return
        client, case, endpoint = named
        expected = hasattr(report, "wasxfail")
        failed = report.failed and "[XPASS(strict)]" not in str(report.longrepr) or (expected and report.skipped)
        if report.skipped and not expected:
            return
        outcome: dict[str, Any] = {"outcome": "failed" if failed else "passed", "seconds": round(report.duration, 2)}
        if failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            outcome["error"] = (crash.message if crash else str(report.longrepr)).split("\n")[0][:300]
        self.fresh.setdefault(client, {}).setdefault(case, {})[endpoint] = outcome
        self.ran.add((client, endpoint))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self.fresh or hasattr(session.config, "workerinput"):
            return
        option = session.config.option
        chosen = option.keyword or option.markexpr or any("::" in argument or argument.endswith(".py") for argument in session.config.args)
        results.save(self.fresh, set() if chosen else self.ran)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(), "conformance-outcomes")
