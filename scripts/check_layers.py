#!/usr/bin/env python3
"""Holds the table of rooms: a file in src/ includes only rooms that stand before its own (or its own).

Prints each include that points the wrong way, and each file outside net/ that sees Boost.Beast; exit code 1 if there are any.
"""
import re
import sys
from pathlib import Path

ROOMS = ["base", "async", "wire", "task", "cdp", "store", "net", "browser", "service", "page", "mcp", "api", "app", "client", "cli"]
# A room that sees less than its place would allow.
ONLY = {
    "task": {"base", "wire"},  # no I/O
    "cdp": {"base", "wire"},  # no I/O
    "wire": {"base"},
    "net": {"base", "async", "wire"},
    "client": {"base", "async", "wire", "net"},
}
# The rooms inside cdp/, in their order; its own files (the gateway and the router) see them all.
CDP_ROOMS = ["protocol", "attach", "intercept", "model", "session", "browser", "synthetic"]
# Functions of the gateway itself that lie in the room of their subject see all rooms too, but for the rooms that hold none.
OF_THE_GATEWAY = '#include "cdp/impl.hpp"'
WITHOUT_THE_GATEWAY = {"protocol", "intercept"}
# Asio's coroutines are the house's; sockets and files are not for these.
PURE = {"wire", "task", "cdp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def cdp_fault(room: str, target: str) -> bool:
    """Whether `target` is in a room inside cdp/ that stands after `room`."""
    return target.startswith("cdp/") and target.split("/")[1] not in CDP_ROOMS[: CDP_ROOMS.index(room) + 1]


def faults(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in {".cpp", ".hpp"}:
            continue
        room = path.relative_to(root / "src").parts[0]
        inside = path.relative_to(root / "src").parts
        if room == "cdp" and len(inside) > 2 and inside[1] not in CDP_ROOMS:
            found.append(f"{path.relative_to(root)}: the room {inside[1]!r} is not in the table of cdp")
            continue
        if room not in ROOMS:
            found.append(f"{path.relative_to(root)}: the room {room!r} is not in the table")
            continue
        allowed = ONLY.get(room, set(ROOMS[: ROOMS.index(room)])) | {room}
        lines = path.read_text().splitlines()
        exempt = OF_THE_GATEWAY in lines and inside[1] not in WITHOUT_THE_GATEWAY
        in_cdp_room = room == "cdp" and len(inside) > 2 and not exempt
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where = f"{path.relative_to(root)}:{number}"
            kind, target = match.groups()
            first = target.split("/")[0]
            if kind == '"' and first in ROOMS and first not in allowed:
                found.append(f"{where}: {room} must not include {target}")
            if kind == '"' and in_cdp_room and cdp_fault(inside[1], target):
                found.append(f"{where}: this room of cdp must not include {target}")
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
