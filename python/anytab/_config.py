"""Where the daemon is and keeps its data, as the `any` program itself finds out: the environment, then config.toml, then the defaults.

Only the keys that the library needs are looked at; docs/configuration.md has them all. Errors: BadRequestError, naming the file
and the key, or the variable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Mapping

from .errors import BadRequestError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["DEFAULT_DAEMON", "config_path", "daemon_address", "state_folder"]

DEFAULT_DAEMON = "http://127.0.0.1:8766"


def config_path() -> Path:
    """The settings file. There need not be one."""
    return _base("XDG_CONFIG_HOME", ".config") / "any" / "config.toml"


def state_folder() -> Path:
    """Where the daemon keeps its journal, log and token. The file is read only where ANY_STATE_DIR is not set."""
    named = os.environ.get("ANY_STATE_DIR")
    if named:
        return Path(named)
    table = _table()
    if "state_dir" not in table:
        return _base("XDG_STATE_HOME", ".local/state") / "any"
    folder = _text(table, "state_dir")
    if not folder:
        raise _wrong("state_dir", "must name a folder")
    return Path(folder)


def daemon_address() -> tuple[str, bool]:
    """Its URL, and whether that was named by ANY_DAEMON or the key `daemon`; else it is the first address that the daemon listens on.

    The file is read only where ANY_DAEMON is not set.
    """
    named = os.environ.get("ANY_DAEMON")
    if named:
        return _url(named), True
    table = _table()
    daemon = _text(table, "daemon") if "daemon" in table else ""
    if daemon:
        return _url(daemon), True
    listen = os.environ.get("ANY_LISTEN")
    if listen:
        words = [word.strip() for word in listen.split(",") if word.strip()]
        if not words:
            raise BadRequestError("ANY_LISTEN in the environment must name an address at least")
        return _url(words[0]), False
    if "listen" in table:
        return _url(_first(table["listen"])), False
    return DEFAULT_DAEMON, False


def _base(variable: str, fallback: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if given.startswith("/") else Path.home() / fallback  # a relative one does not count, says XDG


def _table() -> Mapping[str, Any]:
    path = config_path()
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadRequestError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise BadRequestError(f"{path}: {error}") from error


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise _wrong(key, "must be a string")
    return value


def _first(listen: Any) -> str:
    every = [listen] if isinstance(listen, str) else listen
    if not isinstance(every, list) or not every or not all(isinstance(one, str) for one in every):
        raise _wrong("listen", "must be a list of strings and name an address at least")
    return str(every[0])


def _wrong(key: str, why: str) -> BadRequestError:
    return BadRequestError(f"{config_path()}: {key} {why}")


def _url(address: str) -> str:
    """HOST:PORT alone is an address for `any` too."""
    return address if "://" in address else f"http://{address}"
