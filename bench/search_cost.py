"""What the search for a daemon costs an idle browser: CPU seconds of all its processes, with the extension and without it.

    python bench/search_cost.py [SECONDS]      # 60 by default, for each of two runs that go on at the same time

Both browsers are headless Chromium with one empty tab, measured side by side so that a busy machine treats both alike.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from chromium import Chromium  # noqa: E402
from daemon import free_port  # noqa: E402

SETTLE_S = 130  # the worker falls asleep after 30 s, and Chromium has its own work to do for a while after a start; the search goes on at its pace


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    nobody = f"http://127.0.0.1:{free_port()}"
    prototype = f"http://127.0.0.1:{free_port()}"
    with Chromium(nobody, prototypes=[prototype]) as searching, Chromium(extension=False) as idle:
        searching.wait_extension()
        time.sleep(SETTLE_S)
        before = searching.cpu_seconds(), idle.cpu_seconds()
        start = time.monotonic()
        time.sleep(seconds)
        spent = time.monotonic() - start
        with_extension, without = searching.cpu_seconds() - before[0], idle.cpu_seconds() - before[1]
    hour = 3600 / spent
    print(f"{'':24}CPU seconds in {spent:.0f} s    an hour")
    print(f"{'searching':24}{with_extension:18.2f} {with_extension * hour:12.1f}")
    print(f"{'without the extension':24}{without:18.2f} {without * hour:12.1f}")
    print(f"{'the search costs':24}{with_extension - without:18.2f} {(with_extension - without) * hour:12.1f}")


if __name__ == "__main__":
    main()
