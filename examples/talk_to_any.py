#!/usr/bin/env python3
"""Hands a script to any and prints its result: one file, the standard library alone.

    python3 talk_to_any.py -e 'return document.title'
    python3 talk_to_any.py scripts/crawl.js --open http://127.0.0.1:8080/articles/1.html --args '{"pages": 3}'

The result goes to stdout as JSON, everything else to stderr. Exit codes: 0 result, 1 the script threw, 2 wrong usage,
3 no browser, 4 timeout, 5 the daemon could not be reached or refused the request, 6 the way to the page failed, 7 cancelled.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

EXIT_CODES = {
    "ScriptError": 1,
    "NotSerializableError": 1,
    "ResultTooLargeError": 1,
    "BadRequestError": 2,
    "NoBrowserError": 3,
    "PausedError": 3,
    "TimeoutError": 4,
    "CancelledError": 7,
}
INFRASTRUCTURE = 6
UNREACHABLE = 5

# The daemon is on this machine: no proxy of the environment has a say in that.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failure(Exception):
    """Ends the program with a message and an exit code."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def token():
    """The daemon's token, where it demands one: from the environment or from the state folder."""
    if os.environ.get("ANY_TOKEN"):
        return os.environ["ANY_TOKEN"]
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(os.environ.get("ANY_STATE_DIR") or Path(state) / "any")
    try:
        return (folder / "token").read_text().strip()
    except OSError:
        return None


def call(daemon, method, path, body=None, with_token=False):
    """One request. Returns the answer's JSON; Failure says what went wrong."""
    request = urllib.request.Request(daemon.rstrip("/") + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if with_token and token():
        request.add_header("Authorization", f"Bearer {token()}")
    try:
        with OPENER.open(request, timeout=330) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        if refused.code == 401 and not with_token and token():
            return call(daemon, method, path, body, with_token=True)
        try:
            error = json.load(refused)["error"]
        except (ValueError, KeyError, TypeError):
            raise Failure(f"{daemon} answered {refused.code} {refused.reason}; is it any?", UNREACHABLE) from None
        code = 2 if error["name"] == "BadRequestError" else UNREACHABLE
        raise Failure(f"{error['name']}: {error['message']}", code) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Failure(f"no daemon answers at {daemon} ({reason}); start one with `any serve`", UNREACHABLE) from None


def explain(error):
    """A task's error as a person reads it: with the stack, where the script threw."""
    stack = error.get("stack") or ""
    frames = [line for line in stack.splitlines() if line.strip().startswith("at ")]
    name = error.get("thrown") or error["name"]
    return "\n".join([f"{name}: {error['message']}", *frames])


def read_script(options):
    if options.code is not None:
        return options.code, "eval"
    if options.script == "-":
        return sys.stdin.read(), "stdin"
    try:
        return Path(options.script).read_text(encoding="utf-8"), Path(options.script).name
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{options.script} cannot be read: {error}", 2) from None


def read_args(text):
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(f"--args is not JSON: {error}", 2) from None


def read_tab(options):
    if options.open:
        return {"open": options.open}
    if options.tab == "active" or options.tab is None:
        return "active"
    return int(options.tab) if options.tab.isdigit() else {"url": options.tab}


def run(options):
    script, file = read_script(options)
    request = {
        # An id of our own: should the answer be lost, the same request again is the same task.
        "id": uuid.uuid4().hex,
        "script": script,
        "file": file,
        "args": read_args(options.args),
        "tab": read_tab(options),
        "timeout": options.timeout,
    }
    task = call(options.daemon, "POST", "/v1/tasks", request)
    print(f"task {task['id']}", file=sys.stderr)
    while task["ended"] is None:
        task = call(options.daemon, "GET", f"/v1/tasks/{task['id']}?wait=300")
    for line in task["console"]:
        print(f"[{line['level']}] {line['text']}", file=sys.stderr)
    if task["error"]:
        raise Failure(explain(task["error"]), EXIT_CODES.get(task["error"]["name"], INFRASTRUCTURE))
    return task["result"]


def main():
    parser = argparse.ArgumentParser(description="Hands a script to any and prints its result.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("script", nargs="?", help="a file with the body of an async function; - for standard input")
    what.add_argument("-e", dest="code", metavar="CODE", help="the script itself")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--tab", help="'active' (the default), a tab's id, or a pattern like 'https://*.example/*'")
    where.add_argument("--open", metavar="URL", help="open this address in a new tab, run there, close it")
    parser.add_argument("--args", default="null", metavar="JSON", help="what the script sees as `args`")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="what a page of it may take (30)")
    parser.add_argument("--daemon", default=os.environ.get("ANY_DAEMON") or "http://127.0.0.1:8766", metavar="URL")
    try:
        print(json.dumps(run(parser.parse_args()), ensure_ascii=False, indent=2))
    except Failure as failure:
        print(f"talk_to_any: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        print("talk_to_any: stopped waiting; the task goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
