"""Where the outcomes of the cases are kept (build/conformance/results.json), and the reviewed list of known differences.

known.toml holds two lists of {client, case, reason}:
  [[limits]]       fails on raw Chromium too (what the client cannot do over CDP, or headless): both endpoints must fail alike
  [[differences]]  fails on the gateway alone
A case in either list that passes where it should fail makes the run fail, so that the list cannot grow old.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parents[1] / "build" / "conformance" / "results.json"


@dataclass(frozen=True)
class Known:
    kind: str  # "limits" or "differences"
    reason: str


def known() -> dict[tuple[str, str], Known]:
    """(client, case) → why it fails."""
    listed = tomllib.loads((FOLDER / "known.toml").read_text())
    found: dict[tuple[str, str], Known] = {}
    for kind in ("limits", "differences"):
        for entry in listed.get(kind, []):
            key = (entry["client"], entry["case"])
            assert key not in found, f"{key} is listed twice in known.toml"
            found[key] = Known(kind, entry["reason"])
    return found


def load() -> dict[str, dict[str, dict[str, Any]]]:
    """client → case → endpoint → {"outcome": "passed" | "failed", "error", "seconds"}"""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(fresh: dict[str, dict[str, dict[str, Any]]], whole: set[tuple[str, str]]) -> None:
    """Adds outcomes to those of earlier runs; those of (client, endpoint) pairs that ran whole are replaced."""
    kept = load()
    for client, cases in kept.items():
        for case in list(cases):
            for endpoint in list(cases[case]):
                if (client, endpoint) in whole:
                    del cases[case][endpoint]
            if not cases[case]:
                del cases[case]
    for client, cases in fresh.items():
        for case, outcomes in cases.items():
            kept.setdefault(client, {}).setdefault(case, {}).update(outcomes)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
