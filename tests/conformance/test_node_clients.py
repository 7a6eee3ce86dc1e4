"""Clients for Node: Puppeteer, Playwright and chrome-remote-interface. Their cases are in node/*.mjs; one process runs those chosen."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from endpoint import Endpoint
from served import Site

FOLDER = Path(__file__).resolve().parent / "node"
CLIENT = "Node"
#: client's name in the table → its files
CLIENTS = {
    "Puppeteer": ["puppeteer_pages", "puppeteer_network", "puppeteer_state"],
    "Playwright (npm)": ["playwright"],
    "chrome-remote-interface": ["remote_interface"],
}


@cache
def cases() -> list[tuple[str, str, str]]:
    """(client, file, case) of all."""
    if not shutil.which("node"):
        return []
    found = []
    for client, files in CLIENTS.items():
        for file in files:
            listed = subprocess.run(["node", FOLDER / "harness.mjs", file, "--list"], capture_output=True, text=True, timeout=60)
            assert listed.returncode == 0, f"{file}.mjs does not load (npm ci?): {listed.stderr[-2000:]}"
            found += [(client, file, name) for name in json.loads(listed.stdout)]
    return found


FILES = {(client, name): file for client, file, name in cases()}
_ended: dict[tuple[str, str, str], dict[str, Any]] = {}


def run(file: str, endpoint: Endpoint, site: Site, names: list[str]) -> dict[str, Any]:
    """Case → its line."""
    served = {"base": site.base, "other": site.other(""), "socket": site.socket_url}
    command = ["node", FOLDER / "harness.mjs", file, "--endpoint", endpoint.http, "--site", json.dumps(served), "--only", json.dumps(names)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60 + 30 * len(names))
        output, said = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as late:
        output, said = (part.decode() if part else "" for part in (late.stdout, late.stderr))  # type: ignore[union-attr]
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    told = {line["case"]: line for line in lines}
    return {name: told.get(name, {"ok": False, "error": f"the program ended before this case: {said[-1500:]}"}) for name in names}


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("case", [(client, name) for client, _, name in cases()], ids=lambda case: f"{case[0]}: {case[1]}")
def test_node(endpoint: Endpoint, site: Site, case: tuple[str, str], request: pytest.FixtureRequest) -> None:
    key = (endpoint.name, case[0], case[1])
    if key not in _ended:
        chosen = [item.callspec.params for item in request.session.items if getattr(item, "originalname", "") == "test_node"]  # type: ignore[attr-defined]
        names = [p["case"][1] for p in chosen if p["endpoint"] == endpoint.name and FILES[p["case"]] == FILES[case]]
        for name, line in run(FILES[case], endpoint, site, names).items():
            _ended[(endpoint.name, case[0], name)] = line
    line = _ended[key]
    assert line["ok"], line["error"]
