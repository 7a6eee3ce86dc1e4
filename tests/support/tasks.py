"""The task half of the extension with a scripted link in place of the real one: what a daemon would say and hear.

    host = TaskBench(browser)                    # a TaskHost in the offscreen document, whose link writes everything down
    end = host.run("return 1 + 1", tab=tab.id)   # start, wait for task.finish
    end["outcome"], end["value"], end.get("error")
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from .chromium import Chromium, eventually

SETUP = """
(async () => {
  const { TaskHost } = await import(chrome.runtime.getURL("task/host.js"));
  const { WorkerClient } = await import(chrome.runtime.getURL("link/worker_client.js"));
  const bench = (globalThis.bench ??= {});
  const name = NAME;
  const said = { notes: [], ends: [], answers: {}, acks: {} };
  const worker = new WorkerClient({ onEmit: () => {}, onState: () => {} });
  await worker.start();
  const link = {
    address: name,
    request: async () => ({}),
    notify: (method, params) => said.notes.push({ method, params }),
    finish: (key, params, text) => {
      said.ends.push({ key, params, text, at: performance.now() });
      return bench.hold ? new Promise((resolve) => (said.acks[key] = resolve)) : Promise.resolve();
    },
  };
  const lines = [];
  const host = new TaskHost({ callWorker: (method, params) => worker.call(method, params, name), link, log: (...line) => lines.push(line) });
  await host.begin();
  Object.assign(bench, { host, said, worker, lines });
  bench.do = (method, params) => host.handle(method, params).then((result) => ({ result }), (error) => ({ error: { ...error, name: error.name, message: error.message } }));
  return host.holds();
})()
"""


class TaskError(Exception):
    """task.start was answered by an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['name']}: {error['message']}")
        self.error = error


class TaskBench:
    """Speaks to a TaskHost as the link does."""

    _numbers = itertools.count(1)

    def __init__(self, browser: Chromium, name: str = "http://bench.test") -> None:
        self.browser = browser
        self.name = name
        browser.wait_extension()
        self.holds = self.install()

    def install(self) -> list[dict[str, Any]]:
        """Makes the host (anew, after the offscreen document was closed); what it says it holds."""
        eventually(lambda: self.browser.offscreen("typeof chrome.runtime?.getURL === 'function'"), 10, "the offscreen document is ready")
        holds: list[dict[str, Any]] = self.browser.offscreen(SETUP.replace("NAME", json.dumps(self.name)))
        return holds

    def params(self, script: str, tab: Any = "active", **more: Any) -> dict[str, Any]:
        params = {
            "task": f"t{next(self._numbers)}",
            "attempt": 1,
            "hop": 0,
            "tab": tab,
            "frame": "main",
            "world": "main",
            "timeout_ms": 20_000,
            "file": "test.js",
            "avoid": [],
            "args": None,
            "state": None,
        }
        return {**params, "script": script, **more}

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """`{"result": …}` or `{"error": …}`."""
        answer: dict[str, Any] = self.browser.offscreen(f"bench.do({json.dumps(method)}, {json.dumps(params)})")
        return answer

    def start(self, script: str, tab: Any = "active", **more: Any) -> dict[str, Any]:
        """Starts a task and returns its params; raises TaskError where the answer is an error."""
        params = self.params(script, tab, **more)
        answer = self.ask("task.start", params)
        if "error" in answer:
            raise TaskError(answer["error"])
        assert answer["result"].get("accepted"), answer
        return params

    def ends(self, task: str) -> list[dict[str, Any]]:
        """Every task.finish of the task so far; `value` as a Python value where it is short, `text_length` always."""
        expression = f"""bench.said.ends.filter(e => e.params.task === {json.dumps(task)})
          .map(e => ({{...e.params, ...(e.params.screenshot && {{screenshot: e.params.screenshot.slice(0, 16)}}), text: e.text?.length < 1e6 ? e.text : undefined, text_length: e.text?.length ?? null}}))"""
        found = self.browser.offscreen(expression)
        for end in found:
            if end.get("text") is not None:
                end["value"] = json.loads(end["text"])
        return list(found)

    def end(self, task: dict[str, Any] | str, timeout: float = 25.0) -> dict[str, Any]:
        """The only end of a task, once it is there."""
        name = task if isinstance(task, str) else task["task"]
        ends = eventually(lambda: self.ends(name), timeout, f"{name} ends")
        assert len(ends) == 1, ends
        return ends[0]

    def run(self, script: str, tab: Any = "active", timeout: float = 25.0, **more: Any) -> dict[str, Any]:
        return self.end(self.start(script, tab, **more), timeout)

    def value(self, script: str, tab: Any = "active", **more: Any) -> Any:
        end = self.run(script, tab, **more)
        assert end["outcome"] == "value", end
        return end.get("value")

    def error(self, script: str, tab: Any = "active", **more: Any) -> dict[str, Any]:
        """The error of the task, whether it was its start's answer or its end."""
        try:
            end = self.run(script, tab, **more)
        except TaskError as refused:
            return {**refused.error, "started": False, "refused": True}
        assert end["outcome"] == "error", end
        return {**end["error"], "started": end["started"]}

    def cancel(self, params: dict[str, Any], name: str = "CancelledError", message: str = "cancelled by the test") -> Any:
        key = {part: params[part] for part in ("task", "attempt", "hop")}
        return self.ask("task.cancel", {**key, "error": {"name": name, "message": message}})["result"]

    def notes(self, task: str, method: str = "task.event") -> list[dict[str, Any]]:
        found = self.browser.offscreen(
            f"bench.said.notes.filter(n => n.method === {json.dumps(method)} && n.params.task === {json.dumps(task)}).map(n => n.params)"
        )
        return list(found)

    def wait_running(self, params: dict[str, Any]) -> None:
        """Until the page has begun to run it."""
        eventually(lambda: self.notes(params["task"], "task.started"), 10, "the script has begun")

    def now(self) -> float:
        return time.monotonic()
