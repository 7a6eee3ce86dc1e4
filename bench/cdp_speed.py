#!/usr/bin/env python3
"""Prints the figures of docs/speed.md, "CDP": the gateway beside the worker, the raw debugging port and a plain relay, in one browser.

    ANY_BINARY=build/release/any build/venv/bin/python bench/cdp_speed.py [round-trip|flight|payload|connect|hops …]

The ways take turns, round by round, in the same tab. Absolute times vary with what else the machine does; the ratios are what counts.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support")]

from chromium import Chromium, Tab, eventually  # noqa: E402
from daemon import Daemon, free_port  # noqa: E402
from pages import Pages  # noqa: E402

ROUNDS = int(os.environ.get("CDP_SPEED_ROUNDS", "5"))
SEQUENTIAL, FLIGHT, WINDOW, LARGE, TABS = 300, 3000, 64, 6, 200
EVALUATE = ("Runtime.evaluate", {"expression": "1"})
MEGABYTE = ("Runtime.evaluate", {"expression": "'x'.repeat(1 << 20)", "returnByValue": True})
SCREENSHOT = ("Page.captureScreenshot", {"format": "png"})
#: noise that PNG cannot make smaller: about 1 MB of base64
NOISE = """document.body.innerHTML = '<canvas width=540 height=480 style="position:fixed;left:0;top:0">';
const pen = document.querySelector('canvas').getContext('2d'), image = pen.createImageData(540, 480);
for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
pen.putImageData(image, 0, 0); 0"""
Command = tuple[str, dict[str, object]]


class Raw:
    """A WebSocket client with nothing in it that could be the bottleneck: no parsing, a mask of zeros, no threads."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb", 1 << 18)
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b" 101 " in self._reader.readline()
        while self._reader.readline() != b"\r\n":
            pass

    def send(self, payload: bytes, opcode: int = 1) -> None:
        size = len(payload)
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
        self._socket.sendall(head + b"\0\0\0\0" + payload)

    def frame(self) -> tuple[int, bytes]:
        first, size = self._reader.read(2)
        assert first & 0x80, "a message in fragments"
        if size == 126:
            (size,) = struct.unpack("!H", self._reader.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._reader.read(8))
        return first & 15, self._reader.read(size)

    def answer(self) -> bytes:
        """The next answer; events are passed over."""
        while True:
            opcode, payload = self.frame()
            assert opcode == 1 and b'"error":' not in payload[:40], payload[:300]
            if payload.startswith(b'{"id":'):
                return payload

    def times(self, command: Command, count: int) -> list[float]:
        """µs of each of `count` round trips, one after the other."""
        message = json.dumps({"id": 1, "method": command[0], "params": command[1]}).encode()
        return [self._spent(message, 1, self.answer) for _ in range(count)]

    def pings(self, count: int) -> list[float]:
        return [self._spent(b"1", 9, self.frame) for _ in range(count)]

    def _spent(self, message: bytes, opcode: int, receive: Callable[[], object]) -> float:
        began = time.perf_counter_ns()
        self.send(message, opcode)
        receive()
        return (time.perf_counter_ns() - began) / 1000

    def call(self, command: Command) -> bytes:
        self.send(json.dumps({"id": 1, "method": command[0], "params": command[1]}).encode())
        return self.answer()

    def rate(self, command: Command, count: int, window: int) -> float:
        """Round trips a second with `window` of them in flight."""
        rest = (',"method":%s,"params":%s}' % (json.dumps(command[0]), json.dumps(command[1]))).encode()
        began = time.perf_counter()
        for number in range(window):
            self.send(b'{"id":%d%b' % (number, rest))
        for number in range(window, count + window):
            self.answer()
            if number < count:
                self.send(b'{"id":%d%b' % (number, rest))
        return count / (time.perf_counter() - began)


WORKER = """(async () => {
  const [tabId, method, params, count, window] = %s, spent = [], began = performance.now();
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      const from = performance.now();
      await chrome.debugger.sendCommand({tabId}, method, params);
      spent.push((performance.now() - from) * 1000);
    }
  };
  await Promise.all(Array.from({length: window}, lane));
  return {spent, rate: count / (performance.now() - began) * 1000};
})()"""

#: the hop that the link itself makes, without a daemon: an echo to the offscreen document's WebSocket
ECHO = """new Promise(done => {
  const socket = new WebSocket('%s/echo'), spent = [], count = %d;
  const next = from => { socket.send('1'); socket.onmessage = () => (spent.push((performance.now() - from) * 1000) < count ? next(performance.now()) : done(spent)); };
  socket.onopen = () => next(performance.now());
})"""


class Bench:
    """One browser with both extensions, one tab in it, and every way to that tab."""

    def __init__(self, stack: ExitStack) -> None:
        self.site = stack.enter_context(Pages())
        self.daemon = stack.enter_context(Daemon())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "relay"
        shutil.copytree(ROOT / "bench/cdp_relay", folder)
        relay_port = free_port()
        self.relay_url = f"ws://127.0.0.1:{relay_port}"
        (folder / "config.json").write_text(json.dumps({"relay": self.relay_url}))
        relay = stack.enter_context(subprocess.Popen(["node", ROOT / "bench/cdp_relay/relay.mjs", str(relay_port)], stdout=subprocess.PIPE, text=True))
        stack.callback(relay.kill)
        self.browser = Chromium(daemon=self.daemon.url, start=False)
        stack.callback(self.browser.close)
        self.browser.extension_folder = Path(f"{self.browser.extension_folder},{folder}")  # --load-extension takes several
        self.browser.start()
        self.daemon.wait_for_browser()
        assert relay.stdout and relay.stdout.readline() == "linked\n"
        self.raw_port = int((self.browser.profile / "DevToolsActivePort").read_text().split()[0])
        self.tab: Tab = self.browser.tabs()[0]
        self.tab.goto(self.site.url("/plain"))
        self.tab_id = self.tab.id
        page = f"/devtools/page/{self.tab.target}"
        self.gateway, self.raw, self.relay = (Raw(port, page) for port in (self.daemon.port, self.raw_port, relay_port))
        assert all(b'"value":1' in way.call(EVALUATE) for way in (self.gateway, self.raw, self.relay))

    def worker(self, command: Command, count: int, window: int) -> dict[str, object]:
        self.gateway.call(EVALUATE)  # the floor shares the gateway's attachment, which is let go after 10 s of rest
        return dict(self.browser.worker(WORKER % json.dumps([self.tab_id, *command, count, window]), timeout=120))

    def cpu(self) -> float:
        """µs of CPU that the daemon's threads have used."""
        return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{self.daemon.pid}/task").glob("*/schedstat")) / 1000

    def take_turns(self, command: Command, count: int) -> dict[str, list[list[float]]]:
        """Each way's times by round, and under "cpu" the daemon's CPU per round trip of the gateway."""
        ways: dict[str, list[list[float]]] = {"worker": [], "raw": [], "relay": [], "gateway": [], "cpu": []}
        for _ in range(ROUNDS):
            ways["worker"].append(self.worker(command, count, 1)["spent"])  # type: ignore[arg-type]
            for name in ("raw", "relay", "gateway"):
                before = self.cpu()
                ways[name].append(getattr(self, name).times(command, count))
            ways["cpu"].append([(self.cpu() - before) / count])
        return ways


def p50(rounds: list[list[float]]) -> float:
    """The median of the rounds' medians."""
    return statistics.median(statistics.median(times) for times in rounds)


def table(ways: dict[str, list[list[float]]], floor: float) -> None:
    print("| way | p50 ms | p95 ms | over the worker | over raw |\n| --- | --- | --- | --- | --- |")
    for way in ("worker", "raw", "relay", "gateway"):
        middle = p50(ways[way])
        p95 = statistics.quantiles([time for times in ways[way] for time in times], n=20)[-1]
        print(f"| {way} | {middle / 1000:.2f} | {p95 / 1000:.2f} | {middle / floor:.2f} | {middle / p50(ways['raw']):.2f} |")


def say_cpu(spent: float) -> None:
    print(f"daemon's CPU: {spent:.0f} ms per 1,000 evaluates, {spent / 2:.0f} µs per message (goal < 30)")


def round_trip(bench: Bench) -> None:
    """`Runtime.evaluate("1")`, one after the other."""
    info: Command = ("Target.getTargetInfo", {})
    pings, answered, answered_cpu, echoes = [], [], [], []
    for _ in range(ROUNDS):
        echoes.append(bench.browser.offscreen(ECHO % (bench.relay_url, SEQUENTIAL)))
        pings.append(bench.gateway.pings(SEQUENTIAL))
        before = bench.cpu()
        answered.append(bench.gateway.times(info, SEQUENTIAL))
        answered_cpu.append((bench.cpu() - before) / SEQUENTIAL)
    ways = bench.take_turns(EVALUATE, SEQUENTIAL)
    floor, our, hop = p50(ways["worker"]), p50(ways["gateway"]), p50(pings)
    table(ways, floor)
    print(f"one socket hop (ping and pong with the daemon): {hop:.0f} µs; a command that the daemon answers itself (Target.getTargetInfo): "
          f"{p50(answered):.0f} µs, {statistics.median(answered_cpu):.0f} µs of the daemon's CPU")
    print(f"the extension's own hop (an echo to the offscreen document): {p50(echoes):.0f} µs; "
          f"worker + both hops = {floor + hop + p50(echoes):.0f} µs, gateway over that: {our / (floor + hop + p50(echoes)):.2f}")
    print(f"goal: gateway ≤ 1.25 × worker + hop = {1.25 * floor + hop:.0f} µs; is {our:.0f} µs, (gateway − hop) / worker = {(our - hop) / floor:.2f}")
    print(f"gateway over relay: {our / p50(ways['relay']):.2f}")
    say_cpu(p50(ways["cpu"]))


def flight(bench: Bench) -> None:
    """The same with 64 in flight."""
    rates: dict[str, list[float]] = {"worker": [], "raw": [], "relay": [], "gateway": []}
    cpu = []
    for _ in range(ROUNDS):
        rates["worker"].append(float(bench.worker(EVALUATE, FLIGHT, WINDOW)["rate"]))  # type: ignore[arg-type]
        for name in ("raw", "relay", "gateway"):
            before = bench.cpu()
            rates[name].append(getattr(bench, name).rate(EVALUATE, FLIGHT, WINDOW))
        cpu.append((bench.cpu() - before) / FLIGHT)
    middle = {name: statistics.median(values) for name, values in rates.items()}
    print("| way | round trips/s | over the worker | over raw |\n| --- | --- | --- | --- |")
    for name, value in middle.items():
        print(f"| {name} | {value:.0f} | {value / middle['worker']:.2f} | {value / middle['raw']:.2f} |")
    print(f"gateway over relay: {middle['gateway'] / middle['relay']:.2f}")
    say_cpu(statistics.median(cpu))


def payload(bench: Bench) -> None:
    """An answer of 1 MB: a string, and a screenshot."""
    bench.tab.evaluate(NOISE)
    for what, command in (("string", MEGABYTE), ("screenshot", SCREENSHOT)):
        ways = bench.take_turns(command, LARGE)
        print(f"{what}, {len(bench.gateway.call(command)) / 1e6:.2f} MB; the daemon's CPU {p50(ways['cpu']) / 1000:.2f} ms each")
        table(ways, p50(ways["worker"]))


def connect(bench: Bench) -> None:
    """Playwright's connect_over_cdp, with 1 tab and with 200."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        for tabs in (1, TABS):
            made = [bench.browser.cdp.post("Target.createTarget", url=bench.site.url(f"/plain?{n}"), background=True) for n in range(tabs - 1)]
            for each in made:
                each.result(120)
            eventually(lambda: sum(t["type"] == "page" and t["title"] == "Plain" for t in bench.browser.cdp.targets()) >= tabs, 120, "the tabs have loaded")
            spent: dict[str, list[float]] = {"gateway": [], "raw": []}
            for _ in range(3):
                for name, port in (("gateway", bench.daemon.port), ("raw", bench.raw_port)):
                    began = time.perf_counter()
                    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                    spent[name].append(time.perf_counter() - began)
                    seen = len(browser.contexts[0].pages)
                    browser.close()
                    assert seen >= tabs, seen
            ours, raw = (statistics.median(spent[name]) for name in ("gateway", "raw"))
            print(f"| {tabs} tabs | gateway {ours:.2f} s | raw {raw:.2f} s | {ours / raw:.2f} | attached {bench.daemon.health()['cdp']['attached']}", flush=True)


#: from the offscreen document's post to the worker until it gives the socket what came back
WATCH_OFFSCREEN = """(() => {
  const spent = globalThis.hops = [], post = MessagePort.prototype.postMessage, send = WebSocket.prototype.send;
  let from = 0;
  MessagePort.prototype.postMessage = function (message, ...rest) {
    if (message?.text !== undefined) from = performance.now();
    return post.call(this, message, ...rest);
  };
  WebSocket.prototype.send = function (text) {
    if (from) spent.push((performance.now() - from) * 1000);
    from = 0;
    return send.call(this, text);
  };
})()"""

#: from the call of chrome.debugger.sendCommand until its promise is settled
WATCH_WORKER = """(() => {
  const spent = globalThis.hops = [], sendCommand = chrome.debugger.sendCommand;
  chrome.debugger.sendCommand = (...given) => {
    const from = performance.now(), answer = sendCommand.apply(chrome.debugger, given);
    answer.then(() => spent.push((performance.now() - from) * 1000), () => {});
    return answer;
  };
})()"""


def hops(bench: Bench) -> None:
    """Where the time of the gateway's round trip goes; the watching itself costs some."""
    bench.browser.offscreen(WATCH_OFFSCREEN)
    bench.browser.worker(WATCH_WORKER)
    whole, offscreen, sending, echoes, pings = [], [], [], [], []
    for _ in range(ROUNDS):
        bench.gateway.call(EVALUATE)
        bench.browser.offscreen("hops.length = 0")
        bench.browser.worker("hops.length = 0")
        whole.append(bench.gateway.times(EVALUATE, SEQUENTIAL))
        offscreen.append(bench.browser.offscreen("hops"))
        sending.append(bench.browser.worker("hops"))
        assert len(offscreen[-1]) >= SEQUENTIAL <= len(sending[-1])
        echoes.append(bench.browser.offscreen(ECHO % (bench.relay_url, SEQUENTIAL)))
        pings.append(bench.gateway.pings(SEQUENTIAL))
    all_of_it, inside, command, echo, ping = (p50(each) for each in (whole, offscreen, sending, echoes, pings))
    print(f"gateway {all_of_it:.0f} µs = chrome.debugger.sendCommand {command:.0f} + offscreen document to worker and back {inside - command:.0f} "
          f"+ sockets and daemon {all_of_it - inside:.0f} (an echo to the offscreen document alone takes {echo:.0f}, a ping to the daemon {ping:.0f})")


PARTS: dict[str, Callable[[Bench], None]] = {
    "round-trip": round_trip, "flight": flight, "payload": payload, "connect": connect, "hops": hops,
}


def main() -> int:
    chosen = sys.argv[1:] or list(PARTS)
    with ExitStack() as stack:
        bench = Bench(stack)
        for _ in range(120):
            time.sleep(0.5 if os.getloadavg()[0] >= 3 else 0)
        for name in chosen:
            print(f"\n{name}: {(PARTS[name].__doc__ or '').strip()} Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.", flush=True)
            PARTS[name](bench)
        print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
