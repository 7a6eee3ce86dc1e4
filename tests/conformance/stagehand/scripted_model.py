"""A language model that answers by fixed rules: a small HTTP server in the place of the vendor's API.

    with ScriptedModel() as model:
        model.url                  # http://127.0.0.1:PORT/v1, to be given as base URL
        model.requests             # what was asked: act, observe, extract, metadata, agent

Speaks OpenAI's chat completions and responses, without streaming. It reads the accessibility tree that Stagehand puts into the
prompt (lines like `[0-12] button: Save`) and understands these instructions:

    click 'Save'  ·  type 'John' into 'Name'  ·  choose 'Two' in 'Size'  ·  press 'Enter'     act, and observe's suggestion
    find 'Save'                                                                              observe
    extract: each field of the schema is taken from a text `field: value` of the page; `title` is the first heading, a list
    field `items` is the page's list items and `options` all choices of its lists, a link or url is the id of the first link,
    any other field may also be a role: its first element's text
    steps: goto URL; act click 'Save'; extract the price; done                               agent, one step a turn
"""

from __future__ import annotations

import argparse
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LINE = re.compile(r"^\s*\[(\d+(?:-\d+)?)\]\s*([\w-]+(?:, [\w-]+)*)(?::\s*(.*?))?\s*$")
QUOTED = re.compile(r"'([^']*)'")
#: what a person means when they name a thing by its label
PREFERRED = ("button", "link", "textbox", "searchbox", "combobox", "select", "checkbox", "radio", "option", "heading")


class Tree:
    """The elements of the page as the prompt lists them: (id, role, name) in document order."""

    def __init__(self, text: str) -> None:
        found = (LINE.match(line) for line in text.splitlines())
        self.elements = [(m[1], m[2], m[3] or "") for m in found if m]

    def named(self, name: str) -> tuple[str, str, str] | None:
        exact = [e for e in self.elements if e[2].strip().lower() == name.lower()]
        close = exact or [e for e in self.elements if name.lower() in e[2].lower()]
        rank = {role: place for place, role in enumerate(PREFERRED)}
        return min(close, key=lambda e: rank.get(e[1].split(",")[0], len(rank)), default=None)

    def inside(self, role: str) -> str:
        """The first text within the first element of that role."""
        place = next((place for place, element in enumerate(self.elements) if element[1] == role), len(self.elements))
        return next((name for _, _, name in self.elements[place:] if name), "")

    def texts(self, role: str) -> list[str]:
        return [name.removesuffix(" [selected]") for _, kind, name in self.elements if kind.startswith(role) and name]


def suggest(instruction: str, tree: Tree) -> dict[str, Any] | None:
    """The one element and method for an instruction, or None where the page has no such element."""
    words = QUOTED.findall(instruction)
    verb = instruction.strip().split(" ", 1)[0].lower()
    if verb == "press" and words:
        target = next((e for e in tree.elements if e[1].split(",")[0] in ("textbox", "searchbox")), tree.elements[0])
        return {"elementId": target[0], "description": "key", "method": "press", "arguments": [words[0]]}
    if not words or (element := tree.named(words[-1])) is None:
        return None
    method, arguments = "click", []
    if verb in ("type", "fill") and len(words) > 1:
        method, arguments = "fill", [words[0]]
    elif verb in ("choose", "select") and len(words) > 1:
        method, arguments = "selectOptionFromDropdown", [words[0]]
    return {"elementId": element[0], "description": f"{element[1]} {element[2]}", "method": method, "arguments": arguments}


def fill_in(schema: dict[str, Any], tree: Tree, whole: dict[str, Any] | None = None, name: str = "") -> Any:
    """A value of the JSON schema, taken from the page by the name of each field."""
    whole = whole or schema
    if "$ref" in schema:
        target: Any = whole
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        return fill_in(target, tree, whole, name)
    for choice in schema.get("anyOf", []):
        if choice.get("type") != "null":
            return fill_in(choice, tree, whole, name)
    kind = schema.get("type")
    if kind == "object":
        return {key: fill_in(value, tree, whole, key) for key, value in schema.get("properties", {}).items()}
    if kind == "array":
        items = schema.get("items", {})
        texts = tree.texts("option") if name == "options" else tree.texts("listitem")
        if not texts:  # the text of a list item is a child of it, after the one for its bullet
            for place, (_, role, _) in enumerate(tree.elements):
                if role.startswith("listitem"):
                    inner = (text for _, _, text in tree.elements[place + 1 :] if text.strip("•*- "))
                    texts.append(next(inner, ""))
        return texts if items.get("type") == "string" else [fill_in(items, tree, whole, name)]
    if name.lower() in ("link", "url") or "element" in name.lower():
        return next((e[0] for e in tree.elements if e[1].startswith("link")), "")
    if name.lower() in ("title", "heading"):
        text = next(iter(tree.texts("heading")), "")
    elif name == "extraction":
        text = " ".join(tree.texts("StaticText") or tree.texts("heading"))
    else:
        pattern = re.compile(rf"\b{re.escape(name)}:\s*(.+)", re.IGNORECASE)
        text = next((m[1] for _, _, label in tree.elements if (m := pattern.search(label))), "") or tree.inside(name)
    if kind in ("number", "integer"):
        number = re.search(r"-?\d+(\.\d+)?", text)
        return (int if kind == "integer" else float)(number[0]) if number else 0
    return text in ("yes", "true") if kind == "boolean" else text


def next_step(goal: str, taken: int) -> tuple[str, dict[str, Any]]:
    """The agent's tool and its arguments for the step after `taken` ones."""
    listed = re.search(r"steps:\s*(.+)", goal, re.DOTALL)
    steps = [step.strip() for step in listed[1].splitlines()[0].split(";")] if listed else []
    step = steps[taken] if taken < len(steps) else "done"
    verb, _, rest = step.partition(" ")
    if verb == "goto":
        return "goto", {"url": rest}
    if verb == "act":
        return "act", {"action": rest}
    if verb == "extract":
        return "extract", {"instruction": rest, "schema": None}
    if verb in ("ariaTree", "screenshot"):
        return verb, {}
    return "done", {"reasoning": "all steps are done", "taskComplete": True}


def text_of(content: Any) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or [] if isinstance(part, dict))


class Question:
    """One request, whichever of the two APIs it came by."""

    def __init__(self, body: dict[str, Any]) -> None:
        messages = body.get("messages") or body.get("input") or []
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        self.user = [text_of(m.get("content")) for m in messages if m.get("role") == "user"]
        self.calls = sum(
            len(m.get("tool_calls") or []) + (m.get("type") == "function_call") for m in messages
        )
        named = [t.get("function", t) for t in body.get("tools", [])]
        self.tools = {t.get("name", ""): t.get("parameters", {}) for t in named}
        form = body.get("response_format", {}).get("json_schema") or body.get("text", {}).get("format") or {}
        self.schema: dict[str, Any] = form.get("schema") or {}

    def answer(self) -> tuple[str, Any]:
        """(kind, value): for the agent (tool, arguments), else what the schema asks for."""
        if self.tools:
            goal = next((text for text in self.user if "steps:" in text), "")
            tool, arguments = next_step(goal, self.calls)
            if tool not in self.tools:
                return "said", "all steps are done"
            return "agent", (tool, {k: v for k, v in arguments.items() if k in self.tools[tool].get("properties", {})})
        prompt = self.user[-1] if self.user else ""
        properties = self.schema.get("properties", {})
        asked = re.search(r"instruction: (.*?)\n(?:Accessibility Tree|DOM[^:]*):(.*)", prompt, re.DOTALL | re.IGNORECASE)
        instruction, page = (asked[1], asked[2]) if asked else (prompt, prompt)
        wrapped = re.search(r"given the following action: (.*?)\.\s*\n", instruction)
        tree = Tree(page)
        if "progress" in properties and "completed" in properties:
            return "metadata", {"progress": "all of it", "completed": True}
        if "twoStep" in properties:
            return "act", {"action": suggest(wrapped[1] if wrapped else instruction, tree), "twoStep": False}
        if "elements" in properties:
            one = suggest(wrapped[1] if wrapped else instruction, tree)
            return "act" if wrapped else "observe", {"elements": [self._as_asked(one)] if one else []}
        return "extract", fill_in(self.schema, tree)

    def _as_asked(self, one: dict[str, Any]) -> dict[str, Any]:
        """The element with just the fields that the schema lists: older versions ask for a number, and name it otherwise."""
        items = self.schema["properties"]["elements"].get("items", {})
        if "$ref" in items:
            items = self.schema.get("$defs", {}).get(items["$ref"].rsplit("/", 1)[-1], {})
        fields: dict[str, Any] = items.get("properties", {})
        known = one | {"element_id": one["elementId"], "selector": ""}
        for key in ("element_id", "elementId"):
            if fields.get(key, {}).get("type") == "integer":
                known[key] = int(one["elementId"].split("-")[-1])
        return {key: known[key] for key in fields if key in known}


def as_response(kind: str, value: Any, serial: int, model: str) -> dict[str, Any]:
    """The answer in the form of the responses API."""
    item: dict[str, Any]
    if kind == "agent":
        item = {"type": "function_call", "id": f"fc_{serial}", "call_id": f"call_{serial}", "name": value[0]}
        item |= {"arguments": json.dumps(value[1]), "status": "completed"}
    else:
        text = value if kind == "said" else json.dumps(value)
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        item = {"type": "message", "id": f"msg_{serial}", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}  # type: ignore[dict-item]
    return {
        "id": f"resp_{serial}", "object": "response", "created_at": 0, "status": "completed", "model": model, "output": [item],
        "usage": usage, "incomplete_details": None, "error": None, "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
    }


def as_completion(kind: str, value: Any, serial: int, model: str) -> dict[str, Any]:
    """The answer in the form of chat completions."""
    message: dict[str, Any] = {"role": "assistant", "content": value if kind == "said" else json.dumps(value)}
    if kind == "agent":
        message["content"] = None
        call = {"name": value[0], "arguments": json.dumps(value[1])}
        message["tool_calls"] = [{"id": f"call_{serial}", "type": "function", "function": call}]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if kind == "agent" else "stop", "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": f"c_{serial}", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": usage}


class ScriptedModel:
    """The server. Runs in a thread of its own until `close()`."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[str] = []
        #: bodies and answers, for whoever wants to know why a rule did not match
        self.log: list[tuple[dict[str, Any], Any]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                status, answer = owner.answer(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Access-Control-Allow-Origin", "*")  # Stagehand 4 asks from an extension
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the tests print what they need."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        form = as_response if path.endswith("/responses") else as_completion if path.endswith("/chat/completions") else None
        if form is None or body.get("stream"):
            return 404, {"error": {"message": f"the scripted model does not speak {path}", "type": "invalid_request_error"}}
        kind, value = Question(body).answer()
        self.requests.append(kind)
        self.log.append((body, value))
        return 200, form(kind, value, len(self.requests), body.get("model", "scripted"))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> ScriptedModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="Serves the scripted model until it is interrupted.")
    words.add_argument("--port", type=int, default=0)
    running = ScriptedModel(words.parse_args().port)
    print(running.url, flush=True)
    threading.Event().wait()
