"""A browser linked to a daemon that the test plays, one of each for a module.

    from tests.support.link_fixtures import browser, daemon, link  # noqa: F401
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.chromium import Chromium
from tests.support.link_daemon import LinkDaemon, LinkedBrowser


@pytest.fixture(scope="module")
def daemon() -> Iterator[LinkDaemon]:
    with LinkDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: LinkDaemon) -> Iterator[Chromium]:
    with Chromium(daemon.address) as running:
        yield running


@pytest.fixture
def link(daemon: LinkDaemon, browser: Chromium) -> LinkedBrowser:
    return daemon.wait_link()
