"""A daemon, a browser and a site for one test alone: the test breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium
from daemon import Daemon
from harness import Amid, Load, Rest
from pages import Pages


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path / "state") as running:
        yield running


@pytest.fixture
def browser(daemon: Daemon) -> Iterator[Chromium]:
    with Chromium(daemon=daemon.url) as running:
        daemon.wait_for_browser()
        yield running


@pytest.fixture(scope="session")
def site() -> Iterator[Pages]:
    with Pages() as running:
        yield running


@pytest.fixture
def rest(daemon: Daemon) -> Rest:
    return Rest(daemon.url)


@pytest.fixture
def load(rest: Rest, site: Pages, request: pytest.FixtureRequest) -> Load:
    return Load(rest, site.url("/plain"), site.count, request.node.name)


@pytest.fixture
def amid(rest: Rest, browser: Chromium, site: Pages) -> Amid:
    return Amid(rest, site)
