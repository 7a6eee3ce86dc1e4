"""An address that gives no page: asked for once, and the task says why."""

from __future__ import annotations

import pytest
from chromium import Chromium
from harness import Rest
from pages import Pages


@pytest.mark.parametrize("path", ["/204", "/download"])
def test_an_address_without_a_page_is_asked_for_once_by_a_task_and_named_in_its_error(rest: Rest, browser: Chromium, site: Pages, path: str) -> None:
    before = site.count(f"GET {path}")
    rest.submit("return 1", id=f"opens{path[1:]}", tab={"open": site.url(path)})
    record = rest.end(f"opens{path[1:]}", 60)
    assert record["error"]["name"] == "NavigatedError" and path in record["error"]["message"], record["error"]
    assert [attempt["error"]["name"] for attempt in record["attempts"]] == ["NavigatedError"]
    assert site.count(f"GET {path}") - before == 1


def test_so_is_the_next_page_of_a_task(rest: Rest, browser: Chromium, site: Pages) -> None:
    before = site.count("GET /204")
    rest.submit("return any.next('/204')", id="hops", tab={"open": site.url("/plain")})
    record = rest.end("hops", 60)
    assert record["error"]["name"] == "NavigatedError" and "/204" in record["error"]["message"], record["error"]
    assert len(record["attempts"]) == 1
    assert site.count("GET /204") - before == 1
