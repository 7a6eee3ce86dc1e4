"""The two MCP servers that drive a browser over CDP, each started for one module's cases on one endpoint."""

from __future__ import annotations

import re
from pathlib import Path

BIN = Path(__file__).resolve().parents[2] / "node_modules" / ".bin"


def found(pattern: str, text: str) -> str:
    """The first group of the pattern in a snapshot."""
    match = re.search(pattern, text)
    assert match, f"no {pattern} in:\n{text}"
    return match[1]
