// Puppeteer: connecting, pages, targets, contexts, input, frames, popups, dialogs.

import { close, next, open, puppeteer, tidy, until } from './puppeteer_connection.mjs';

export { close, open, tidy };

export const cases = {
  'connects by browserURL': async ({ endpoint }, assert) => {
    const browser = await puppeteer.connect({ browserURL: endpoint });
    assert.ok(browser.connected && (await browser.pages()).length >= 1);
    await browser.disconnect();
    assert.equal(browser.connected, false);
  },
  'connects by browserWSEndpoint': async ({ browserSocket }, assert) => {
    const browser = await puppeteer.connect({ browserWSEndpoint: await browserSocket() });
    assert.match(await browser.version(), /^(Headless)?Chrome\/\d+/);
    assert.match(await browser.userAgent(), /Mozilla/);
    await browser.disconnect();
  },
  'finds the pages that were open before': async ({ endpoint, url, state: { page } }, assert) => {
    await page.goto(url('/third'));
    const second = await puppeteer.connect({ browserURL: endpoint, defaultViewport: null });
    const found = (await second.pages()).filter((each) => each.url() === url('/third'));
    assert.equal(found.length, 1);
    assert.equal(await found[0].title(), 'Third');
    await second.disconnect();
    assert.equal(await page.title(), 'Third');
  },
  'opens, goes and closes': async ({ url, state: { browser } }, assert) => {
    const page = await browser.newPage();
    const answer = await page.goto(url('/plain'));
    assert.equal(answer.status(), 200);
    assert.equal(await page.title(), 'Plain');
    const gone = next(browser, 'targetdestroyed');
    await page.close();
    assert.equal((await gone).type(), 'page');
    assert.ok(page.isClosed());
  },
  'tells of targets as they come, change and go': async ({ url, state: { browser } }, assert) => {
    const heard = [];
    for (const event of ['targetcreated', 'targetchanged', 'targetdestroyed']) {
      browser.on(event, (target) => heard.push(`${event} ${target.type()} ${target.url()}`));
    }
    const page = await browser.newPage();
    await page.goto(url('/second'));
    await until(() => heard.includes(`targetchanged page ${url('/second')}`));
    await page.close();
    await until(() => heard.some((line) => line.startsWith('targetdestroyed page')));
    browser.removeAllListeners();
    assert.equal(heard[0], 'targetcreated page about:blank');
  },
  'waits for a target': async ({ url, state: { browser, page } }, assert) => {
    await page.goto(url('/opener'));
    const waited = browser.waitForTarget((target) => target.url() === url('/popup'), { timeout: 8000 });
    await page.click('#open');
    assert.equal((await waited).opener(), page.target());
  },
  'brings a page to the front': async ({ url, state: { browser, page } }, assert) => {
    await page.goto(url('/plain'));
    await browser.newPage();
    await page.bringToFront();
    assert.equal(await page.evaluate(() => document.visibilityState), 'visible');
  },
  'a page has a CDP session': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    const session = await page.createCDPSession();
    const { result } = await session.send('Runtime.evaluate', { expression: 'document.title' });
    assert.equal(result.value, 'Plain');
    await assert.rejects(session.send('Nothing.known'), /'Nothing.known' wasn't found/);
    await session.detach();
  },
  'the browser has a CDP session': async ({ state: { browser } }, assert) => {
    const session = await browser.target().createCDPSession();
    const { targetInfos } = await session.send('Target.getTargets');
    assert.ok(targetInfos.some((info) => info.type === 'page'));
    await session.detach();
  },
  'a new context is apart': async ({ url, state: { browser, page } }, assert) => {
    await page.goto(url('/plain'));
    await page.evaluate(() => (document.cookie = 'whose=default'));
    const context = await browser.createBrowserContext();
    try {
      const own = await context.newPage();
      await own.goto(url('/plain'));
      assert.equal(await own.evaluate(() => document.cookie), '');
      assert.equal(browser.browserContexts().length, 2);
    } finally {
      await context.close();
      await page.evaluate(() => (document.cookie = 'whose=; max-age=0'));
    }
    assert.equal(browser.browserContexts().length, 1);
  },
  'opens a page in a window of its own': async ({ state: { browser } }, assert) => {
    const page = await browser.newPage({ type: 'window', windowBounds: { width: 700, height: 500 } });
    const session = await page.createCDPSession();
    const { bounds } = await session.send('Browser.getWindowForTarget');
    assert.deepEqual([bounds.width, bounds.height], [700, 500]);
  },
  'clicks, types, selects, checks and hovers': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    await page.click('#count');
    await page.type('#name', 'Zoë 🎈');
    await page.select('#colour', 'blue');
    await page.click('#agree');
    await page.hover('#hover');
    await page.locator('#send').click();
    assert.equal(await page.$eval('#count', (e) => e.textContent), 'pressed 1');
    assert.equal(await page.$eval('#hover', (e) => e.textContent), 'over');
    assert.equal(await page.$eval('#submitted', (e) => decodeURIComponent(e.textContent)), 'name=Zoë+🎈&note=&colour=blue&agree=on');
  },
  'presses keys and turns the wheel': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    await page.focus('#keys');
    await page.keyboard.press('a');
    await page.keyboard.down('Shift');
    await page.keyboard.press('B');
    await page.keyboard.up('Shift');
    assert.equal(await page.$eval('#keys', (e) => e.textContent), 'a Shift B ');
    await page.mouse.move(200, 200);
    await page.mouse.wheel({ deltaY: 300 });
    await page.waitForFunction(() => scrollY > 100);
  },
  'drags and drops': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    const hole = await page.$('#hole');
    await hole.drop(await page.$('#box'));
    await page.waitForFunction(() => document.querySelector('#hole').textContent === 'parcel');
    assert.equal(await page.$eval('#hole', (e) => e.textContent), 'parcel');
  },
  'finds by text, aria, xpath and in shadow roots': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/shadow'));
    assert.equal(await (await page.$('>>> button')).evaluate((e) => e.textContent), 'inside');
    await page.goto(url('/form'));
    assert.equal(await (await page.$('::-p-text(three)')).evaluate((e) => e.className), 'last');
    assert.equal(await (await page.$('aria/Send')).evaluate((e) => e.id), 'send');
    assert.equal((await page.$$('::-p-xpath(//li)')).length, 3);
  },
  'waits for selectors and functions': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/late'));
    await page.waitForSelector('#late');
    await page.waitForSelector('#early', { hidden: true });
    await assert.rejects(page.waitForSelector('#nowhere', { timeout: 200 }), /nowhere/);
  },
  'works in frames of the same and of another site': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/frames'));
    for (const name of ['same', 'other']) {
      const frame = await until(() => page.frames().find((each) => each.url().endsWith(`?${name}`)));
      await frame.type('#field', name);
      await (await frame.$('#press')).click();
      assert.equal(await frame.$eval('#said', (e) => e.textContent), `pressed in ?${name}`);
      assert.equal(await frame.$eval('#field', (e) => e.value), name);
    }
  },
  'works in frames within frames': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/nested'));
    const frame = await until(() => page.frames().find((each) => each.url().endsWith('?inmost')));
    assert.equal(await frame.evaluate(() => document.title), 'Inner');
    assert.match(frame.parentFrame().url(), /middle$/);
  },
  'hears frames come and go': async ({ url, other, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    const heard = [];
    for (const event of ['frameattached', 'framenavigated', 'framedetached']) page.on(event, () => heard.push(event));
    await page.evaluate(
      (src) => new Promise((done) => document.body.append(Object.assign(document.createElement('iframe'), { src, onload: done }))),
      other('/second'),
    );
    await page.evaluate(() => document.querySelector('iframe').remove());
    await until(() => heard.includes('framedetached'));
    assert.equal(heard[0], 'frameattached');
    assert.ok(heard.includes('framenavigated'));
  },
  'a popup is a page with an opener': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/opener'));
    for (const button of ['#open', '#small', '#link', '#otherside']) {
      const made = next(page, 'popup');
      await page.bringToFront();
      await page.click(button);
      const popup = await made;
      await popup.waitForFunction(() => document.querySelector('#opener')?.textContent);
      assert.equal(await popup.$eval('#opener', (e) => e.textContent), 'true');
      await popup.close();
    }
  },
  'a popup without opener is a page': async ({ url, state: { browser, page } }, assert) => {
    await page.goto(url('/opener'));
    for (const button of ['#noopener', '#alone']) {
      const made = browser.waitForTarget((target) => target.url() === url('/popup'), { timeout: 8000 });
      await page.bringToFront();
      await page.click(button);
      const popup = await (await made).page();
      await popup.waitForFunction(() => document.querySelector('#opener')?.textContent);
      assert.equal(await popup.$eval('#opener', (e) => e.textContent), 'false');
      await popup.close();
    }
  },
  'answers alert, confirm and prompt': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/dialogs'));
    const heard = [];
    page.on('dialog', (dialog) => {
      heard.push([dialog.type(), dialog.message(), dialog.defaultValue()]);
      return dialog.accept('somebody');
    });
    for (const [id, said] of [['alert', 'alerted'], ['confirm', 'true'], ['prompt', 'somebody']]) {
      await page.click(`#${id}`);
      assert.equal(await page.$eval('#said', (e) => e.textContent), said);
    }
    assert.deepEqual(heard, [['alert', 'hello', ''], ['confirm', 'sure?', ''], ['prompt', 'name?', 'nobody']]);
  },
  'answers a beforeunload dialog': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/stay'));
    await page.click('#touch');
    const heard = next(page, 'dialog');
    const closed = next(page, 'close');
    await page.close({ runBeforeUnload: true });
    const dialog = await heard;
    assert.equal(dialog.type(), 'beforeunload');
    await dialog.accept();
    await closed;
  },
  'goes back and forward and reloads': async ({ url, state: { page } }, assert) => {
    await page.goto(url('/history?1'));
    await page.goto(url('/history?2'));
    await page.goBack();
    assert.equal(await page.$eval('#at', (e) => e.textContent), '?1');
    await page.goForward();
    assert.equal((await page.reload()).status(), 200);
    assert.equal(await page.$eval('#at', (e) => e.textContent), '?2');
  },
  'moves to another site, to chrome:// and back': async ({ url, other, state: { page } }, assert) => {
    await page.goto(url('/plain'));
    await page.goto(other('/second'));
    assert.equal(await page.title(), 'Second');
    await page.goto('chrome://version');
    assert.equal(page.url(), 'chrome://version/');
    await page.goto(url('/third'));
    assert.equal(await page.title(), 'Third');
  },
  'reads a page of chrome': async ({ state: { page } }, assert) => {
    await page.goto('chrome://version');
    assert.equal(await page.title(), 'About Version');
  },
  'says why it could not go': async ({ url, state: { page } }, assert) => {
    await assert.rejects(page.goto(url('/x-drop')), /ERR_EMPTY_RESPONSE/);
    await assert.rejects(page.goto(url('/x-hang'), { timeout: 400 }), /Navigation timeout of 400 ms/);
    assert.equal((await page.goto(url('/nowhere'))).status(), 404);
  },
  'two connections work in one page': async ({ endpoint, url, state: { page } }, assert) => {
    await page.goto(url('/form'));
    const second = await puppeteer.connect({ browserURL: endpoint });
    const twin = (await second.pages()).find((each) => each.url() === url('/form'));
    await page.type('#name', 'one');
    await twin.$eval('#note', (e) => (e.value = 'two'));
    assert.equal(await twin.$eval('#name', (e) => e.value), 'one');
    await second.disconnect();
    assert.equal(await page.$eval('#note', (e) => e.value), 'two');
  },
};
