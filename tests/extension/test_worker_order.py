"""What offscreen document and worker say to each other keeps its order: while the worker wakes, over several ports, and where it dies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chromium import Chromium

CLIENT = """
  const { WorkerClient } = await import(chrome.runtime.getURL("link/worker_client.js"));
  const heard = [], ports = [];
  const client = new WorkerClient({ onEmit: (name) => heard.push(name), onText: (text) => heard.push(text), onState: () => {} });
  client.worker = { postMessage: (message, transfer) => transfer.length && ports.push(transfer[0]) };
  // what was posted on any port has been heard by then
  const settled = async () => {
    for (let hops = 0; hops < 3; hops++) {
      const { port1, port2 } = new MessageChannel();
      await new Promise((resolve) => ((port1.onmessage = resolve), port2.postMessage(0)));
    }
  };
  const boot = `any-worker-${crypto.randomUUID()}`;
  const alive = new AbortController();
  await new Promise((resolve) => navigator.locks.request(boot, () => (resolve(), new Promise((die) => alive.signal.addEventListener("abort", die)))));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium("http://127.0.0.1:9") as running:
        running.wait_extension()
        yield running


def run(browser: Chromium, script: str) -> Any:
    return browser.offscreen(f"(async () => {{ {script} }})()")


def test_what_a_worker_said_before_it_had_a_port_comes_first(browser: Chromium) -> None:
    # The worker's side runs in the document here: it needs nothing of a worker but the messages that bring ports.
    heard = run(browser, """
      const side = await import(chrome.runtime.getURL("worker_port.js"));
      const answered = [];
      side.serve({ early: () => { side.emit("while answering", {}); return 1; } });
      side.emit("first", {});
      const { port1, port2 } = new MessageChannel();
      const heard = [];
      const whole = new Promise((resolve) => (port1.onmessage = ({ data }) => {
        heard.push(data.emit ?? (data.boot ? "boot" : `answer ${data.id}`));
        if (data.id === 7) resolve();
      }));
      port1.postMessage({ id: 7, method: "early", params: {}, link: "" });
      dispatchEvent(new MessageEvent("message", { data: { kind: "port" }, ports: [port2] }));
      side.emit("second", {});
      await whole;
      return heard;
    """)
    assert heard == ["boot", "first", "second", "while answering", "answer 7"]


def test_what_comes_on_a_second_port_waits_for_the_last_word_on_the_first(browser: Chromium) -> None:
    heard = run(browser, CLIENT + """
      client.connect();
      client.connect();
      const [one, two] = ports;
      one.postMessage({ boot, number: 1 });
      await settled();
      two.postMessage({ boot, number: 2 });
      two.postMessage({ emit: "later", data: {} });
      await settled();
      one.postMessage({ emit: "earlier", data: {} });
      one.postMessage({ last: true });
      await settled();
      two.postMessage({ emit: "last", data: {} });
      await settled();
      return heard;
    """)
    assert heard == ["earlier", "later", "last"]


def test_what_a_dying_worker_said_is_heard_and_its_calls_are_lost(browser: Chromium) -> None:
    heard = run(browser, CLIENT + """
      client.connect();
      const call = client.call("asked", {}, "").catch((error) => error.name);
      client.connect();
      const [one, two] = ports;
      one.postMessage({ boot, number: 1 });
      one.postMessage({ last: true });
      await settled();
      two.postMessage({ boot, number: 3 }); // the word on the second never comes
      two.postMessage({ emit: "early", data: {} });
      await settled();
      alive.abort();
      return [await call, ...heard];
    """)
    assert heard == ["WorkerLost", "early"]


def test_requests_that_a_dying_worker_refused_reach_the_next_one_in_their_order(browser: Chromium) -> None:
    order = run(browser, CLIENT + """
      const asked = [];
      const pass = (text) => client.pass(text, "debugger.send", "link", () => {}, () => {});
      client.connect();
      const [dying] = ports;
      const ids = [];
      dying.onmessage = ({ data }) => ids.push(data.id);
      dying.postMessage({ boot, number: 1 });
      await settled();
      for (const text of ["A", "B", "C"]) pass(text);
      await settled();
      const refuse = (id) => dying.postMessage({ id, error: { name: "Error", message: "No SW" } });
      refuse(ids[0]);
      await settled();
      pass("D"); // the first has been refused, the others not yet
      await settled();
      for (const port of ports.slice(1)) port.onmessage = ({ data }) => asked.push(data.text);
      refuse(ids[1]);
      refuse(ids[2]);
      await settled();
      for (const port of ports.slice(1)) port.onmessage = ({ data }) => asked.push(data.text);
      await settled();
      return asked;
    """)
    assert order == ["A", "B", "C", "D"]
