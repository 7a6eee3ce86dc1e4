"""/openapi.json is true: requests made from it, good and bad ones, against the running daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import Daemon
from link_client import LinkClient

SECONDS = 45


def test_every_reference_in_it_leads_somewhere(daemon: Daemon) -> None:
    status, document = daemon.request("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names and names <= set(document["components"]["schemas"])


# 422 is how a task that failed answers a request that was good.
CONFIG = """
[[operations]]
include-operation-id = "tasks.result"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]
"""


@pytest.mark.slow
def test_the_daemon_keeps_to_it(daemon: Daemon, tmp_path: Path) -> None:
    """schemathesis: what the description allows is taken, what it does not is refused, every answer has its shape."""
    daemon.request("POST", "/v1/tasks", {"script": "return 1", "id": "known", "queue_timeout": None})
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    # All but `wait`: it does what it says, and keeps us waiting (tests/daemon/test_rest.py holds it).
    document = daemon.request("GET", "/openapi.json")[1]
    del document["components"]["schemas"]["Request"]["properties"]["wait"]
    for path in ("/v1/tasks/{id}", "/v1/tasks/{id}/result"):
        del document["paths"][path]["get"]["parameters"][1]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", daemon.url,
        "--max-time", str(SECONDS), "--request-timeout", "10", "--seed", "1", "--workers", "1", "--max-examples", "40",
        "--phases", "examples,coverage,fuzzing", "--mode", "all", "--continue-on-failure",
        # Streams have no end, and a shutdown would end the test.
        "--exclude-operation-id", "shutdown", "--exclude-operation-id", "tasks.events",
    ]  # fmt: skip
    with LinkClient(daemon.url, label="work"):
        env = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COLUMNS": "160"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 60, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    assert daemon.health()["ok"]
