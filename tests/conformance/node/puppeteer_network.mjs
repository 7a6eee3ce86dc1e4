// Puppeteer: interception, requests and answers, authentication, downloads, uploads, WebSockets.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { close, next, open, tidy, until } from './puppeteer_connection.mjs';

export { close, open, tidy };

const echo = (page, how) => page.evaluate((how) => fetch('/x-echo', how).then((r) => r.json()), how);

/** Starts a download by a click and waits until it is over: {begun, ended, folder}. */
async function download({ url, folder, state: { browser, page } }, button, policy = 'allow') {
  const session = await browser.target().createCDPSession();
  await session.send('Browser.setDownloadBehavior', { behavior: policy, downloadPath: folder, eventsEnabled: true });
  try {
    await page.goto(url('/downloads'));
    const begun = next(session, 'Browser.downloadWillBegin');
    const ended = new Promise((resolve) => {
      session.on('Browser.downloadProgress', (event) => event.state !== 'inProgress' && resolve(event));
    });
    await page.click(button);
    return { session, begun: await begun, ended };
  } finally {
    page.once('close', () => session.send('Browser.setDownloadBehavior', { behavior: 'default' }).catch(() => {}));
  }
}

export const cases = {
  'answers a request itself': async ({ url, state: { page } }, assert) => {
    await page.setRequestInterception(true);
    page.on('request', (request) =>
      request.url().endsWith('/part.json') ? request.respond({ contentType: 'application/json', body: '{"name": "invented"}' }) : request.continue(),
    );
    await page.goto(url('/parts'));
    await page.waitForFunction(() => data.textContent);
    assert.equal(await page.$eval('#data', (e) => e.textContent), 'invented');
  },
  'aborts a request': async ({ url, state: { page } }, assert) => {
    await page.setRequestInterception(true);
    page.on('request', (request) => (request.resourceType() === 'stylesheet' ? request.abort() : request.continue()));
    const failed = next(page, 'requestfailed');
    await page.goto(url('/parts'));
    const request = await failed;
    assert.match(request.url(), /part.css$/);
    assert.equal(request.failure().errorText, 'net::ERR_FAILED');
  },
  'continues with other headers, method and body': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    await page.setRequestInterception(true);
    page.on('request', (request) =>
      request.continue({ method: 'POST', postData: 'changed', headers: { ...request.headers(), 'x-added': 'yes' } }),
    );
    const told = await echo(page, { method: 'PUT', body: 'sent' });
    assert.deepEqual([told.method, told.body, told.headers['x-added']], ['POST', 'changed', 'yes']);
  },
  'stops intercepting': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    await page.setRequestInterception(true);
    page.once('request', (request) => request.abort());
    assert.equal(await page.evaluate(() => fetch('/part.json').then(() => 'came', () => 'failed')), 'failed');
    await page.setRequestInterception(false);
    assert.equal(await page.evaluate(() => fetch('/part.json').then(() => 'came', () => 'failed')), 'came');
  },
  'intercepts requests of a frame of another site': async ({ url, state: { page } }, assert) => {
    await page.setRequestInterception(true);
    page.on('request', (request) =>
      request.url().endsWith('?other') ? request.respond({ contentType: 'text/html', body: '<title>Replaced</title>' }) : request.continue(),
    );
    await page.goto(url('/frames'));
    const frame = await until(() => page.frames().find((each) => each.url().endsWith('?other')));
    assert.equal(await frame.title(), 'Replaced');
  },
  'tells of requests and answers': async ({ url, state: { page } }, assert) => {
    const heard = new Set();
    for (const event of ['request', 'response', 'requestfinished']) {
      page.on(event, (it) => heard.add(`${event} ${it.url().split('/').pop()}`));
    }
    await page.goto(url('/parts'), { waitUntil: 'networkidle0' });
    for (const name of ['parts', 'part.css', 'part.js', 'part.json', 'part.png']) {
      for (const event of ['request', 'response', 'requestfinished']) assert.ok(heard.has(`${event} ${name}`), `${event} ${name}`);
    }
  },
  'gives the body and the headers of an answer': async ({ url, state: { page } }, assert) => {
    const waited = page.waitForResponse((answer) => answer.url().endsWith('/part.json'));
    await page.goto(url('/parts'));
    const answer = await waited;
    assert.deepEqual(await answer.json(), { name: 'served' });
    assert.equal(answer.headers()['content-type'], 'application/json');
    assert.equal(answer.remoteAddress().ip, '127.0.0.1');
    assert.ok(answer.timing().receiveHeadersEnd > 0);
  },
  'tells what was posted': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    const sent = page.waitForRequest((request) => request.url().endsWith('/x-echo'));
    await echo(page, { method: 'POST', body: 'posted' });
    assert.equal((await sent).postData(), 'posted');
  },
  'follows redirects': async ({ url, state: { page } }, assert) => {
    const answer = await page.goto(url('/x-redirect?to=/second'));
    const chain = answer.request().redirectChain();
    assert.equal(chain.length, 1);
    assert.equal(chain[0].response().status(), 302);
  },
  'sends extra headers and another user agent': async ({ url, state: { page } }, assert) => {
    await page.setExtraHTTPHeaders({ 'x-extra': 'always' });
    await page.setUserAgent({ userAgent: 'Any/2.0' });
    const told = await (await page.goto(url('/x-echo'))).json();
    assert.deepEqual([told.headers['x-extra'], told.headers['user-agent']], ['always', 'Any/2.0']);
  },
  'answers a demand for authentication': async ({ url, state: { page } }, assert) => {
    await page.authenticate({ username: 'user', password: 'secret' });
    assert.equal((await page.goto(url('/x-login'))).status(), 200);
    assert.equal(await page.title(), 'Inside');
  },
  'goes offline and back': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    await page.setOfflineMode(true);
    assert.equal(await page.evaluate(() => fetch('/part.json').then(() => 'came', () => 'failed')), 'failed');
    await page.setOfflineMode(false);
    assert.equal(await page.evaluate(() => fetch('/part.json').then(() => 'came', () => 'failed')), 'came');
  },
  'hears the frames of a WebSocket by CDP': async ({ url, socket, state: { page } }, assert) => {
    const session = await page.createCDPSession();
    await session.send('Network.enable');
    const made = next(session, 'Network.webSocketCreated');
    const received = next(session, 'Network.webSocketFrameReceived');
    await page.goto(url('/socket'));
    assert.equal((await made).url, socket);
    assert.equal((await received).response.payloadData, 'echo: hi');
    await session.detach();
  },
  'downloads into a folder': async (bench, assert) => {
    const { begun, ended } = await download(bench, '#plain');
    assert.equal(begun.suggestedFilename, 'report.txt');
    assert.equal((await ended).state, 'completed');
    assert.equal(readFileSync(join(bench.folder, 'report.txt'), 'utf8'), "the report's text");
  },
  'downloads under the name of its guid': async (bench, assert) => {
    const { begun, ended } = await download(bench, '#named', 'allowAndName');
    assert.equal(begun.suggestedFilename, 'other name.txt');
    assert.equal((await ended).state, 'completed');
    assert.equal(readFileSync(join(bench.folder, begun.guid), 'utf8'), "the report's text");
  },
  'cancels a download': async (bench, assert) => {
    const { session, begun, ended } = await download(bench, '#endless');
    await session.send('Browser.cancelDownload', { guid: begun.guid });
    assert.equal((await ended).state, 'canceled');
  },
  'denies a download': async (bench, assert) => {
    const { ended } = await download(bench, '#plain', 'deny');
    assert.equal((await ended).state, 'canceled');
  },
  'uploads a file': async ({ url, folder, state: { page } }, assert) => {
    writeFileSync(join(folder, 'mine.txt'), 'my file');
    await page.goto(url('/upload'));
    const input = await page.$('#one');
    await input.uploadFile(join(folder, 'mine.txt'));
    await page.waitForFunction(() => document.querySelector('#read').textContent);
    assert.equal(await page.$eval('#read', (e) => e.textContent), 'mine.txt:text/plain:my file');
  },
  'answers a file chooser': async ({ url, folder, state: { page } }, assert) => {
    writeFileSync(join(folder, 'chosen.txt'), 'chosen');
    await page.goto(url('/upload'));
    const [chooser] = await Promise.all([page.waitForFileChooser(), page.click('#choose')]);
    assert.equal(chooser.isMultiple(), false);
    await chooser.accept([join(folder, 'chosen.txt')]);
    await page.waitForFunction(() => document.querySelector('#read').textContent);
    assert.equal(await page.$eval('#read', (e) => e.textContent), 'chosen.txt:text/plain:chosen');
  },
};
