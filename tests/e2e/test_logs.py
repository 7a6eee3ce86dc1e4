"""`any logs`: each step of a task, from both sides."""

from __future__ import annotations

import json


def lines_of(cli, task: str) -> list[dict]:
    every = [json.loads(line) for line in cli("logs", "--limit", "2000", "--json").stdout.splitlines()]
    return [line for line in every if line["task"] == task]


def test_a_task_that_succeeds_is_told_step_by_step_by_both_sides(cli, site, tmp_path):
    script = tmp_path / "title.js"
    script.write_text("return document.title")
    page = site.url("/plain")
    assert cli("run", script, "--open", page, "--id", "told").returncode == 0
    cli.until(lambda: len(lines_of(cli, "told")) >= 5)
    lines = lines_of(cli, "told")
    daemon = [line for line in lines if line["source"] == "daemon"]
    accepted, started, ended = [line["text"] for line in daemon]
    assert accepted == f"accepted: title.js, for a new tab at {page}"
    assert started.startswith("started in tab ") and started.endswith(f", {page}, by scripting")
    assert ended.startswith("completed after ")
    assert all(line["level"] == "info" for line in lines)
    assert daemon[1]["browser"] and daemon[1]["browser"] == daemon[2]["browser"]
    extension = [line["text"] for line in lines if line["source"] == "extension"]
    assert extension[0].startswith("runs in tab ") and extension[1] == "ended: value"
    assert "task=told" in cli("logs").stdout


def test_each_hop_is_told(cli, site):
    code = f"if (any.state === null) return any.next({json.dumps(site.url('/second'))}, 1); return document.title"
    assert cli("eval", code.replace("=== null", "== null"), "--open", site.url("/plain"), "--id", "hopping").returncode == 0
    texts = [line["text"] for line in lines_of(cli, "hopping") if line["source"] == "daemon"]
    assert f"goes on at {site.url('/second')} (hop 1)" in texts
    assert sum(text.startswith("started in tab") for text in texts) == 2


def test_a_failure_is_told_as_a_warning_with_its_cause(cli):
    assert cli("eval", "return 1", "--tab", "https://nowhere.example/*", "--id", "failing").returncode == 6
    last = [line for line in lines_of(cli, "failing") if line["source"] == "daemon"][-1]
    assert last["level"] == "warn"
    assert "failed after" in last["text"] and "TabNotFoundError: no tab matches https://nowhere.example/*" in last["text"]
