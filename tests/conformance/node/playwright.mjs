// Playwright for Node: a shorter list, as the protocol is spoken by the same code as in Python's.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

let browser;
let before;

export async function open(bench) {
  if (!browser?.isConnected()) browser = await chromium.connectOverCDP(bench.endpoint, { timeout: 8000 });
  const context = browser.contexts()[0];
  before = new Set(context.pages());
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  return { browser, context, page };
}

export async function tidy() {
  if (!browser?.isConnected()) return;
  for (const page of browser.contexts()[0].pages()) if (!before.has(page)) await page.close();
}

export async function close() {
  await browser?.close();
}

export const cases = {
  'connects by http and by websocket address': async ({ endpoint, browserSocket }, assert) => {
    for (const address of [endpoint, await browserSocket()]) {
      const made = await chromium.connectOverCDP(address);
      assert.equal(made.contexts().length, 1);
      await made.close();
    }
  },
  'reconnects and finds its page again': async ({ endpoint, url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    await page.fill('#name', 'kept');
    const second = await chromium.connectOverCDP(endpoint);
    const again = second.contexts()[0].pages().find((each) => each.url() === url('/form'));
    assert.equal(await again.inputValue('#name'), 'kept');
    await second.close();
    assert.equal(await page.inputValue('#name'), 'kept');
  },
  'works with locators': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    await page.getByLabel('Name').fill('n');
    await page.getByLabel('Agree').check();
    await page.selectOption('#colour', 'green');
    await page.getByRole('button', { name: 'Send' }).click();
    assert.equal(await page.innerText('#submitted'), 'name=n&note=&colour=green&agree=on');
    await page.dragAndDrop('#box', '#hole');
    assert.equal(await page.innerText('#hole'), 'parcel');
  },
  'works in frames of the same and of another site': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/frames'));
    for (const name of ['same', 'other']) {
      const frame = page.frameLocator(`iframe[name=${name}]`);
      await frame.getByRole('button').click();
      assert.equal(await frame.locator('#said').innerText(), `pressed in ?${name}`);
    }
  },
  'a popup is a page with an opener': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/opener'));
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#open')]);
    await popup.waitForLoadState();
    assert.equal(await popup.opener(), page);
    assert.equal(await popup.innerText('#opener'), 'true');
  },
  'saves a download': async ({ endpoint, url, folder }, assert) => {
    // Of a browser's connections the last one says where downloads go: hence one of this case's own.
    const own = await chromium.connectOverCDP(endpoint);
    const page = await own.contexts()[0].newPage();
    await page.goto(url('/downloads'));
    const [got] = await Promise.all([page.waitForEvent('download'), page.click('#plain')]);
    assert.equal(got.suggestedFilename(), 'report.txt');
    await got.saveAs(join(folder, 'saved.txt'));
    assert.equal(readFileSync(join(folder, 'saved.txt'), 'utf8'), "the report's text");
    await page.close();
    await own.close();
  },
  'uploads a file': async ({ url, folder, state: { page } }, assert) => {
    writeFileSync(join(folder, 'mine.txt'), 'my file');
    await page.goto(url('/upload'));
    await page.setInputFiles('#one', join(folder, 'mine.txt'));
    await page.locator('#read', { hasText: 'my file' }).waitFor();
    assert.equal(await page.innerText('#read'), 'mine.txt:text/plain:my file');
  },
  'answers dialogs': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/dialogs'));
    page.on('dialog', (dialog) => dialog.accept('somebody'));
    for (const [id, said] of [['alert', 'alerted'], ['confirm', 'true'], ['prompt', 'somebody']]) {
      await page.click(`#${id}`);
      assert.equal(await page.innerText('#said'), said);
    }
  },
  'routes requests': async ({ url, state: { page } }, assert) => {
    await page.route('**/part.json', (route) => route.fulfill({ json: { name: 'invented' } }));
    await page.route('**/part.css', (route) => route.abort());
    await page.goto(url('/parts'));
    await page.locator('#data', { hasText: 'invented' }).waitFor();
    assert.equal(await page.innerText('#data'), 'invented');
  },
  'gives the body of an answer': async ({ url, state: { page } }, assert) => {
    const [answer] = await Promise.all([page.waitForResponse('**/part.json'), page.goto(url('/parts'))]);
    assert.deepEqual(await answer.json(), { name: 'served' });
  },
  'hears the console, errors and workers': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/talk'));
    const [message] = await Promise.all([page.waitForEvent('console', (m) => m.type() === 'warning'), page.click('#log')]);
    assert.equal(message.text(), 'careful');
    const [error] = await Promise.all([page.waitForEvent('pageerror'), page.click('#throw')]);
    assert.equal(error.message, 'thrown on purpose');
    const [worker] = await Promise.all([page.waitForEvent('worker'), page.goto(url('/worker'))]);
    assert.equal(await worker.evaluate('globalThis.mark'), 'in the worker');
  },
  'sets and reads cookies': async ({ url, state: { context, page } }, assert) => {
    await context.addCookies([{ name: 'npm', value: '1', url: url('/') }]);
    await page.goto(url('/plain'));
    assert.match(await page.evaluate(() => document.cookie), /npm=1/);
    await context.clearCookies({ name: 'npm' });
    assert.ok(!(await context.cookies()).some((cookie) => cookie.name === 'npm'));
  },
  'saves and restores storage state': async ({ url, state: { browser } }, assert) => {
    const one = await browser.newContext();
    const page = await one.newPage();
    await page.goto(url('/plain'));
    await page.evaluate(() => localStorage.setItem('kept', 'too'));
    const storageState = await one.storageState();
    await one.close();
    const two = await browser.newContext({ storageState });
    const again = await two.newPage();
    await again.goto(url('/plain'));
    assert.equal(await again.evaluate(() => localStorage.getItem('kept')), 'too');
    await two.close();
  },
  'emulates in a new context': async ({ url, state: { browser } }, assert) => {
    const context = await browser.newContext({ locale: 'fr-FR', timezoneId: 'Asia/Tokyo', userAgent: 'Any/1.0', viewport: { width: 390, height: 700 } });
    try {
      const page = await context.newPage();
      await page.goto(url('/plain'));
      const told = await page.evaluate(() => [navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.userAgent, innerWidth]);
      assert.deepEqual(told, ['fr-FR', 'Asia/Tokyo', 'Any/1.0', 390]);
    } finally {
      await context.close();
    }
  },
  'exposes functions and runs init scripts': async ({ url, state: { page } }, assert) => {
    await page.exposeFunction('double', (number) => number * 2);
    await page.addInitScript(() => (window.planted = 'early'));
    await page.goto(url('/popup'));
    assert.deepEqual(await page.evaluate(async () => [await double(21), window.early]), [42, 'early']);
  },
  'takes screenshots and prints a PDF': async ({ url, state: { page } }, assert) => {
    await page.setViewportSize({ width: 500, height: 300 });
    await page.goto(url('/tall'));
    assert.equal((await page.screenshot({ scale: 'css' })).readUInt32BE(16), 500);
    assert.equal((await page.screenshot({ fullPage: true, scale: 'css' })).readUInt32BE(20), 3000);
    assert.equal((await page.pdf()).subarray(0, 5).toString(), '%PDF-');
  },
  traces: async ({ url, folder, state: { context, page } }, assert) => {
    await context.tracing.start({ screenshots: true, snapshots: true });
    await page.goto(url('/form'));
    await page.click('#count');
    await context.tracing.stop({ path: join(folder, 'trace.zip') });
    assert.ok(readFileSync(join(folder, 'trace.zip')).length > 2000);
  },
  'has CDP sessions with a page and the browser': async ({ url, state: { browser, context, page } }, assert) => {
    await page.goto(url('/plain'));
    const session = await context.newCDPSession(page);
    const { result } = await session.send('Runtime.evaluate', { expression: 'document.title' });
    assert.equal(result.value, 'Plain');
    const whole = await browser.newBrowserCDPSession();
    assert.ok((await whole.send('Target.getTargets')).targetInfos.length > 0);
  },
  'goes back, forward and to another site': async ({ url, other, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    await page.goto(other('/second'));
    await page.goBack({ waitUntil: 'commit' });
    assert.equal(await page.title(), 'Plain');
    await page.goForward({ waitUntil: 'commit' });
    assert.equal(await page.title(), 'Second');
  },
};
