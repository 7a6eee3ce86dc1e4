"""A client of the Model Context Protocol over stdio, as little of it as a test needs.

    with McpServer(["node_modules/.bin/playwright-mcp", "--cdp-endpoint", address]) as server:
        server.tools()                          # names
        server.call("browser_navigate", url=…)  # the text of the result; McpError where it says isError

Protocol: modelcontextprotocol.io, 2025-06-18 (lines of JSON-RPC 2.0).
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class McpError(Exception):
    """A tool's result that is an error, an error of the protocol, or no answer in time."""


class McpServer:
    def __init__(self, command: Sequence[str | Path], cwd: Path, timeout: float = 20.0) -> None:
        self._timeout = timeout
        self._number = 0
        self._log = open(cwd / "mcp.log", "w+")  # noqa: SIM115 (closed in close())
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=cwd
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        client = {"name": "conformance", "version": "1"}
        self.info = self._ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)["serverInfo"]
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        while True:
            try:
                message = json.loads(self._lines.get(timeout=self._timeout))
            except queue.Empty:
                raise McpError(f"{method} {params} was not answered within {self._timeout} s: {self._said()}") from None
            if message.get("id") != self._number:
                continue
            if "error" in message:
                raise McpError(message["error"]["message"])
            return message["result"]

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()[-1500:]

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self._ask("tools/list")["tools"]]

    def call(self, tool: str, **arguments: Any) -> str:
        result = self._ask("tools/call", name=tool, arguments=arguments)
        text = "\n".join(part.get("text", "") for part in result["content"])
        if result.get("isError"):
            raise McpError(text)
        return text

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> McpServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
