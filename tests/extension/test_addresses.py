"""Addresses, patterns and file names as people write them."""

from __future__ import annotations

import json

import pytest

from tests.support.chromium import Chromium, Tab, eventually
from tests.support.pages import Pages
from tests.support.task_fixtures import bench, browser, site, tab  # noqa: F401
from tests.support.tasks import TaskBench

MATCHES = [
    ("http://example.org/*", "http://example.org/a?b#c", True),
    ("HTTP://Example.ORG/*", "http://example.org/a", True),
    (" http://example.org/* ", "http://example.org/a", True),
    ("http://example.org/A", "http://example.org/a", False),
    ("http://example.org:80/*", "http://example.org/", True),
    ("https://example.org:443/*", "https://example.org/", True),
    ("*://example.org:443/*", "http://example.org/", False),
    ("http://example.org:*/*", "http://example.org:8080/", True),
    ("http://example.org:8080/*", "http://example.org/", False),
    ("http://example.org/*", "http://example.org:8080/", True),
    ("http://[::1]/*", "http://[::1]:8000/", True),
    ("http://[0:0:0:0:0:0:0:1]:8000/*", "http://[::1]:8000/", True),
    ("http://[::1]:8000/*", "http://[::1]:9000/", False),
    ("http://[::2]/*", "http://[::1]/", False),
    ("http://127.1/*", "http://127.0.0.1/", True),
    ("https://*.example.org/*", "https://example.org/", True),
    ("https://*.Example.org:444/*", "https://a.b.example.org:444/x", True),
    ("https://*.example.org/*", "https://notexample.org/", False),
    ("https://b\u00fccher.example/*", "https://xn--bcher-kva.example/", True),
    ("*://*/*", "file:///x", False),
    ("file:///home/*", "file:///home/a(1).html", True),
    ("FILE:///home/*", "file:///home/a", True),
    ("<all_urls>", "https://example.org/", True),
    ("http://example.org/a(b)+[c]*", "http://example.org/a(b)+[c]d", True),
    ("example.org", "http://example.org/", None),
    ("http://example.org", "http://example.org/", None),
    ("http://*foo.org/*", "http://foo.org/", None),
    ("http:///x", "http://x/", None),
    ("http://a:b:80/*", "http://a/", None),
]


@pytest.mark.parametrize(("pattern", "url", "expected"), MATCHES)
def test_a_pattern_is_read_as_the_url_standard_reads_addresses(bench: TaskBench, pattern: str, url: str, expected: bool | None) -> None:  # noqa: F811
    asked = f"import(chrome.runtime.getURL('task/urls.js')).then(({{matches}}) => matches({pattern!r}, {url!r}))"
    assert bench.browser.offscreen(asked) is expected


@pytest.mark.parametrize("form", ["http://LOCALHOST:{port}/third", "HTTP://localhost:{port}/third*", " http://localhost:*/third "])
def test_a_tab_and_a_frame_are_found_by_the_same_pattern(bench: TaskBench, browser: Chromium, site: Pages, form: str) -> None:  # noqa: F811
    pattern = form.format(port=site.other("").split(":")[2])
    opened, framed = browser.open(site.other("/third")), browser.open(site.url("/frames"))
    assert bench.value("return location.href", {"url": pattern}) == site.other("/third")
    assert bench.value("return [location.href, self !== top]", framed.id, frame={"url": pattern}) == [site.other("/third"), True]
    opened.close()
    framed.close()


@pytest.mark.parametrize("file", ["a (1).js", "f(x.js", "x).js", "(((.js", "a b.js", "at eval (x).js", "ü:1:2.js", "100%.js", "it's.js"])
@pytest.mark.parametrize("page", ["/plain", "/csp"])
def test_positions_are_told_whatever_the_file_is_called(bench: TaskBench, site: Pages, file: str, page: str, browser: Chromium) -> None:  # noqa: F811
    opened = browser.open(site.url(page))
    error = bench.error("function inner() {\n  throw new Error('x');\n}\n\ninner();", opened.id, file=file)
    assert (error["line"], error["column"], error["file"]) == (2, 9, file), error
    assert error["stack"].split("\n") == ["Error: x", f"    at inner ({file}:2:9)", f"    at {file}:5:1"]
    opened.close()


def test_frames_of_a_pages_own_file_with_parentheses_stay_in_the_stack(bench: TaskBench, tab: Tab) -> None:  # noqa: F811
    tab.evaluate("window.call = Function('f', 'f()\\n//# sourceURL=http://page.test/lib(v2).js'); 0")
    error = bench.error("call(() => { throw new Error('x'); })", tab.id, file="a(b).js")
    assert (error["line"], error["column"]) == (1, 20), error
    assert "(http://page.test/lib(v2).js:" in error["stack"]


def test_a_closed_tab_is_not_taken_for_a_discarded_one_with_the_same_address(bench: TaskBench, browser: Chromium, site: Pages) -> None:  # noqa: F811
    url = site.url("/third?twin")
    create = f"chrome.tabs.create({{url: {url!r}, active: false}}).then(t => t.id)"
    twin, made = browser.worker(create), browser.worker(create)
    for each in (twin, made):
        eventually(lambda: browser.worker(f"chrome.tabs.get({each}).then(t => t.status)") == "complete", 10)
    twin = browser.worker(f"chrome.tabs.discard({twin}).then(t => t.id)")
    params = bench.start("await any.sleep(20_000)", made)
    bench.wait_running(params)
    browser.worker(f"chrome.tabs.remove({made})")
    assert bench.end(params)["error"]["name"] == "TabClosedError"
    browser.worker(f"chrome.tabs.remove({twin})")


@pytest.mark.parametrize("number", ["-0", "0.1", "1524831183200260096", "5e-324", "1.7976931348623157e308", "[{\"a\":-0}]"])
def test_a_number_comes_back_from_args_state_and_progress_as_it_was(bench: TaskBench, tab: Tab, number: str) -> None:  # noqa: F811
    asked = f"bench.host.start({{...PARAMS, args: {number}, state: {number}}})"
    params = bench.params("any.progress(args); return any.next('/second', [args, any.state])", tab.id)
    bench.browser.offscreen(f"({asked.replace('PARAMS', json.dumps(params))}).then(() => 0)")
    end = bench.end(params)
    assert end["outcome"] == "next", end
    told = bench.browser.offscreen(
        f"""(() => {{ const of = (list) => list.find(e => e.params.task === {json.dumps(params["task"])} && !e.method?.includes("started")).params;
        return [JSON.stringify(of(bench.said.ends).state), JSON.stringify(of(bench.said.notes).value)]; }})()"""
    )
    expected = number.replace("-0", "-0.0")
    doubles = [repr(json.loads(text, parse_int=float)) for text in (*told, f"[{expected},{expected}]", expected)]
    assert doubles[:2] == doubles[2:]
