"""What stays of a task in its page, told by a port that the test plays and a wrapper that it plays too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chromium import Chromium, Tab
from tests.support.task_fixtures import browser  # noqa: F401

PLAYED = """
const { relay } = await import(chrome.runtime.getURL("task/relay.js"));
const ports = []; // the newest last
chrome.runtime.connect = () => {
  const port = { said: [], onMessage: { addListener: (call) => (port.tell = call) }, onDisconnect: { addListener: (call) => (port.gone = call) } };
  port.postMessage = (message) => port.said.push(message);
  ports.push(port);
  return port;
};
const said = () => ports.at(-1).said.filter((message) => message.say !== "hello" && message.say !== "engine");
const tell = (message) => ports.at(-1).tell(message);
const start = (run, more = {}) => tell({ do: "run", run, world: "main", script: "1", args: "null", state: "null", note: {}, deadline: null, ...more });
const channel = new EventTarget();
const begun = [];
/** As the wrapper says it; whether it may. */
const say = (head, text = "") => !channel.dispatchEvent(new CustomEvent("up", { detail: JSON.stringify(head) + "\\n" + text, cancelable: true }));
channel.addEventListener("down", (event) => {
  const told = JSON.parse(event.detail);
  if (told.do === "run" && say({ say: "begin", run: told.run })) begun.push(told.run);
});
relay({ ticket: "a-ticket", world: "main" });
document.dispatchEvent(new MouseEvent("a-ticket", { relatedTarget: channel, cancelable: true }));
/** The port is closed, as where the offscreen document goes, and opened anew by the worker's call. */
const reconnect = () => {
  ports.at(-1).gone();
  relay({ ticket: "another", world: "other" });
};
"""


@pytest.fixture
def page(browser: Chromium) -> Tab:  # noqa: F811
    return browser.open(browser.extension_url("options.html"))


def played(page: Tab, script: str) -> Any:
    return page.evaluate(f"(async () => {{ {PLAYED} {script} }})()")


def test_a_document_that_is_told_twice_to_run_a_script_begins_it_once(page: Tab) -> None:
    begun, said = played(page, 'start("r"); start("r"); say({ say: "end", run: "r", outcome: "value" }, "7"); start("r"); return [begun, said()];')
    assert begun == ["r"]
    assert [(m["say"], m.get("state")) for m in said if m["say"] != "end"] == [("started", None), ("refused", "running"), ("refused", "ended")]


def test_what_was_acknowledged_is_not_begun_again_either(page: Tab) -> None:
    begun = played(page, 'start("r"); say({ say: "end", run: "r", outcome: "value" }, "7"); tell({ do: "ack", run: "r" }); start("r"); return begun;')
    assert begun == ["r"]


def test_a_script_is_not_begun_once_its_time_is_over(page: Tab) -> None:
    begun, said = played(page, 'start("r", { deadline: Date.now() - 1 }); start("s", { deadline: Date.now() + 60_000 }); return [begun, said()];')
    assert begun == ["s"]
    assert said[0] == {"say": "refused", "run": "r", "state": "late"}


def test_a_script_that_was_to_stop_before_it_came_is_not_begun(page: Tab) -> None:
    begun = played(page, 'tell({ do: "stop", run: "r", error: {} }); start("r"); return begun;')
    assert begun == []


def test_of_the_ends_of_a_script_the_first_alone_is_said(page: Tab) -> None:
    said = played(page, """
      start("r");
      say({ say: "end", run: "r", outcome: "value" }, "1");
      say({ say: "end", run: "r", outcome: "value" }, "2");
      say({ say: "progress", run: "r" }, "3");
      return said();
    """)
    assert [(m["say"], m.get("text")) for m in said] == [("started", None), ("end", "1")]


def test_an_end_is_said_anew_at_each_port_until_it_is_acknowledged(page: Tab) -> None:
    ends = played(page, """
      start("r");
      say({ say: "end", run: "r", outcome: "value" }, "7");
      const ends = [];
      const look = () => ends.push([ports.at(-1).said[0].runs?.map(({ run, state }) => [run, state]) ?? null, said().filter(({ say }) => say === "end").map(({ text }) => text)]);
      reconnect();
      look();
      reconnect();
      look();
      tell({ do: "ack", run: "r" });
      reconnect();
      look();
      return ends;
    """)
    assert ends[:2] == [[[["r", "ended"]], ["7"]]] * 2
    assert ends[2][1] == []


def test_what_a_script_says_while_there_is_no_port_is_said_in_its_order_once_there_is(page: Tab) -> None:
    said = played(page, """
      start("r");
      ports.at(-1).gone();
      say({ say: "progress", run: "r" }, "1");
      say({ say: "console", run: "r", text: "line" });
      say({ say: "end", run: "r", outcome: "value" }, "2");
      relay({ ticket: "another", world: "other" });
      return said();
    """)
    assert [m["say"] for m in said] == ["progress", "console", "end"]


def test_of_the_console_a_thousand_lines_are_said(page: Tab) -> None:
    lines = played(page, """
      start("r");
      for (let line = 0; line < 1500; line++) say({ say: "console", run: "r", text: "line" });
      return said().filter((message) => message.say === "console").length;
    """)
    assert lines == 1000


def test_what_nobody_was_told_to_run_says_nothing(page: Tab) -> None:
    said = played(page, """
      say({ say: "begin", run: "forged" });
      say({ say: "end", run: "forged", outcome: "value" }, "1");
      say({ say: "progress", run: "forged" }, "1");
      const stranger = new EventTarget();
      relay({ ticket: "stranger", world: "main-2" });
      document.dispatchEvent(new MouseEvent("stranger", { relatedTarget: stranger, cancelable: true }));
      start("r");
      stranger.dispatchEvent(new CustomEvent("up", { detail: JSON.stringify({ say: "end", run: "r", outcome: "value" }) + "\\n1" }));
      return said();
    """)
    assert [m["say"] for m in said] == ["started"]
