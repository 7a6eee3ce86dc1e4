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


PATTERNS = [
    "<all_urls>", "*://*/*", "https://*.example/*", "http://localhost:8000/x*", "https://*:8443/*", "https://a.example:*/*", "file:///*",
    "file:///home/ada/*", "http://[::1]/*", "http://[::1]:8000/*", "https://Example.com/a b", "<all_urls>x", "https://a.example", "a.example/*",
    "https:///x", "https://*a.example/*", "https://a.*/*", "https://a:b:80/*", "https://a:123456/*", "https://a:/*", "https://a b/*",
    "ftp://a.example/*", "chrome-extension://a/*", "chrome://version/", "about:blank", "file://x", "",
]  # fmt: skip
OPENED = [
    "http://a.example/", "https://a.example/", "file:///home/ada/x.html", "about:blank", "data:text/html,x", "blob:https://a.example/1",
    "chrome://version", "chrome-extension://a/b.html", "javascript:1", "a.example", "",
]  # fmt: skip


def test_what_may_be_said_of_tabs_and_frames_is_what_the_daemon_takes(daemon: Daemon) -> None:
    schemas = daemon.request("GET", "/openapi.json")[1]["components"]["schemas"]
    (opened,) = [kind["properties"]["open"]["pattern"] for kind in schemas["Tab"]["anyOf"] if "open" in kind.get("properties", {})]
    cases = [("tab", "url", url, schemas["MatchPattern"]["pattern"]) for url in PATTERNS]
    cases += [("frame", "url", url, schemas["MatchPattern"]["pattern"]) for url in PATTERNS]
    cases += [("tab", "open", url, opened) for url in OPENED]
    for field, kind, url, pattern in cases:
        status, answer = daemon.request("POST", "/v1/tasks", {"script": "return 1", field: {kind: url}})
        assert (status == 201) == bool(re.search(pattern, url)), (field, kind, url, answer)
        if status != 201:
            assert (status, answer["error"]["path"]) == (400, f"{field}.{kind}")


def test_an_address_where_no_script_can_run_is_refused_before_it_is_a_task(daemon: Daemon) -> None:
    status, answer = daemon.request("POST", "/v1/tasks", {"script": "return 1", "tab": {"open": "about:blank"}})
    assert status == 400
    assert re.search("must begin with http://, https:// or file://; no script can run in .* about:", answer["error"]["message"])
    assert daemon.request("GET", "/v1/tasks")[1]["tasks"] == []


# 422 is how a task that failed answers a request that was good; of cdp.call 400 is Chrome's own error, and 502 says that Chrome has not
# answered in time.
CONFIG = """
[[operations]]
include-operation-id = "tasks.result"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]

[[operations]]
include-operation-id = "cdp.call"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "5xx"]
[operations.checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "502", "503"]
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
        "--exclude-operation-id", "shutdown", "--exclude-operation-id", "tasks.watch",
    ]  # fmt: skip
    with LinkClient(daemon.url, label="work"):
        env = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COLUMNS": "160"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 60, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    assert daemon.health()["ok"]
