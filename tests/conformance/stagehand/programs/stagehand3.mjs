// Stagehand 3 (npm) on whatever browser it is given.
import { Stagehand } from '@browserbasehq/stagehand';
import { z } from 'zod';
import { given, run, until } from './cases.mjs';

const { socket, model: baseURL, site } = given;
const model = { modelName: 'openai/gpt-4.1-mini', apiKey: 'none', baseURL };
const stagehand = new Stagehand({ env: 'LOCAL', localBrowserLaunchOptions: { cdpUrl: socket }, model, verbose: 0, disablePino: true });
let page;
const said = () => page.evaluate(() => document.getElementById('said').textContent);
const product = z.object({ title: z.string(), price: z.number(), stock: z.number(), items: z.array(z.string()) });

await run({
  'connects and lists the tabs that are open': async () => {
    await stagehand.init();
    return stagehand.context.pages().map((one) => new URL(one.url()).pathname).sort();
  },
  'opens a page and goes to an address': async () => {
    page = await stagehand.context.newPage();
    const response = await page.goto(`${site}/stage/shop`);
    return [response.status(), await page.title(), page.url() === `${site}/stage/shop`];
  },
  'observe finds a button': async () => (await stagehand.observe("find 'Order'")).map(({ description, method, selector }) => [description, method, selector]),
  'act types, chooses and presses': async () => {
    await stagehand.act("type 'Ann' into 'Name'");
    await stagehand.act("choose 'Large' in 'Size'");
    const last = await stagehand.act("click 'Order'");
    return [last.success, await said()];
  },
  'extract fills a schema': () => stagehand.extract('the product', product),
  'extract gives the text of the page': async () => {
    const { pageText } = await stagehand.extract();
    return ['Blue kettle', 'stock: 7', 'two litres'].map((text) => pageText.includes(text));
  },
  'act works on what an earlier observe found': async () => {
    const [found] = await stagehand.observe("find 'Second'");
    await stagehand.act(found);
    return until(async () => page.url(), `${site}/stage/second`).then((url) => new URL(url).pathname);
  },
  'act reaches into a frame of another site and of the same': async () => {
    // On a page of its own: an act ends the attaching of other sites' frames that come later.
    const [shop, fresh] = [page, await stagehand.context.newPage()];
    page = fresh;
    await page.goto(`${site}/stage/frames`, { waitUntil: 'load' });
    await until(async () => (await stagehand.observe("find 'Pay far'")).length, 1); // the other site's frame comes when it likes
    await stagehand.act("click 'Pay far'");
    const far = await until(said, 'paid far');
    await stagehand.act("click 'Pay near'");
    const near = await until(said, 'paid near');
    await fresh.close();
    page = shop;
    stagehand.context.setActivePage(page);
    return [far, near];
  },
  'act reaches into a closed shadow root': async () => {
    await page.goto(`${site}/stage/closed`);
    await stagehand.act("click 'Hidden'");
    return until(said, 'found');
  },
  'a tab that a page opens becomes the active page': async () => {
    await page.goto(`${site}/stage/shop`);
    await stagehand.act("click 'Beside'");
    const opened = await until(async () => stagehand.context.activePage() !== page, true);
    const popup = stagehand.context.activePage();
    const title = await until(() => popup.title(), 'Second');
    await popup.close();
    return [opened, title];
  },
  'the agent works through its steps': async () => {
    stagehand.context.setActivePage(page);
    const instruction = `steps: goto ${site}/stage/shop; act type 'Bo' into 'Name'; act click 'Order'; extract the title; act click 'Second'; done`;
    const done = await stagehand.agent({ model }).execute({ instruction, maxSteps: 12 });
    return [done.success, done.completed, done.message, await until(async () => new URL(page.url()).pathname, '/stage/second')];
  },
  'locators fill, click and count': async () => {
    await page.goto(`${site}/stage/shop`);
    await page.locator('#name').fill('Cy');
    await page.locator('button').click();
    return [await page.locator('li').count(), await page.locator('#said').textContent(), await page.locator('#name').inputValue()];
  },
  'an init script runs before the page': async () => {
    await page.addInitScript('window.planted = 7');
    await page.goto(`${site}/stage/second`);
    return page.evaluate(() => window.planted);
  },
  'a screenshot is a PNG': async () => {
    const png = await page.screenshot();
    return [png.subarray(1, 4).toString(), png.length > 1000];
  },
  'cookies are set, read and cleared by name': async () => {
    const { context } = stagehand;
    await context.addCookies([{ name: 'stage', value: 'set', url: site }]);
    const set = (await context.cookies(site)).filter((one) => one.name === 'stage').map((one) => one.value);
    await context.clearCookies({ name: 'stage' });
    return [set, (await context.cookies(site)).filter((one) => one.name === 'stage')];
  },
  'a closed page is gone': async () => {
    const before = stagehand.context.pages().length;
    await page.close();
    return before - (await until(async () => stagehand.context.pages().length, before - 1));
  },
  'closing leaves the browser running': async () => {
    await stagehand.close();
    return (await fetch(`${given.http}/json/version`)).status;
  },
});
