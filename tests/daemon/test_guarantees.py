"""docs/guarantees.md and docs/security.md name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def existing() -> set[str]:
    """`test_…` of Python, `Suite`, `Suite.Name` and `Suite.*` of C++."""
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("*.py"):
        found.update(re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.M))
    for file in (ROOT / "tests").rglob("*.cpp"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", file.read_text(), re.M):
            found.update((suite, f"{suite}.{name}", f"{suite}.*"))
    return found


@pytest.mark.parametrize("page", ["guarantees.md", "security.md"])
def test_each_test_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    named = set(re.findall(r"`(test_\w+|[A-Z]\w+\.(?:[A-Z]\w+|\*)|Simulation)`", text))
    assert len(named) > 10, "the page names its tests in another way now"
    assert named - existing() == set()
    paths = set(re.findall(r"`((?:tests|src|extension)/[\w/.]+)`", text))
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_each_promise_has_a_test() -> None:
    rows = re.findall(r"^\| (.+) \| (.+) \|$", (ROOT / "docs" / "guarantees.md").read_text(), re.M)
    promises = [(promise, tests) for promise, tests in rows if promise not in ("promise", "---") and not promise.startswith("what happens")]
    assert len(promises) > 40
    assert [promise for promise, tests in promises if "`" not in tests] == []
