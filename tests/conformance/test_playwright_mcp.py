"""@playwright/mcp with --cdp-endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from endpoint import Endpoint
from mcp_fixtures import BIN, found
from mcp_stdio import McpServer
from served import Site

CLIENT = "@playwright/mcp"


@pytest.fixture(scope="module")
def server(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    folder = tmp_path_factory.mktemp("mcp")
    command = [BIN / "playwright-mcp", f"--cdp-endpoint={endpoint.http}", f"--output-dir={folder}"]
    with McpServer(command, folder) as made:
        yield made


@pytest.fixture
def tab(server: McpServer, endpoint: Endpoint, site: Site) -> Iterator[McpServer]:
    """The server with a fresh tab selected, at /form."""
    server.call("browser_tabs", action="new")
    server.call("browser_navigate", url=site.url("/form"))
    yield server
    server.call("browser_tabs", action="close")


def test_lists_the_tabs(endpoint: Endpoint, server: McpServer, site: Site) -> None:
    opened = endpoint.browser.open(site.url("/third"))
    assert site.url("/third") in server.call("browser_tabs", action="list")
    opened.close()


def test_navigates_and_takes_a_snapshot(endpoint: Endpoint, tab: McpServer, site: Site) -> None:
    tab.call("browser_navigate", url=site.url("/aria"))
    told = tab.call("browser_snapshot")
    assert 'heading "Heading" [level=1]' in told and 'button "Press me"' in told


def test_clicks_and_types(endpoint: Endpoint, tab: McpServer) -> None:
    told = tab.call("browser_snapshot")
    tab.call("browser_click", element="press", target=found(r'button "press" \[ref=(\w+)\]', told))
    tab.call("browser_type", element="Name", target=found(r'textbox "Name" \[ref=(\w+)\]', told), text="typed")
    tab.call("browser_click", element="Send", target=found(r'button "Send" \[ref=(\w+)\]', told))
    told = tab.call("browser_snapshot")
    assert 'button "pressed 1"' in told and "name=typed" in told


def test_evaluates_a_script(endpoint: Endpoint, tab: McpServer) -> None:
    assert '"Form"' in tab.call("browser_evaluate", function="() => document.title")


def test_answers_a_dialog(endpoint: Endpoint, tab: McpServer, site: Site) -> None:
    tab.call("browser_navigate", url=site.url("/dialogs"))
    told = tab.call("browser_snapshot")
    assert "sure?" in tab.call("browser_click", element="confirm", target=found(r'button "confirm" \[ref=(\w+)\]', told))
    tab.call("browser_handle_dialog", accept=True)
    assert "true" in tab.call("browser_snapshot")


def test_takes_a_screenshot(endpoint: Endpoint, tab: McpServer, tmp_path: Path) -> None:
    assert "screenshot" in tab.call("browser_take_screenshot", type="png").lower()
