#!/usr/bin/env python3
"""A task of MINUTES (10) whose service worker is killed each minute and left asleep in between: does its result arrive?

    build/venv/bin/python bench/long_task.py 10

The link must be the one that stood at the beginning, and the script must have run once.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support")]

from chromium import Chromium  # noqa: E402
from daemon import Daemon  # noqa: E402
from pages import Pages  # noqa: E402


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as state, Daemon(state_dir=Path(state) / "state") as daemon, Pages() as site, Chromium(daemon=daemon.url) as browser:
        daemon.wait_for_browser()
        since = daemon.request("GET", "/v1/browsers")[1]["browsers"][0]["since"]
        script = f"{site.counting('long')} await any.sleep({minutes * 60_000}); return 'arrived'"
        _, task = daemon.request("POST", "/v1/tasks", {"script": script, "tab": {"open": site.url("/plain")}, "timeout": None})
        kills, asleep, end = 0, 0, time.monotonic() + minutes * 60
        while time.monotonic() < end - 5:
            time.sleep(min(60.0, max(0.0, end - 5 - time.monotonic())))
            asleep += not browser.worker_runs()
            if browser.worker_runs():
                browser.kill_worker()
                kills += 1
        record = daemon.wait(task["id"])
        same = daemon.request("GET", "/v1/browsers")[1]["browsers"][0]["since"] == since
    print(f"{minutes:g} min: {record['state']} with {record['result']!r}, ran {site.count('long')} time; worker found asleep {asleep} times, killed {kills} times; "
          f"the link {'never dropped' if same else 'DROPPED'}")
    return 0 if record["result"] == "arrived" and same and site.count("long") == 1 else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # browser and daemon are ended with it
    sys.exit(main())
