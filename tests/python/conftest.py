"""A daemon and a real Chromium for the library's tests; those of the core ask for neither."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "support")]

from chromium import Chromium  # noqa: E402
from daemon import BINARY, Daemon  # noqa: E402

from anytab import Browser  # noqa: E402


@pytest.fixture(autouse=True)
def no_environment_of_the_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test meets the daemon, the state folder or the token of whoever runs it."""
    for name in ("ANY_DAEMON", "ANY_LISTEN", "ANY_TOKEN", "ANY_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    # Whoever asks these would not reach anything.
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANY_BINARY", str(BINARY))


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One for the module, with a browser linked to it only where `browser` is asked for."""
    with Daemon() as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: Daemon) -> Iterator[Chromium]:
    with Chromium(daemon=daemon.url) as running:
        daemon.wait_for_browser()
        yield running


@pytest.fixture
def b(daemon: Daemon, browser: Chromium) -> Iterator[Browser]:
    """The library, with a browser to work in."""
    with Browser(daemon.url) as connected:
        yield connected


@pytest.fixture
def lone() -> Iterator[Daemon]:
    """A daemon of the test's own that no browser knows."""
    with Daemon() as running:
        yield running
