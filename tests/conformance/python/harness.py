"""Runs cases of a Python program and prints one JSON line each: {"case", "ok", "error"}. As node/harness.mjs does for Node.

    build/venv-programs/bin/python harness.py selenium_cases --list
    build/venv-programs/bin/python harness.py selenium_cases --endpoint http://127.0.0.1:9222 --site '{"base": …, "other": …}' [--only '["a case"]']

A program's file has `CASES` (name → function of what `opened(bench)` gives; coroutines where that is asynchronous).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
import tempfile
import traceback
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: seconds that a case may take
LIMIT = 25


@dataclass
class Bench:
    """What a case is given."""

    endpoint: str
    base: str
    elsewhere: str
    folder: Path

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or 0

    def url(self, path: str) -> str:
        return self.base + path

    def other(self, path: str) -> str:
        return self.elsewhere + path


def run(program: Any, bench: Bench, case: Any) -> None:
    opened = program.opened(bench)
    if isinstance(opened, AbstractContextManager):
        with opened as made:
            return case(made, bench)

    async def cased() -> None:
        async with opened as made:
            await case(made, bench)

    return asyncio.run(asyncio.wait_for(cased(), LIMIT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--endpoint")
    parser.add_argument("--site", type=json.loads)
    parser.add_argument("--only", type=json.loads)
    given = parser.parse_args()
    program = importlib.import_module(given.program)
    if given.list:
        print(json.dumps(list(program.CASES)))
        return 0
    for name, case in program.CASES.items():
        if given.only and name not in given.only:
            continue
        with tempfile.TemporaryDirectory(prefix="any-conformance-") as folder:
            bench = Bench(given.endpoint, given.site["base"], given.site["other"], Path(folder))
            try:
                run(program, bench, case)
                line: dict[str, Any] = {"case": name, "ok": True}
            except BaseException:  # a program may throw whatever it likes
                line = {"case": name, "ok": False, "error": traceback.format_exc(limit=-6)}
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
