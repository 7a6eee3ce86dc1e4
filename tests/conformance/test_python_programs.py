"""Python programs that bring their own CDP client or driver: their cases are in python/*_cases.py; one process runs those chosen."""

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

FOLDER = Path(__file__).resolve().parent / "python"
PYTHON = FOLDER.parents[2] / "build/venv-programs/bin/python"
CLIENT = "Python programs"
#: program's name in the table → its file
PROGRAMS = {"Selenium": "selenium_cases", "nodriver": "nodriver_cases", "pydoll": "pydoll_cases"}


@cache
def cases() -> list[tuple[str, str]]:
    """(program, case) of all."""
    if not PYTHON.exists() or not shutil.which("chromedriver"):
        return []
    found = []
    for program, file in PROGRAMS.items():
        listed = subprocess.run([PYTHON, FOLDER / "harness.py", file, "--list"], capture_output=True, text=True, timeout=60)
        assert listed.returncode == 0, f"{file}.py does not load (scripts/install-deps.sh --test?): {listed.stderr[-2000:]}"
        found += [(program, name) for name in json.loads(listed.stdout)]
    return found


_ended: dict[tuple[str, str, str], dict[str, Any]] = {}


def run(program: str, endpoint: Endpoint, site: Site, names: list[str]) -> dict[str, Any]:
    """Case → its line."""
    served = json.dumps({"base": site.base, "other": site.other("")})
    command = [PYTHON, FOLDER / "harness.py", PROGRAMS[program], "--endpoint", endpoint.http, "--site", served, "--only", json.dumps(names)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60 + 30 * len(names))
        output, said = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as late:
        output, said = (part.decode() if part else "" for part in (late.stdout, late.stderr))  # type: ignore[union-attr]
    told = {line["case"]: line for line in map(json.loads, (text for text in output.splitlines() if text.startswith("{")))}
    return {name: told.get(name, {"ok": False, "error": f"the program ended before this case: {said[-1500:]}"}) for name in names}


@pytest.mark.skipif(not cases(), reason="build/venv-programs or chromedriver is not installed: scripts/install-deps.sh --test")
@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case[0]}: {case[1]}")
def test_python(endpoint: Endpoint, site: Site, case: tuple[str, str], request: pytest.FixtureRequest) -> None:
    program, name = case
    if (endpoint.name, program, name) not in _ended:
        chosen = [item.callspec.params for item in request.session.items if getattr(item, "originalname", "") == "test_python"]  # type: ignore[attr-defined]
        names = [each["case"][1] for each in chosen if each["endpoint"] == endpoint.name and each["case"][0] == program]
        for done, line in run(program, endpoint, site, names).items():
            _ended[(endpoint.name, program, done)] = line
    line = _ended[(endpoint.name, program, name)]
    assert line["ok"], line["error"]
