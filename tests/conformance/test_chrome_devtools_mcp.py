"""chrome-devtools-mcp with --browserUrl and --wsEndpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from endpoint import Endpoint
from mcp_fixtures import BIN, found
from mcp_stdio import McpServer
from served import Site

CLIENT = "chrome-devtools-mcp"
QUIET = ("--no-usage-statistics", "--no-performance-crux")


@pytest.fixture(scope="module")
def server(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpServer]:
    with McpServer([BIN / "chrome-devtools-mcp", f"--browserUrl={endpoint.http}", *QUIET], tmp_path_factory.mktemp("mcp")) as made:
        yield made


@pytest.fixture
def number(server: McpServer, endpoint: Endpoint, site: Site) -> Iterator[int]:
    """The server's number for a fresh page, /form."""
    listed = server.call("new_page", url=site.url("/form"))
    made = int(found(r"(\d+): .* \[selected\]", listed))
    yield made
    server.call("close_page", pageId=made)


def test_lists_the_pages(endpoint: Endpoint, server: McpServer, site: Site) -> None:
    tab = endpoint.browser.open(site.url("/third"))
    assert site.url("/third") in server.call("list_pages")
    tab.close()


def test_navigates_and_takes_a_snapshot(endpoint: Endpoint, server: McpServer, number: int, site: Site) -> None:
    server.call("navigate_page", type="url", url=site.url("/aria"), pageId=number)
    told = server.call("take_snapshot", pageId=number)
    assert 'heading "Heading"' in told and 'button "Press me"' in told


def test_clicks_and_fills(endpoint: Endpoint, server: McpServer, number: int, site: Site) -> None:
    told = server.call("take_snapshot", pageId=number)
    server.call("click", uid=found(r'uid=(\S+) button "press"', told), pageId=number)
    server.call("fill", uid=found(r'uid=(\S+) textbox "Name"', told), value="filled", pageId=number)
    server.call("click", uid=found(r'uid=(\S+) button "Send"', told), pageId=number)
    told = server.call("take_snapshot", pageId=number)
    assert 'button "pressed 1"' in told and "name=filled" in told


def test_evaluates_a_script(endpoint: Endpoint, server: McpServer, number: int) -> None:
    assert '"Form"' in server.call("evaluate_script", function="() => document.title", pageId=number)


def test_tells_console_and_requests(endpoint: Endpoint, server: McpServer, number: int, site: Site) -> None:
    server.call("navigate_page", type="url", url=site.url("/talk"), pageId=number)
    told = server.call("take_snapshot", pageId=number)
    server.call("click", uid=found(r'uid=(\S+) button "log"', told), pageId=number)
    assert "careful" in server.call("list_console_messages", pageId=number)
    assert "/talk" in server.call("list_network_requests", pageId=number)


def test_takes_a_screenshot(endpoint: Endpoint, server: McpServer, number: int, tmp_path: Path) -> None:
    assert "screenshot" in server.call("take_screenshot", pageId=number).lower()


def test_connects_by_websocket_address(endpoint: Endpoint, site: Site, tmp_path: Path) -> None:
    with McpServer([BIN / "chrome-devtools-mcp", f"--wsEndpoint={endpoint.socket}", *QUIET], tmp_path) as server:
        assert "## Pages" in server.call("list_pages")
