"""Finding the daemon: its address, its health, its token; starting it where none runs. Blocking; stdlib alone.

Nothing here looks at proxies: http.client never does.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

from ._config import DEFAULT_DAEMON, daemon_address, state_folder
from ._core import PROTOCOL
from .errors import ProtocolError, UnauthorizedError, UnreachableError, error_from_json

__all__ = ["DEFAULT_DAEMON", "Endpoint", "find_binary", "state_folder"]

START_LIMIT = 10.0  # seconds until a daemon we started must answer
_ANSWER_LIMIT = 5.0  # seconds for /health, once connected

# Daemons started here: kept so that Python neither waits for them nor warns of them.
_started: list[subprocess.Popen[bytes]] = []


def find_binary() -> Optional[Path]:
    """The `any` binary: $ANY_BINARY, then PATH, then the build of the checkout this package lies in."""
    named = os.environ.get("ANY_BINARY")
    if named:
        if not os.access(named, os.X_OK):
            raise UnreachableError(f"ANY_BINARY names {named}, which cannot be executed")
        return Path(named)
    on_path = shutil.which("any")
    if on_path:
        return Path(on_path)
    built = Path(__file__).resolve().parents[2] / "build" / "release" / "any"
    return built if os.access(built, os.X_OK) else None


@dataclass
class Endpoint:
    """One daemon's address. `named`: somebody asked for this very address, so a daemon that is started must listen there."""

    url: str
    token: Optional[str] = None
    named: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"the daemon's address is written like {DEFAULT_DAEMON}, not {self.url!r}")
        self.secure = parts.scheme == "https"
        self.host = parts.hostname
        self.port = parts.port or 8766
        self.netloc = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        self.url = f"{parts.scheme}://{self.netloc}"

    @classmethod
    def choose(cls, daemon: Optional[str], token: Optional[str]) -> Endpoint:
        """The argument, else what environment and config.toml say (`daemon_address`); the token likewise from $ANY_TOKEN.

        Errors: ValueError for what is no address, BadRequestError for settings that cannot be read.
        """
        url, named = (daemon, True) if daemon else daemon_address()
        return cls(url, token or os.environ.get("ANY_TOKEN") or None, named)

    @property
    def rpc_url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://{self.netloc}/v1/rpc"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def get(self, path: str, timeout: float = _ANSWER_LIMIT) -> tuple[int, bytes]:
        """GET: status and body. OSError or http.client.HTTPException where that fails."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def health(self) -> Optional[Mapping[str, Any]]:
        """What the daemon says of itself; None where nothing listens. UnreachableError for a stranger or a daemon that does not answer."""
        try:
            status, body = self.get("/health")
        except ConnectionRefusedError:
            return None
        except (socket.timeout, TimeoutError) as error:
            raise UnreachableError(
                f"{self.url} accepted the connection but did not answer within {_ANSWER_LIMIT:g} s; is the daemon stopped or overloaded?"
            ) from error
        except ConnectionResetError:
            return None  # a daemon that is going
        except http.client.HTTPException as error:
            raise self._stranger(f"it does not speak HTTP ({error!r})") from error
        except OSError as error:
            raise UnreachableError(f"{self.url} cannot be reached: {error}") from error
        try:
            health = json.loads(body)
        except ValueError:
            raise self._stranger(f"GET /health was answered with status {status} and no JSON") from None
        if status in (401, 403) and isinstance(health, dict) and isinstance(health.get("error"), dict):
            if status == 401:
                return {"name": "any", "protocol": PROTOCOL, "token": True}
            raise error_from_json(health["error"])
        if not isinstance(health, dict) or health.get("name") != "any":
            raise self._stranger("it answers, but is not any")
        return health

    def check(self) -> bool:
        """True where a daemon that this library can work with answers, its token then known; False where nothing listens."""
        health = self.health()
        if health is None:
            return False
        theirs = health.get("protocol")
        if theirs != PROTOCOL:
            older, newer = ("library", "daemon") if isinstance(theirs, int) and theirs > PROTOCOL else ("daemon", "library")
            raise ProtocolError(
                f"the {older} is older than the {newer}: the daemon at {self.url} (version {health.get('version')}) speaks "
                f"protocol {theirs}, this library speaks {PROTOCOL}; upgrade the {older}"
            )
        if health.get("token") and not self.token:
            self.token = self._find_token()
        return True

    def _find_token(self) -> str:
        path = state_folder() / "token"
        try:
            token = path.read_text().strip()
        except OSError as error:
            raise UnauthorizedError(
                f"the daemon at {self.url} wants a token and none could be read from {path} ({error.strerror}); "
                "pass token=… or set ANY_TOKEN"
            ) from error
        if not token:
            raise UnauthorizedError(f"the daemon at {self.url} wants a token and {path} is empty; pass token=… or set ANY_TOKEN")
        return token

    def _stranger(self, how: str) -> UnreachableError:
        return UnreachableError(
            f"something other than any holds {self.url}: {how}. Stop it, or run `any serve --listen 127.0.0.1:PORT` "
            "and set ANY_DAEMON=http://127.0.0.1:PORT"
        )

    def start(self) -> None:
        """Runs `any serve` detached and waits until it answers. Others may start it at the same time: one wins, all are served."""
        if not self.is_loopback:
            raise UnreachableError(f"no daemon answers at {self.url}, and one elsewhere cannot be started from here")
        binary = find_binary()
        if binary is None:
            raise UnreachableError(
                f"no daemon answers at {self.url}, and the program `any` was not found to start one: "
                "put it on PATH, set ANY_BINARY to its path, or run `any serve` yourself"
            )
        folder = state_folder().absolute()  # its own folder is where it will run
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = folder / "daemon.log"
        command = [str(binary), "serve", "--state-dir", str(folder)]
        if self.named:
            command += ["--listen", self.netloc]
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            begins = os.fstat(descriptor).st_size
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=descriptor,
                    stderr=descriptor,
                    start_new_session=True,
                    cwd=folder,
                )
            except OSError as error:
                raise UnreachableError(f"{binary} could not be started: {error}") from error
        finally:
            os.close(descriptor)
        _started.append(process)
        self._await_start(process, log, begins)

    def _await_start(self, process: subprocess.Popen[bytes], log: Path, begins: int) -> None:
        deadline = time.monotonic() + START_LIMIT
        ended_at: Optional[float] = None
        while time.monotonic() < deadline:
            if self.health() is not None:
                return
            if process.poll() is not None:
                # It may have lost a race against another starter, whose daemon is about to answer.
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > 2:
                    break
            time.sleep(0.02)
        with open(log, "rb") as file:
            file.seek(begins)
            said = file.read()[-2000:].decode(errors="replace").strip()
        how = f"ended with status {process.returncode}" if process.returncode is not None else f"did not answer within {START_LIMIT:g} s"
        raise UnreachableError(f"`any serve` was started for {self.url} but {how}. Its log, {log}, says:\n{said or '(nothing)'}")
