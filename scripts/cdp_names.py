#!/usr/bin/env python3
"""Writes src/api/openapi/cdp_names.json: the names of CDP's domains, commands and events, as one Chrome tells them.

    chromium --headless --remote-debugging-port=9222 about:blank &
    scripts/cdp_names.py http://127.0.0.1:9222

The daemon answers /json/protocol from it where it has no file of Chrome's own (docs/cdp.md).
"""

import json
import sys
import urllib.request
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "src/api/openapi/cdp_names.json"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(sys.argv[1].rstrip("/") + "/json/protocol") as answer:
        protocol = json.load(answer)
    rows = []
    for domain in sorted(protocol["domains"], key=lambda row: row["domain"]):
        names = {kind: " ".join(row["name"] for row in domain.get(kind, [])) for kind in ("commands", "events")}
        rows.append(f"  {json.dumps(domain['domain'])}: {json.dumps(names)}")
    OUT.write_text("{\n" + ",\n".join(rows) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
