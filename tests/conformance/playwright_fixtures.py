"""Playwright (Python) on an endpoint: one connection for all cases, a fresh page for each.

Import the fixtures by name into the test module: `from playwright_fixtures import *  # noqa: F403`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from endpoint import Endpoint

__all__ = ["browser", "context", "isolated", "page", "playwright", "holder"]

#: milliseconds that Playwright waits for anything
PATIENCE = 8000


@pytest.fixture(scope="session")
def playwright(loop: asyncio.AbstractEventLoop) -> Iterator[Playwright]:
    manager = async_playwright()
    yield loop.run_until_complete(manager.start())
    loop.run_until_complete(manager.__aexit__())


class Holder:
    """The connection that cases share; made anew where a case has lost it."""

    def __init__(self, playwright: Playwright, endpoint: Endpoint) -> None:
        self._playwright = playwright
        self._endpoint = endpoint
        self._browser: Browser | None = None

    async def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self._browser = await self._playwright.chromium.connect_over_cdp(self._endpoint.http, timeout=PATIENCE)
        return self._browser

    async def close(self) -> None:
        if self._browser:
            await self._browser.close()
        self._browser = None


@pytest.fixture(scope="module")  # no longer: a connection closes the dialogs that its program does not listen to
def holder(playwright: Playwright, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> Iterator[Holder]:
    made = Holder(playwright, endpoint)
    yield made
    loop.run_until_complete(asyncio.wait_for(made.close(), 20))


@pytest.fixture
def browser(holder: Holder, loop: asyncio.AbstractEventLoop) -> Browser:
    return loop.run_until_complete(asyncio.wait_for(holder.browser(), 20))


@pytest.fixture
def context(browser: Browser) -> BrowserContext:
    """The default context: the person's own profile."""
    return browser.contexts[0]


@pytest.fixture
def page(context: BrowserContext, loop: asyncio.AbstractEventLoop) -> Iterator[Page]:
    """A fresh page; it and all pages that the case opened are closed afterwards."""

    async def make() -> Page:
        made = await context.new_page()
        made.set_default_timeout(PATIENCE)
        return made

    before = list(context.pages)
    made = loop.run_until_complete(asyncio.wait_for(make(), 20))
    yield made

    async def tidy() -> None:
        for opened in [p for p in context.pages if p not in before]:
            await opened.close()

    loop.run_until_complete(asyncio.wait_for(tidy(), 20))


@asynccontextmanager
async def isolated(browser: Browser, **options: object) -> AsyncIterator[Page]:
    """A page in a context of its own (Target.createBrowserContext)."""
    made = await browser.new_context(**options)  # type: ignore[arg-type]
    try:
        opened = await made.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened
    finally:
        await made.close()
