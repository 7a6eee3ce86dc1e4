"""How often an init script is in a popup before the popup's own scripts, which Chrome does not hold for an extension.

    ANY_BINARY=build/release/any build/venv/bin/python bench/popups.py [TRIES]      # 100 of each by default

Playwright opens popups through the gateway: one whose server answers at once, and one that takes 50 ms as on a network.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from chromium import Chromium, eventually  # noqa: E402
from daemon import Daemon  # noqa: E402
from playwright.async_api import async_playwright  # noqa: E402

POPUP = b"<title>Popup</title><script>window.early = window.planted</script>"


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/late":
            time.sleep(0.05)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(POPUP)))
        self.end_headers()
        self.wfile.write(POPUP)

    def log_message(self, format: str, *args: object) -> None:
        pass


async def count(endpoint: str, site: str, tries: int) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(endpoint)
        context = browser.contexts[0]
        await context.add_init_script("window.planted = 'early'")
        for path, opens in (("/", "window.open('/', 'made')"), ("/", "window.open('/', '', 'noopener')"), ("/late", "window.open('/late')")):
            early = 0
            for _ in range(tries):
                page = await context.new_page()
                await page.goto(site)
                async with page.expect_popup() as made:
                    await page.evaluate(f"() => void {opens}")
                popup = await made.value
                await popup.wait_for_load_state()
                early += await popup.evaluate("window.early") == "early"
                await popup.close()
                await page.close()
            print(f"{opens:36}{'50 ms' if path == '/late' else 'at once':10}{early:4} of {tries}", flush=True)
        await browser.close()


def main() -> None:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    with Daemon() as daemon, Chromium(daemon.url):
        eventually(lambda: daemon.health()["browsers"] == 1, 15, "the browser is linked")
        print(f"load {os.getloadavg()[0]:.1f}")
        asyncio.run(count(daemon.url, f"http://127.0.0.1:{site.server_port}", tries))


if __name__ == "__main__":
    main()
