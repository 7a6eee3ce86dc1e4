// What Puppeteer's case files share: one connection and a fresh page for each case.

import puppeteer from 'puppeteer-core';

export { puppeteer };

let browser;
let before;

/** The connection that the cases share, made anew where a case has lost it, and a fresh page in front. */
export async function open(bench) {
  if (!browser?.connected) browser = await puppeteer.connect({ browserURL: bench.endpoint, protocolTimeout: 20_000 });
  before = new Set(browser.targets().filter((target) => target.type() === 'page'));
  const page = await browser.newPage();
  page.setDefaultTimeout(8000);
  return { browser, page };
}

/** Closes every page that the case opened. */
export async function tidy() {
  if (!browser?.connected) return;
  for (const target of browser.targets()) {
    if (target.type() !== 'page' || before.has(target)) continue;
    const page = await target.page();
    await page?.close();
  }
}

export async function close() {
  await browser?.disconnect();
}

/** Waits until `condition` gives something true, and gives it. */
export async function until(condition, what) {
  const end = Date.now() + 8000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within 8 s: ${what ?? condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The next event of that name. */
export function next(emitter, event, timeout = 8000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within ${timeout} ms`)), timeout);
    emitter.once(event, (value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
