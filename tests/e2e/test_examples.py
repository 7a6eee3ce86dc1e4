"""Each example run as its first lines say, on the pages the daemon serves, with its result checked."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from chromium import Chromium
from daemon import Daemon, free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "examples" / "scripts"
ORDER = json.loads((SCRIPTS / "form_fill.json").read_text())

Run = Callable[..., Any]


@pytest.fixture
def run(daemon: Daemon, browser: Chromium) -> Run:
    """`any run examples/scripts/NAME --open PAGE …`, its JSON result."""

    def call(name: str, page: str, *more: str, code: int = 0) -> Any:
        done = daemon.cli("run", str(SCRIPTS / name), "--open", f"{daemon.pages}/{page}", *more)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    return call


def program(daemon: Daemon, path: str, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python example against the daemon, with a proxy in the environment that leads nowhere."""
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / path), *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={**daemon.env, **nowhere, **env},
        check=False,
    )


def test_page_facts_counts_what_a_page_is_made_of(run: Run, daemon: Daemon) -> None:
    facts = run("page_facts.js", "shop.html")
    assert facts["title"] == "The Paper Shop"
    assert facts["url"] == f"{daemon.pages}/shop.html"
    assert facts["language"] == "en"
    assert facts["description"].startswith("Paper for writing")
    assert facts["headings"] == {"h1": 1, "h2": 12, "h3": 0}
    assert facts["links"] == {"total": 17, "outside": 0, "broken_anchors": 0}
    assert facts["images"]["total"] == 13
    assert facts["images"]["largest"]["src"].endswith("/img/banner.svg")
    assert facts["words"] > 150
    assert facts["bytes"] == len((ROOT / "examples/pages/shop.html").read_bytes())


def test_price_scrape_reads_prices_as_people_write_them(run: Run) -> None:
    everything = run("price_scrape.js", "shop.html")
    assert len(everything) == 12
    assert [product["price"] for product in everything] == sorted(product["price"] for product in everything)
    assert everything[-1] | {"url": ""} == {"name": "Map of the shop", "price": 1240, "currency": "€", "in_stock": True, "url": ""}
    cheap = run("price_scrape.js", "shop.html", "--arg", "below=6", "--arg", "in_stock=true")
    assert [product["name"] for product in cheap] == ["Postcards, blank", "Ruled pad", "Folding paper"]


def test_price_scrape_says_which_product_has_no_price(run: Run) -> None:
    assert "no price in" in run("price_scrape.js", "shop.html", "--arg", "price=.cost", code=1)


def test_form_fill_fills_in_sends_and_waits_for_the_answer(run: Run) -> None:
    done = run("form_fill.js", "order.html", "--args", str(SCRIPTS / "form_fill.json"))
    assert done["sent"] is True
    assert done["values"] == {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "paper": "ruled-90",
        "sheets": "250",
        "delivery": "pickup",
        "extras": ["holes", "stamp"],
        "note": "Please leave it with the porter.",
        "terms": "yes",
    }
    assert done["answer"] == (
        "Thank you, Ada Lovelace: 250 sheets (Ruled, 90 g, with holes and stamp), ready at the counter tomorrow."
    )


def test_form_fill_names_what_the_form_would_not_take(run: Run, tmp_path: Path) -> None:
    args = tmp_path / "args.json"
    args.write_text(json.dumps({**ORDER, "fields": {**ORDER["fields"], "email": "nobody"}}))
    assert "email:" in run("form_fill.js", "order.html", "--args", str(args), code=1)
    args.write_text(json.dumps({**ORDER, "fields": {"colour": "red"}}))
    assert 'no field "colour"; it has name, email' in run("form_fill.js", "order.html", "--args", str(args), code=1)


def test_table_to_csv_writes_merged_cells_out_and_quotes(run: Run) -> None:
    table = run("table_to_csv.js", "figures.html")
    rows = list(csv.reader(io.StringIO(table["csv"], newline="")))
    assert (table["caption"], table["rows"], table["columns"]) == ("Reams sold in 2025", 7, 6)
    assert rows == [
        ["Paper", "Remark", "First half", "First half", "Second half", "Second half"],
        ["Paper", "Remark", "Q1", "Q2", "Q3", "Q4"],
        ["Laid, 100 g", 'the "house" paper', "412", "398", "377", "520"],
        ["Ruled, 90 g", "pads, loose", "1,204", "1,180", "1,655", "1,322"],
        ["Drawing, 220 g", "the mill was closed in spring", "88", "0", "61", "97"],
        ["Marbled", "the mill was closed in spring", "12", "0", "9", "31"],
        ["Tracing", "", "45", "45", "22", "19"],
    ]


def test_infinite_scroll_reads_as_far_as_it_is_told_in_a_background_tab(run: Run) -> None:
    read = run("infinite_scroll.js", "guestbook.html", "--arg", "limit=60")
    assert (len(read["items"]), read["at_end"]) == (60, False)
    assert read["items"][0].startswith("No. 130") and read["items"][59].startswith("No. 71")


def test_infinite_scroll_finds_the_end(run: Run) -> None:
    read = run("infinite_scroll.js", "guestbook.html", "--arg", "limit=1000", "--arg", "patience=3000", "--timeout", "90")
    assert (len(read["items"]), read["at_end"]) == (130, True)


def test_crawl_reads_page_after_page_each_a_hop(run: Run, daemon: Daemon) -> None:
    record = run("crawl.js", "articles/1.html", "--arg", "pages=3", "--record")
    result = record["result"]
    assert (record["state"], record["hops"], result["pages"]) == ("completed", 2, 3)
    assert [article["title"] for article in result["articles"]] == ["How a sheet is made", "Against the grain", "The colour of white"]
    assert [article["url"] for article in result["articles"]] == [f"{daemon.pages}/articles/{n}.html" for n in (1, 2, 3)]
    assert result["articles"][2]["by"] == "Jonas Weil" and result["articles"][2]["date"] == "2025-05-23"


def test_crawl_ends_where_the_articles_end(run: Run) -> None:
    result = run("crawl.js", "articles/1.html")
    assert result["pages"] == 6 and result["articles"][-1]["title"] == "Closing time"


def test_talk_to_any_prints_the_result(daemon: Daemon, browser: Chromium) -> None:
    page = f"{daemon.pages}/articles/1.html"
    done = program(daemon, "talk_to_any.py", str(SCRIPTS / "crawl.js"), "--open", page, "--args", '{"pages": 2}')
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pages"] == 2


def test_talk_to_any_shows_the_console_and_the_scripts_own_error(daemon: Daemon, browser: Chromium) -> None:
    code = "console.log('looking'); throw new TypeError('not here')"
    done = program(daemon, "talk_to_any.py", "-", "--open", f"{daemon.pages}/shop.html", stdin=code)
    assert done.returncode == 1 and done.stdout == ""
    assert "[log] looking" in done.stderr and "TypeError: not here" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-e", "return 1", "--tab", "https://nowhere.example/*"], 6, "TabNotFoundError"),
        (["-e", "await any.sleep(60000)", "--open", "PAGES/shop.html", "--timeout", "0.3"], 4, "TimeoutError"),
        (["-e", "return 1", "--args", "{"], 2, "--args is not JSON"),
        (["-e", "return 1", "--timeout", "-3"], 2, "BadRequestError"),
        (["missing.js"], 2, "cannot be read"),
        (["-e", "return 1", "--daemon", "NOWHERE"], 5, "any serve"),
    ],
)
def test_talk_to_any_ends_with_a_code_that_says_why(
    daemon: Daemon, browser: Chromium, words: list[str], code: int, said: str
) -> None:
    places = {"PAGES": daemon.pages, "NOWHERE": f"http://127.0.0.1:{free_port()}"}
    for name, place in places.items():
        words = [word.replace(name, place) for word in words]
    done = program(daemon, "talk_to_any.py", *words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr


def test_talk_to_any_finds_the_token_by_itself(browser: Chromium) -> None:
    with Daemon("--token") as guarded, Chromium(daemon=guarded.url):
        guarded.wait_for_browser()
        done = program(guarded, "talk_to_any.py", "-e", "return 6 * 7", "--open", f"{guarded.pages}/shop.html")
        assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_watch_prices_looks_at_all_shops_at_once_and_tells_what_changed(
    daemon: Daemon, browser: Chromium, tmp_path: Path
) -> None:
    state = tmp_path / "prices.json"
    urls = [f"{daemon.pages}/shop.html?branch={n}" for n in range(4)]
    words = [*urls, "--once", "--state", str(state)]
    first = program(daemon, "apps/watch_prices.py", *words)
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("12 products, 0 changes") == 4
    known = json.loads(state.read_text())
    assert set(known) == set(urls) and known[urls[0]]["Ruled pad"] == 4.2
    known[urls[1]]["Ruled pad"] = 3.9
    del known[urls[1]]["Drawing block"]
    state.write_text(json.dumps(known))
    second = program(daemon, "apps/watch_prices.py", *words)
    assert second.returncode == 0, second.stderr
    assert f"{urls[1]}: 12 products, 2 changes\n  Ruled pad: 3.90 → 4.20\n  Drawing block: new, 18.00\n" in second.stdout


def test_watch_prices_tells_of_a_page_that_cannot_be_read_and_reads_the_others(
    daemon: Daemon, browser: Chromium, tmp_path: Path
) -> None:
    urls = [f"{daemon.pages}/shop.html", f"http://127.0.0.1:{free_port()}/"]
    done = program(daemon, "apps/watch_prices.py", *urls, "--once", "--state", str(tmp_path / "prices.json"))
    assert done.returncode == 1
    assert "12 products" in done.stdout and urls[1] in done.stderr


def test_every_example_is_in_the_readme_of_the_examples() -> None:
    text = (ROOT / "examples" / "README.md").read_text()
    names = [path.name for folder in ("scripts", "apps") for path in (ROOT / "examples" / folder).iterdir() if path.is_file()]
    assert names and [name for name in names if name not in text] == []
    assert os.access(ROOT / "examples" / "talk_to_any.py", os.X_OK)
