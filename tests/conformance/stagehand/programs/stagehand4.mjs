// Stagehand 4 (npm) on whatever browser it is given. It brings an extension of its own, whose worker does the work.
import { Stagehand, localBrowser } from 'stagehand4';
import { z } from 'zod';
import { given, run, until } from './cases.mjs';

const { http, model, site } = given;

/** The scripted model, asked by us: this version takes no address for a vendor's API. */
async function generate({ messages, responseFormat }) {
  const text = (content) => [content].flat().map((part) => part.text ?? '').join('\n');
  const asked = {
    messages: messages.map(({ role, content }) => ({ role, content: text(content) })),
    response_format: { json_schema: { schema: responseFormat?.schema } },
  };
  const answer = await fetch(`${model}/chat/completions`, { method: 'POST', body: JSON.stringify(asked) });
  const said = (await answer.json()).choices[0].message.content;
  return { role: 'assistant', content: { type: 'text', text: said }, outputFormat: 'json_schema', structuredContent: JSON.parse(said) };
}

let browser, stagehand, page;
const product = z.object({ title: z.string(), price: z.number(), stock: z.number(), items: z.array(z.string()) });
const said = () => page.evaluate(() => document.getElementById('said').textContent);

await run({
  'connects and lists the tabs that are open': async () => {
    browser = await localBrowser.connect({ cdpUrl: http });
    stagehand = await Stagehand.create({ browser, model: { generate } });
    const pages = await browser.context.pages();
    return (await Promise.all(pages.map((one) => one.url()))).map((url) => new URL(url).pathname).sort();
  },
  'opens a page and goes to an address': async () => {
    page = await browser.context.newPage();
    await page.goto(`${site}/stage/shop`);
    return page.title();
  },
  'observe finds a button': async () =>
    (await stagehand.observe("find 'Order'", { page })).data.map(({ description, method, selector }) => [description, method, selector]),
  'act types, chooses and presses': async () => {
    await stagehand.act("type 'Ann' into 'Name'", { page });
    await stagehand.act("choose 'Large' in 'Size'", { page });
    await stagehand.act("click 'Order'", { page });
    return said();
  },
  'extract fills a schema': async () => (await stagehand.extract('the product', product, { page })).data,
  'act reaches into a frame of the same site and of another': async () => {
    await page.goto(`${site}/stage/frames`, { waitUntil: 'load' });
    await stagehand.act("click 'Pay near'", { page });
    const near = await until(said, 'paid near');
    await stagehand.act("click 'Pay far'", { page });
    return [near, await until(said, 'paid far')];
  },
  'act reaches into a closed shadow root': async () => {
    await page.goto(`${site}/stage/closed`);
    await stagehand.act("click 'Hidden'", { page });
    return until(said, 'found');
  },
  'a closed page is gone': async () => {
    const before = (await browser.context.pages()).length;
    await page.close();
    return before - (await until(async () => (await browser.context.pages()).length, before - 1));
  },
  'closing ends it': async () => {
    await stagehand.close();
    return 'closed'; // browser.close() would end a raw browser: it sends Browser.close
  },
});
