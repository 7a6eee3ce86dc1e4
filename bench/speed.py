#!/usr/bin/env python3
"""Prints the figures of docs/speed.md as a table: each a ratio within this one run, or an absolute that depends little on the machine.

    cmake --build --preset release --target any benches && build/venv/bin/python bench/speed.py [round-trip|throughput|daemon …]

Absolute times vary tenfold with what else the machine does; the ratios are what counts.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support")]

from chromium import EXTENSION_ID, Chromium  # noqa: E402
from daemon import Daemon, free_port  # noqa: E402
from pages import Pages  # noqa: E402

BUILD = Path(os.environ.get("ANY_BUILD", ROOT / "build/release"))
ROWS: list[tuple[str, str, str, str]] = []


def row(what: str, measured: str, goal: str, met: bool) -> None:
    ROWS.append((what, measured, goal, "yes" if met else "no"))
    print(f"  {what}: {measured} (goal {goal}: {'met' if met else 'MISSED'})", flush=True)


def program(name: str, *words: object) -> list[float]:
    done = subprocess.run([BUILD / "bench" / name, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


FLOOR = """(async () => {
  const times = [];
  for (let i = 0; i < %d; i++) {
    const began = performance.now();
    await chrome.scripting.executeScript({target: {tabId: %d}, world: 'MAIN', func: () => 1});
    times.push((performance.now() - began) * 1000);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
})()"""


def round_trip() -> None:
    """Submit-to-result of `return 1` over the RPC socket, against executeScript in a loop inside the worker, in turns."""
    with tempfile.TemporaryDirectory() as state, Pages() as site, Daemon(state_dir=Path(state)) as daemon:
        with Chromium(daemon=daemon.url) as browser:
            daemon.wait_for_browser()
            tab = browser.open(site.url("/plain"))
            floors, ours = [], []
            for _ in range(5):
                floors.append(float(browser.worker(FLOOR % (300, tab.id), timeout=60)))
                ours.append(program("submit_latency", daemon.url, tab.id, 300)[0])
    floor, our = statistics.median(floors), statistics.median(ours)
    row("`return 1`, submit to result, over executeScript in the worker", f"{our:.0f} µs / {floor:.0f} µs = {our / floor:.2f}", "≤ 1.5", our / floor <= 1.5)


def wait_port(port: int, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the server has not come up"
            time.sleep(0.02)


def throughput() -> None:
    """Durable tasks a second with a simulated browser, against the prototype's design (in memory), same program as load."""
    with tempfile.TemporaryDirectory() as state:
        with Daemon(state_dir=Path(state)) as daemon:
            ours = program("throughput", "any", daemon.url, EXTENSION_ID, 40_000, 256)[0]
        port = free_port()
        server = subprocess.Popen([sys.executable, ROOT / "bench/prototype_server.py", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_port(port)
            theirs = program("throughput", "prototype", f"http://127.0.0.1:{port}", 2_000, 32)[0]
        finally:
            server.kill()  # on SIGTERM it waits for its clients' connections
            server.wait()
    row("durable tasks a second over the prototype's design in Python", f"{ours:.0f}/s / {theirs:.0f}/s = {ours / theirs:.1f}", "≥ 20", ours / theirs >= 20)


def resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def daemon_figures() -> None:
    """Resident memory idle, start to first answer, memory per idle client."""
    starts = []
    with tempfile.TemporaryDirectory() as state:
        for _ in range(11):
            port = free_port()
            began = time.perf_counter()
            process = subprocess.Popen([BUILD / "any", "serve", "--listen", f"127.0.0.1:{port}", "--state-dir", state, "--compat-port", "0"],
                                       stderr=subprocess.DEVNULL)
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), 1) as connection:
                        connection.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                        assert b" 200 " in connection.recv(4096)
                        break
                except ConnectionRefusedError:
                    time.sleep(0.0005)
            starts.append((time.perf_counter() - began) * 1000)
            idle = resident_kb(process.pid)
            if len(starts) == 11:
                clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2000)]
                for client in clients:  # each has spoken once and now keeps its connection
                    client.sendall(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                    client.recv(4096)
                per_client = (resident_kb(process.pid) - idle) / len(clients)
                for client in clients:
                    client.close()
            process.terminate()
            process.wait(10)
    start = statistics.median(starts)
    row("daemon's resident memory, idle", f"{idle / 1024:.1f} MB", "≤ 12 MB", idle / 1024 <= 12)
    row("start to first answer", f"{start:.1f} ms", "≤ 30 ms", start <= 30)
    row("memory per idle client", f"{per_client:.1f} kB", "≤ 40 kB", per_client <= 40)


def journal() -> None:
    """Cost per task with 1,000,000 tasks in the journal against 1,000."""
    done = subprocess.run([BUILD / "bench" / "store_cost"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    ratio = float(done.stdout.strip().splitlines()[-1].split()[-1])
    row("cost per task with 1,000,000 in the journal over 1,000", f"{ratio:.2f}", "≤ 1.2", ratio <= 1.2)


PARTS: dict[str, Callable[[], None]] = {"round-trip": round_trip, "throughput": throughput, "daemon": daemon_figures, "journal": journal}


def main() -> int:
    chosen = sys.argv[1:] or list(PARTS)
    for name in chosen:
        print(f"{name}: {(PARTS[name].__doc__ or '').strip()}", flush=True)
        PARTS[name]()
    print("\n| what | measured | goal | met |\n| --- | --- | --- | --- |")
    for cells in ROWS:
        print("| " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
