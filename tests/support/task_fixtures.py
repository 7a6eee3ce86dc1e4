"""Fixtures for tests of scripts in pages: one browser a module, a tab a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .chromium import Chromium, Tab
from .pages import Pages
from .tasks import TaskBench


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    with Pages() as pages:
        yield pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium("http://127.0.0.1:9") as chromium:  # nobody listens there: the bench is the link
        yield chromium


@pytest.fixture(scope="module")
def bench(browser: Chromium) -> TaskBench:
    return TaskBench(browser)


@pytest.fixture
def tab(browser: Chromium, site: Pages) -> Iterator[Tab]:
    """A tab with a plain page."""
    opened = browser.open(site.url("/plain"))
    yield opened
    browser.cdp.post("Target.closeTarget", targetId=opened.target)
