#!/usr/bin/env python3
"""Python Stagehand in the browser you already use: it goes to a page, reads it, looks for a button and fills in a form.

    pip install 'stagehand>=3,<4'
    any serve --pages 8780                              # in another terminal; the pages are any's own examples
    OPENAI_API_KEY=… python3 stagehand_quickstart.py

The one line that any changes is `cdp_url`: it names the daemon instead of a Chrome started for the purpose. Everything happens in
a tab of its own, which is closed at the end (--keep leaves it). Another model: --model anthropic/claude-…, with its key in
MODEL_API_KEY; --model-url is for a server of your own that speaks OpenAI's API.
"""

import argparse
import json
import os
import sys
import time
import urllib.request

from stagehand import Stagehand

# The daemon is on this machine: no proxy of the environment has a say in that.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost,::1"

SHOP = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "the page's main heading"},
        "options": {"type": "array", "items": {"type": "string"}, "description": "every paper that can be chosen"},
    },
    "required": ["title", "options"],
}
ANSWER = {
    "type": "object",
    "properties": {"status": {"type": "string", "description": "what the page says of the order"}},
    "required": ["status"],
}


# Stagehand's server writes its log to standard output: that goes to standard error, so that only results are left there.
OUT = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def arguments():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--any", default=os.environ.get("ANY_DAEMON", "http://127.0.0.1:8766"), help="where the daemon is")
    words.add_argument("--page", default="http://127.0.0.1:8780/order.html", help="the order form")
    words.add_argument("--model", default="openai/gpt-4.1-mini", help="vendor/model")
    words.add_argument("--model-url", help="base URL of the model's API, where it is not the vendor's")
    words.add_argument("--keep", action="store_true", help="leave the tab open")
    return words.parse_args()


def door(daemon, path, method="GET"):
    """The daemon's DevTools doors, as Chrome has them: /json/version, /json/new …"""
    with urllib.request.urlopen(urllib.request.Request(daemon.rstrip("/") + path, method=method)) as answer:
        text = answer.read().decode()
    return json.loads(text) if text.startswith(("{", "[")) else text


def main():
    given = arguments()
    key = os.environ.get("MODEL_API_KEY") or os.environ.get("OPENAI_API_KEY") or ("none" if given.model_url else None)
    if not key:
        sys.exit("stagehand_quickstart: set OPENAI_API_KEY (or MODEL_API_KEY with --model), or give --model-url")
    model = {"model_name": given.model, "api_key": key}
    if given.model_url:
        model["base_url"] = given.model_url

    browser = door(given.any, "/json/version")["webSocketDebuggerUrl"]
    tab = door(given.any, "/json/new?about:blank", "PUT")["id"]
    here = {"frame_id": tab}  # without it Stagehand takes whichever tab of yours it finds active
    asking = {"model": model}

    with Stagehand(server="local", model_api_key=key, local_ready_timeout_s=60) as stagehand:
        session = stagehand.sessions.start(
            model_name=given.model,
            browser={"type": "local", "launch_options": {"cdp_url": browser}},  # <- the line that any changes
        )
        session.navigate(url=given.page, **here)

        shop = session.extract(instruction="the heading and the papers on offer", schema=SHOP, options=asking, **here).data.result
        print("extract:", json.dumps(shop, ensure_ascii=False), file=OUT)

        buttons = session.observe(instruction="find the button 'Order' that sends the form", options=asking, **here).data.result
        print("observe:", buttons[0].method, buttons[0].selector, file=OUT)

        for step in (
            "type 'Ada Lovelace' into 'Your name'",
            "type 'ada@example.org' into 'Where we can write to you'",
            "choose 'Ruled, 90 g' in 'Paper'",
            "click 'Paper is paper'",
        ):
            done = session.act(input=step, options=asking, **here).data.result
            print("act:", done.message, file=OUT)
        # What observe found is done without asking the model again.
        print("act:", session.act(input=buttons[0].to_dict(), **here).data.result.message, file=OUT)

        for _ in range(10):  # the shop takes a moment
            answer = session.extract(instruction="what the page says of the order", schema=ANSWER, options=asking, **here).data.result
            if answer["status"]:
                break
            time.sleep(0.5)
        print("answer:", answer["status"], file=OUT)
        session.end()

    if not given.keep:
        door(given.any, f"/json/close/{tab}")


if __name__ == "__main__":
    main()
