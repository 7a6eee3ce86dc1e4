"""What every end-to-end test needs: one daemon and one real Chromium for a module, the test site, the command line."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from chromium import Chromium
from daemon import Daemon
from pages import Pages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def binary() -> str:
    path = os.environ.get("ANY_BINARY", str(ROOT / "build/release/any"))
    assert os.access(path, os.X_OK), f"{path} is not built: cmake --build --preset release"
    return path


class CommandLine:
    """Calls `any …` against one daemon."""

    def __init__(self, binary: str, daemon: Daemon) -> None:
        self._binary = binary
        self.url = daemon.url
        self._env = os.environ | {"ANY_DAEMON": daemon.url, "ANY_STATE_DIR": str(daemon.state_dir), "TERM": "xterm"}

    def __call__(self, *words: object, input: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._binary, *map(str, words)], env=self._env, input=input, capture_output=True, text=True, timeout=timeout)

    def start(self, *words: object, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
        return subprocess.Popen([self._binary, *map(str, words)], env=self._env, stdout=subprocess.PIPE, stderr=stderr, text=True)

    @staticmethod
    def until(condition: Callable[[], bool], seconds: float = 20) -> None:
        """Waits for the condition; asking takes longer than the pause."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.02)


@pytest.fixture(scope="module")
def daemon(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(state_dir=tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(daemon: Daemon) -> Iterator[Chromium]:
    with Chromium(daemon=daemon.url) as running:
        daemon.wait_for_browser()
        yield running


@pytest.fixture(scope="session")
def site() -> Iterator[Pages]:
    with Pages() as running:
        yield running


@pytest.fixture
def cli(binary: str, daemon: Daemon, browser: Chromium) -> CommandLine:
    return CommandLine(binary, daemon)


@pytest.fixture
def lonely_cli(binary: str, tmp_path: Path) -> Iterator[CommandLine]:
    """A daemon that no browser ever finds."""
    with Daemon(state_dir=tmp_path / "state") as alone:
        yield CommandLine(binary, alone)
