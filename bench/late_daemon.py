#!/usr/bin/env python3
"""The extension first, the daemon MINUTES later: how long after the daemon's start does the link stand?

    build/venv/bin/python bench/late_daemon.py 5 20          # one line for each wait; runs for their sum

Nothing touches the browser meanwhile: the worker dies after 30 s, as it would in a person's idle browser. Each wait is measured from
the daemon's own ready line to the moment at which /health counts a browser.
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


def main() -> int:
    waits = [float(word) for word in sys.argv[1:]] or [20.0]
    worst = 0.0
    for minutes in waits:
        with tempfile.TemporaryDirectory() as state:
            daemon = Daemon(state_dir=Path(state) / "state", start=False)
            with Chromium(daemon=daemon.url) as browser:
                time.sleep(minutes * 60)
                worker = browser.worker_runs()
                daemon.start()
                began = time.monotonic()
                daemon.wait_for_browser()
                took = time.monotonic() - began
                ran = daemon.run("return 6 * 7", tab={"open": daemon.pages + "/shop.html"}, timeout=20)
            daemon.close()
        worst = max(worst, took)
        print(f"daemon started {minutes:g} min after the browser (worker {'alive' if worker else 'asleep'}): linked {took:.2f} s later, "
              f"first task {ran['state']}", flush=True)
    return 0 if worst <= 3 else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # browser and daemon are ended with it
    sys.exit(main())
