// Puppeteer: evaluation, console, workers, cookies, emulation, capture, tracing, coverage.

import { close, next, open, tidy, until } from './puppeteer_connection.mjs';

export { close, open, tidy };

const unregister = (page) =>
  page.evaluate(async () => {
    for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister();
  });
/** Width and height of a PNG. */
const size = (png) => [Buffer.from(png).readUInt32BE(16), Buffer.from(png).readUInt32BE(20)];

export const cases = {
  'evaluates values, promises and handles': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    const value = { a: [1, 1.5, null, true, 'é 🎈'], b: { c: [] } };
    assert.deepEqual(await page.evaluate((v) => v, value), value);
    assert.equal(await page.evaluate(() => new Promise((r) => setTimeout(() => r('later'), 30))), 'later');
    assert.equal((await page.evaluate((n) => 'x'.repeat(n), 3e6)).length, 3e6);
    const handle = await page.evaluateHandle(() => ({ list: document.querySelectorAll('li') }));
    const item = await page.evaluateHandle((h) => h.list[2], handle);
    assert.equal(await item.evaluate((e) => e.textContent), 'three');
    await handle.dispose();
    await assert.rejects(page.evaluate(() => { throw new Error('on purpose'); }), /on purpose/);
  },
  'exposes a function': async ({ url, state: { page } }, assert) => {
    await page.exposeFunction('double', (number) => number * 2);
    await page.goto(url('/frames'));
    assert.equal(await page.evaluate(() => double(21)), 42);
    const frame = await until(() => page.frames().find((each) => each.url().endsWith('?other')));
    assert.equal(await frame.evaluate(() => double(4)), 8);
  },
  'runs scripts on new documents before their own': async ({ url, state: { page } }, assert) => {
    const { identifier } = await page.evaluateOnNewDocument(() => (window.planted = 'early'));
    await page.goto(url('/popup'));
    assert.equal(await page.evaluate(() => window.early), 'early');
    await page.removeScriptToEvaluateOnNewDocument(identifier);
    await page.reload();
    assert.equal(await page.evaluate(() => window.early), undefined);
  },
  'hears the console and errors': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/talk'));
    const heard = [];
    page.on('console', (message) => heard.push([message.type(), message.text()]));
    await page.click('#log');
    await until(() => heard.length === 2);
    assert.deepEqual(heard[1], ['warn', 'careful']);
    const thrown = next(page, 'pageerror');
    await page.click('#throw');
    assert.match((await thrown).message, /thrown on purpose/);
  },
  'works in a dedicated worker': async ({ url, state: { page } }, assert) => {
    const made = next(page, 'workercreated');
    await page.goto(url('/worker'));
    const worker = await made;
    assert.equal(worker.url(), url('/worker.js'));
    assert.equal(await worker.evaluate(() => globalThis.mark), 'in the worker');
    const gone = next(page, 'workerdestroyed');
    await page.evaluate(() => w.terminate());
    await gone;
    assert.equal(page.workers().length, 0);
  },
  'works in a service worker': async ({ url, state: { browser, page } }, assert) => {
    const made = browser.waitForTarget((t) => t.type() === 'service_worker' && t.url() === url('/service/worker.js'), { timeout: 8000 });
    await page.goto(url('/service/'));
    const worker = await (await made).worker();
    assert.equal(await worker.evaluate(() => globalThis.mark), 'in the service worker');
    await unregister(page);
  },
  'works in a service worker whose script has run already': async ({ url, state: { browser, page } }, assert) => {
    const made = browser.waitForTarget((t) => t.type() === 'service_worker' && t.url() === url('/service/worker.js'), { timeout: 8000 });
    await page.goto(url('/service/'));
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    const worker = await (await made).worker();
    assert.equal(await worker.evaluate(() => globalThis.mark), 'in the service worker');
    await unregister(page);
  },
  'sees a shared worker': async ({ url, state: { browser, page } }, assert) => {
    const made = browser.waitForTarget((t) => t.type() === 'shared_worker' && t.url() === url('/shared.js'), { timeout: 8000 });
    await page.goto(url('/shared'));
    const worker = await (await made).worker();
    assert.equal(await worker.evaluate(() => globalThis.mark), 'in the shared worker');
  },
  'sets, reads and deletes cookies of the browser': async ({ url, state: { browser, page } }, assert) => {
    await browser.setCookie({ name: 'made', value: 'here', domain: '127.0.0.1', path: '/', httpOnly: true });
    const told = await (await page.goto(url('/x-echo'))).json();
    assert.match(told.headers.cookie, /made=here/);
    const found = (await browser.cookies()).find((cookie) => cookie.name === 'made');
    assert.ok(found.httpOnly && found.value === 'here');
    await browser.deleteCookie(found);
    assert.equal((await browser.cookies()).find((cookie) => cookie.name === 'made'), undefined);
  },
  'grants permissions and gives a place': async ({ url, state: { browser, page } }, assert) => {
    await page.goto(url('/plain'));
    await browser.defaultBrowserContext().overridePermissions(new URL(url('/')).origin, ['geolocation']);
    await page.setGeolocation({ latitude: 52.5, longitude: 13.4 });
    const place = await page.evaluate(() => new Promise((r, e) => navigator.geolocation.getCurrentPosition((p) => r(p.coords.latitude), e)));
    assert.equal(place, 52.5);
    await browser.defaultBrowserContext().clearPermissionOverrides();
  },
  'emulates a viewport, media, a time zone and a vision': async ({ url, state: { page } }, assert) => {
    await page.setViewport({ width: 611, height: 407, deviceScaleFactor: 2 });
    await page.emulateMediaType('print');
    assert.ok(await page.evaluate(() => matchMedia('print').matches));
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await page.emulateTimezone('Asia/Tokyo');
    await page.emulateVisionDeficiency('achromatopsia');
    await page.goto(url('/plain'));
    const told = await page.evaluate(() => [
      innerWidth, innerHeight, devicePixelRatio, matchMedia('(prefers-color-scheme: dark)').matches,
      Intl.DateTimeFormat().resolvedOptions().timeZone,
    ]);
    assert.deepEqual(told, [611, 407, 2, true, 'Asia/Tokyo']);
  },
  'emulates a touch screen and idleness': async ({ url, state: { page } }, assert) => {
    await page.setViewport({ width: 400, height: 700, hasTouch: true, isMobile: true });
    await page.goto(url('/form'));
    await page.tap('#touch');
    assert.equal(await page.$eval('#touch', (e) => e.textContent), 'touched');
    await page.emulateIdleState({ isUserActive: false, isScreenUnlocked: false });
    await page.emulateIdleState();
  },
  'slows the network and the processor': async ({ url, state: { page } }, assert) => {
    await page.emulateCPUThrottling(2);
    await page.emulateNetworkConditions({ download: 1e6, upload: 1e6, latency: 150 });
    const began = Date.now();
    await page.goto(url('/plain'));
    assert.ok(Date.now() - began >= 140);
    await page.emulateCPUThrottling(null);
    await page.emulateNetworkConditions(null);
  },
  'takes screenshots of the view, the page and an element': async ({ url, state: { page } }, assert) => {
    await page.setViewport({ width: 500, height: 300 });
    await page.goto(url('/tall'));
    assert.deepEqual(size(await page.screenshot()), [500, 300]);
    assert.equal(size(await page.screenshot({ fullPage: true }))[1], 3000);
    assert.deepEqual(size(await (await page.$('#red')).screenshot()), [100, 50]);
    assert.deepEqual(size(await page.screenshot({ clip: { x: 0, y: 1000, width: 40, height: 30 } })), [40, 30]);
  },
  'prints a PDF': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/tall'));
    assert.equal(Buffer.from(await page.pdf({ format: 'A4' })).subarray(0, 5).toString(), '%PDF-');
  },
  'casts the screen by CDP': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/tall'));
    const session = await page.createCDPSession();
    const frame = next(session, 'Page.screencastFrame');
    await session.send('Page.startScreencast', { format: 'jpeg' });
    await page.$eval('#red', (e) => (e.style.background = '#00f'));
    assert.ok((await frame).data.startsWith('/9j/'));
    await session.send('Page.stopScreencast');
  },
  traces: async ({ url, state: { page } }, assert) => {
    await page.tracing.start();
    await page.goto(url('/plain'));
    const trace = JSON.parse(Buffer.from(await page.tracing.stop()).toString());
    assert.ok(trace.traceEvents.length > 10);
  },
  'measures the coverage of scripts': async ({ url, state: { page } }, assert) => {
    await page.coverage.startJSCoverage();
    await page.goto(url('/parts'), { waitUntil: 'networkidle0' });
    const script = (await page.coverage.stopJSCoverage()).find((each) => each.url.endsWith('/part.js'));
    assert.ok(script.ranges.length > 0 && script.text.includes('unused'));
  },
  'measures the coverage of styles': async ({ url, state: { page } }, assert) => {
    await page.coverage.startCSSCoverage();
    await page.goto(url('/parts'), { waitUntil: 'networkidle0' });
    const style = (await page.coverage.stopCSSCoverage()).find((each) => each.url.endsWith('/part.css'));
    assert.equal(style.ranges.length, 1);
  },
  'tells metrics': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    assert.ok((await page.metrics()).Nodes > 0);
  },
  'tells the accessibility tree': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/aria'));
    const tree = await page.accessibility.snapshot();
    const names = JSON.stringify(tree);
    assert.ok(names.includes('"Press me"') && names.includes('"Your name"'));
  },
  'sets content and adds tags': async ({ state: { page } }, assert) => {
    await page.setContent('<title>Set</title><p>set</p>');
    await page.addScriptTag({ content: 'window.added = 1' });
    await page.addStyleTag({ content: 'p { color: rgb(9, 8, 7) }' });
    assert.equal(await page.title(), 'Set');
    assert.deepEqual(await page.evaluate(() => [added, getComputedStyle(document.querySelector('p')).color]), [1, 'rgb(9, 8, 7)']);
    assert.match(await page.content(), /<p>set<\/p>/);
  },
  'runs without scripts and past a CSP': async ({ url, state: { page } }, assert) => {
    await page.setBypassCSP(true);
    await page.setJavaScriptEnabled(false);
    await page.goto(url('/late'));
    assert.equal(await page.$eval('#early', (e) => e.textContent), 'early');
    await page.setJavaScriptEnabled(true);
    await page.reload();
    await page.waitForSelector('#late');
  },
};
