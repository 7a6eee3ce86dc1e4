"""A C++ program over Boost.Beast alone: examples/apps/cdp_title.cpp."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chromium import eventually
from daemon import BINARY, free_port
from endpoint import Endpoint
from served import Site

CLIENT = "C++ (Boost.Beast)"
#: beside the daemon, as the same build makes both
PROGRAM = Path(BINARY).parent / "example_cdp_title"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    assert PROGRAM.exists(), f"{PROGRAM} is not built: cmake --build {PROGRAM.parent} --target example_cdp_title"


def title(address: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, address, url], capture_output=True, text=True, timeout=20, check=False)


def tabs(endpoint: Endpoint) -> set[str]:
    return {target["id"] for target in endpoint.json("/json/list") if target["type"] == "page"}


def test_prints_the_title_of_a_page(endpoint: Endpoint, site: Site) -> None:
    done = title(endpoint.http, site.url("/plain"))
    assert (done.returncode, done.stdout) == (0, "Plain\n"), done.stderr


def test_prints_the_title_of_a_file_in_other_letters(endpoint: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "greeting.html").write_text("<!doctype html><meta charset=utf-8><title>Grüße 📄</title>")
    done = title(endpoint.http, (tmp_path / "greeting.html").as_uri())
    assert (done.returncode, done.stdout) == (0, "Grüße 📄\n"), done.stderr


def test_closes_the_tab_that_it_opened_and_no_other(endpoint: Endpoint, site: Site) -> None:
    persons = endpoint.browser.open(site.url("/second"))
    before = tabs(endpoint)
    hits = site.hits("/third")
    assert title(endpoint.http, site.url("/third")).stdout == "Third\n"
    assert site.hits("/third") == hits + 1
    # Chrome answers Target.closeTarget before the tab is gone
    eventually(lambda: tabs(endpoint) <= before, 10, "its tab is gone")
    assert site.url("/second") in {target["url"] for target in endpoint.json("/json/list")}
    persons.close()


def test_several_run_at_the_same_time(endpoint: Endpoint, site: Site) -> None:
    pages = {"/plain": "Plain\n", "/second": "Second\n", "/third": "Third\n", "/frames": "Frames\n"}
    with ThreadPoolExecutor(len(pages)) as threads:
        done = list(threads.map(lambda path: title(endpoint.http, site.url(path)), pages))
    assert [each.stdout for each in done] == list(pages.values()), [each.stderr for each in done]


def test_tells_why_a_page_does_not_load_and_closes_its_tab(endpoint: Endpoint) -> None:
    before = tabs(endpoint)
    done = title(endpoint.http, f"http://127.0.0.1:{free_port()}/")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("/: net::ERR_CONNECTION_REFUSED\n")
    eventually(lambda: tabs(endpoint) <= before, 10, "its tab is gone")
