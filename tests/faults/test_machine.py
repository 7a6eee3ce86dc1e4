"""The machine misbehaves: the disk is full, the clock goes back, both ends sleep."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from chromium import Chromium
from daemon import Daemon
from harness import Rest
from pages import Pages


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    assert os.geteuid() == 0, "a small disk needs a mount: run as root"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_new_tasks_by_name_and_keeps_what_was_accepted(small_disk: Path, site: Pages) -> None:
    with Daemon(state_dir=small_disk / "state") as daemon, Chromium(daemon=daemon.url):
        daemon.wait_for_browser()
        rest = Rest(daemon.url)
        rest.submit("await any.sleep(3000); return 'kept'", id="kept", tab={"open": site.url("/plain")})
        rest.until_state("kept", "running")
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as out:
            size = 1 << 16
            while size:
                try:
                    out.write(b"x" * size)
                except OSError:
                    size //= 2
        refused = 0
        for number in range(200):
            status, answer = rest("POST", "/v1/tasks", {"script": "return 1 //" + "x" * 4000, "id": f"full-{number}", "tab": {"open": site.url("/plain")}})
            if status == 507:
                assert answer["error"]["name"] == "DiskFullError"
                refused += 1
                break
            assert status == 201, answer
        assert refused, "a full disk must be said"
        filler.unlink()
        assert rest.end("kept", 30)["result"] == "kept"
        for other in range(number):
            assert rest.end(f"full-{other}", 60)["state"] == "completed"
        assert rest("GET", f"/v1/tasks/full-{number}")[0] == 404, "what was refused must not exist"
        rest.submit("return 2", id="after", tab={"open": site.url("/plain")})
        assert rest.end("after", 30)["result"] == 2


def test_a_clock_set_back_neither_ends_nor_keeps_tasks_wrongly(tmp_path: Path, site: Pages) -> None:
    stamp = tmp_path / "time"
    stamp.write_text("+0")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    fake = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with Daemon(state_dir=tmp_path / "state", env=fake) as daemon, Chromium(daemon=daemon.url) as browser:
        daemon.wait_for_browser()
        rest = Rest(daemon.url)
        rest.submit("await any.sleep(2500); return 'on time'", id="clock", tab={"open": site.url("/plain")}, timeout=10)
        rest.until_state("clock", "running")
        stamp.write_text("-2d")
        rest.submit("return 'before its time'", id="earlier", tab={"open": site.url("/plain")})
        assert rest.end("earlier", 15)["result"] == "before its time"
        assert rest.end("clock", 15)["result"] == "on time"
        rest.submit("return 1", id="waits", browser="nobody", queue_timeout=2)
        assert rest.end("waits", 10)["error"]["name"] == "NoBrowserError"
        rest.submit("await any.sleep(4000); return 'through'", id="through", tab={"open": site.url("/plain")})
        rest.until_state("through", "running")
        daemon.kill9()
        stamp.write_text("-9d")
        daemon.start()
        assert rest.end("through", 40)["result"] == "through"
        assert browser.offscreen_runs()
