"""The machine misbehaves while tasks run: the disk is full, the clock goes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import Chromium, eventually
from daemon import Daemon
from disk import fill, small_disk_at
from harness import Amid, Rest, counting
from pages import Pages


@pytest.fixture
def small_disk(tmp_path: Path):
    with small_disk_at(tmp_path / "small") as folder:
        yield folder


def test_a_full_disk_refuses_new_tasks_by_name_and_keeps_what_was_accepted(small_disk: Path, site: Pages) -> None:
    with Daemon(state_dir=small_disk / "state") as daemon, Chromium(daemon=daemon.url):
        daemon.wait_for_browser()
        rest, plain, filler = Rest(daemon.url), {"open": site.url("/plain")}, small_disk / "filler"
        with Amid(rest, site) as amid:
            amid.start("kept", plain, "await fetch('/hold?name=kept'); await fetch('/count/kept-ends', {keepalive: true}); return 'kept'")
            fill(filler)
            refused = False
            for number in range(200):
                name = f"full-{number}"
                script = counting("return args.key //" + "x" * 4000)
                status, answer = rest("POST", "/v1/tasks", {"script": script, "id": name, "args": {"key": name}, "tab": plain, "timeout": 90})
                if status == 507:
                    assert answer["error"]["name"] == "DiskFullError"
                    refused = True
                    break
                assert status == 201, answer
            assert refused, "a full disk must be said"
            site.release("kept")
            eventually(lambda: site.count("kept-ends") == 1, 20, "it ends where its end cannot be written")
            filler.unlink()
            assert amid.end("kept")["result"] == "kept"
            for other in range(number):
                assert amid.end(f"full-{other}", 60)["state"] == "completed"
            assert rest("GET", f"/v1/tasks/{name}")[0] == 404, "what was refused must not exist"
            amid.submit("after", "return 2", plain)
            assert amid.end("after")["result"] == 2
        assert site.count(name) == 0, "and nothing of it ran"


def test_a_clock_set_back_neither_ends_nor_keeps_tasks_wrongly(tmp_path: Path, site: Pages) -> None:
    stamp = tmp_path / "time"
    stamp.write_text("+0")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    fake = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with Daemon(state_dir=tmp_path / "state", env=fake) as daemon, Chromium(daemon=daemon.url) as browser:
        daemon.wait_for_browser()
        rest, plain = Rest(daemon.url), {"open": site.url("/plain")}
        with Amid(rest, site) as amid:
            amid.start("clock", plain, "await fetch('/hold?name=clock'); return 'on time'", timeout=60)
            stamp.write_text("-2d")
            amid.submit("earlier", "return 'before its time'", plain)
            assert amid.end("earlier", 20)["result"] == "before its time"
            site.release("clock")
            assert amid.end("clock", 20)["result"] == "on time"
            rest.submit("return 1", id="waits", browser="nobody", queue_timeout=2)
            assert rest.end("waits", 15)["error"]["name"] == "NoBrowserError"
            amid.start("through", plain, "await fetch('/hold?name=through'); return 'through'")
            daemon.kill9()
            site.release("through")
            stamp.write_text("-9d")
            daemon.start()
            assert amid.end("through", 40)["result"] == "through"
            assert browser.offscreen_runs()
