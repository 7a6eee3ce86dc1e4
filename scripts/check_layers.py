#!/usr/bin/env python3
"""Holds the table of rooms: a file in src/ includes only rooms that stand before its own (or its own).

Prints each include that points the wrong way, and each file outside net/ that sees Boost.Beast; exit code 1 if there are any.
"""
import re
import sys
from pathlib import Path

ROOMS = ["base", "wire", "task", "cdp", "store", "net", "browser", "service", "page", "mcp", "api", "app", "client", "cli"]
# A room that sees less than its place would allow.
ONLY = {
    "task": {"base", "wire"},  # no I/O
    "cdp": {"base", "wire"},  # no I/O
    "wire": {"base"},
    "net": {"base", "wire"},
    "client": {"base", "wire", "net"},
}
# Asio's coroutines are the house's; sockets and files are not for these.
PURE = {"wire", "task", "cdp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def faults(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in {".cpp", ".hpp"}:
            continue
        room = path.relative_to(root / "src").parts[0]
        if room not in ROOMS:
            found.append(f"{path.relative_to(root)}: the room {room!r} is not in the table")
            continue
        allowed = ONLY.get(room, set(ROOMS[: ROOMS.index(room)])) | {room}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where = f"{path.relative_to(root)}:{number}"
            kind, target = match.groups()
            first = target.split("/")[0]
            if kind == '"' and first in ROOMS and first not in allowed:
                found.append(f"{where}: {room} must not include {target}")
            if target.startswith("boost/beast") and room != "net":
                found.append(f"{where}: only net/ may see Boost.Beast")
            if target.startswith("boost/asio") and room in PURE:
                found.append(f"{where}: {room} has no I/O and must not see Asio")
    return found


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    found = faults(root)
    print("\n".join(found) if found else "layers: every include points to an earlier room")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
