// Reads article after article: each page is a hop of its own. What has been read travels along in `any.state` and is in
// the journal, so a crawl of a hundred pages survives a crash in its middle.
//   any run examples/scripts/crawl.js --open URL --arg pages=3
//
// args, all optional: pages (default 10), article (selector; default "article"), next (selector; default 'a[rel="next"]')

const {pages = 10, article = 'article', next = 'a[rel="next"]'} = args ?? {};
const read = any.state ?? [];

const body = await any.waitFor(article);
const words = body.innerText.split(/\s+/).filter(Boolean).length;
read.push({
  title: body.querySelector('h1, h2')?.innerText.trim() ?? document.title,
  by: body.querySelector('[rel="author"]')?.innerText.trim() ?? null,
  date: body.querySelector('time')?.dateTime ?? null,
  words,
  url: location.href,
});
any.progress({read: read.length, title: read.at(-1).title});

const onward = document.querySelector(next)?.href;
const seen = read.some(page => page.url === onward);
if (onward && !seen && read.length < pages) return any.next(onward, read);

return {pages: read.length, words: read.reduce((sum, page) => sum + page.words, 0), articles: read};
