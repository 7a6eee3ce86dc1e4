#!/usr/bin/env python3
"""Watches the prices of several shops at once and tells what has changed.

    python3 watch_prices.py http://127.0.0.1:8080/shop.html https://… --every 600
    python3 watch_prices.py URL --once            # one look, for cron

Every page is opened in a background tab of the browser you use (so that it sees your prices), all at the same time over
one connection. What was seen last is kept in prices.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from anytab import AnyError, AsyncBrowser

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "price_scrape.js"

Prices = dict[str, float]


async def look(browser: AsyncBrowser, url: str) -> Prices:
    """The prices on one page, by product."""
    task = await browser.submit(SCRIPT, tab={"open": url}, retries=2, labels={"app": "watch_prices"})
    products: list[dict[str, Any]] = await task
    return {product["name"]: product["price"] for product in products}


def changes(before: Prices, now: Prices) -> list[str]:
    """What is worth a line."""
    lines = [f"{name}: {before[name]:.2f} → {price:.2f}" for name, price in now.items() if name in before and before[name] != price]
    lines += [f"{name}: new, {price:.2f}" for name, price in now.items() if before and name not in before]
    lines += [f"{name}: gone" for name in before if name not in now]
    return lines


async def round_of(browser: AsyncBrowser, urls: list[str], known: dict[str, Prices]) -> bool:
    """One look at every page; True where all could be read."""
    answers = await asyncio.gather(*(look(browser, url) for url in urls), return_exceptions=True)
    well = True
    for url, answer in zip(urls, answers):
        if isinstance(answer, AnyError):
            print(f"{url}: {answer}", file=sys.stderr)
            well = False
        elif isinstance(answer, BaseException):
            raise answer
        else:
            lines = changes(known.get(url, {}), answer)
            print(f"{url}: {len(answer)} products, {len(lines)} changes")
            for line in lines:
                print(f"  {line}")
            known[url] = answer
    return well


async def watch(options: argparse.Namespace) -> int:
    known: dict[str, Prices] = json.loads(options.state.read_text()) if options.state.exists() else {}
    async with AsyncBrowser(options.daemon) as browser:
        await browser.wait_for_browser(timeout=30)
        while True:
            well = await round_of(browser, options.urls, known)
            options.state.write_text(json.dumps(known, indent=2, ensure_ascii=False))
            if options.once:
                return 0 if well else 1
            await asyncio.sleep(options.every)


def main() -> int:
    parser = argparse.ArgumentParser(description="Watches the prices of several shops at once.")
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--every", type=float, default=3600, metavar="SECONDS")
    parser.add_argument("--once", action="store_true", help="look once and end")
    parser.add_argument("--state", type=Path, default=Path("prices.json"), metavar="FILE")
    parser.add_argument("--daemon", default=None, metavar="URL")
    try:
        return asyncio.run(watch(parser.parse_args()))
    except AnyError as error:
        print(f"watch_prices: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
