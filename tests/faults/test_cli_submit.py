"""`any run` hands its task in once, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import subprocess

import pytest
from chromium import Chromium
from daemon import BINARY, Daemon
from pages import Pages
from proxy import LossyWire, Wire


def any_over(wire: Wire, daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, which reaches the daemon by that wire."""
    env = daemon.env | {"ANY_DAEMON": wire.url}
    return subprocess.run([str(BINARY), *words], env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("lost", ["asked", "answered"])
def test_a_task_whose_handing_in_was_lost_is_handed_in_again_and_runs_once(daemon: Daemon, browser: Chromium, site: Pages, lost: str) -> None:
    wire = LossyWire(daemon.port, **{lost: 1})
    script = site.counting(lost) + "; return 'once'"
    done = any_over(wire, daemon, "eval", script, "--open", site.url("/plain"), "--id", lost)
    wire.close()
    assert (done.returncode, done.stdout) == (0, '"once"\n'), done.stderr
    assert "handed in again" in done.stderr
    assert site.count(lost) == 1
    assert len(daemon.request("GET", f"/v1/tasks/{lost}")[1]["attempts"]) == 1


def test_a_detached_task_whose_answer_was_lost_is_handed_in_again_too(daemon: Daemon) -> None:
    wire = LossyWire(daemon.port, answered=1)
    done = any_over(wire, daemon, "eval", "return 1", "--detach")
    wire.close()
    assert done.returncode == 0, done.stderr
    assert daemon.request("GET", f"/v1/tasks/{done.stdout.strip()}")[1]["state"] == "queued"


def test_where_each_answer_is_lost_the_id_is_said_by_which_the_task_is_found(daemon: Daemon) -> None:
    wire = LossyWire(daemon.port, answered=1000)
    done = any_over(wire, daemon, "eval", "return 1", "--id", "unanswered")
    wire.close()
    assert done.returncode == 5, done.stderr
    assert "`any result unanswered` tells" in done.stderr
    assert daemon.request("GET", "/v1/tasks/unanswered")[1]["state"] == "queued"


@pytest.mark.waits
def test_where_the_daemon_stays_away_the_id_is_said_by_which_the_task_is_found(daemon: Daemon) -> None:
    wire = LossyWire(daemon.port, answered=1, for_good=True)
    done = any_over(wire, daemon, "eval", "return 1", "--id", "away")
    assert done.returncode == 5, done.stderr
    assert "any serve" in done.stderr and "`any result away`" in done.stderr
    assert daemon.cli("task", "away").returncode == 0
