"""Runs cases one after another and adds one JSON line each to `given["said"]`: {"case", "value"} or {"case", "error"}.

Not to stdout: clients, and the servers that they bundle, write there in the middle of a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

#: what the test hands over: where the browser is (http, socket), the scripted model, the pages of two sites, a folder,
#: the file for what the cases say
given: dict[str, str] = json.loads(sys.argv[1])
#: seconds that a case may take
LIMIT = 20.0
CASES: list[tuple[str, Callable[[], Awaitable[Any]]]] = []


def case(work: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """Adds the function to the cases; its name is the sentence."""
    CASES.append((work.__name__.replace("_", " "), work))
    return work


async def until(look: Callable[[], Awaitable[Any]], wanted: Any, patience: float = 5.0) -> Any:
    """Waits until `look()` gives the value, and returns what it gave last."""
    end = time.monotonic() + patience
    while True:
        seen = await look()
        if seen == wanted or time.monotonic() > end:
            return seen
        await asyncio.sleep(0.02)


async def run_all() -> None:
    for place, (name, work) in enumerate(CASES):
        try:
            told = {"value": await asyncio.wait_for(work(), LIMIT)}
        except TimeoutError:
            told = {"error": f"not within {LIMIT:g} s"}
        except Exception as error:  # whatever the client throws is the case's outcome
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        with open(given["said"], "a") as said:
            said.write(json.dumps({"case": name, **told}) + "\n")
        if "error" in told and place == 0:
            return  # not connected: nothing else can work


def main() -> None:
    asyncio.run(run_all())
    os._exit(0)  # what a client leaves running is not the case's business
