// What a page is made of.
//   any run examples/scripts/page_facts.js                      (the tab you look at)
//   any run examples/scripts/page_facts.js --open https://…

const count = selector => document.querySelectorAll(selector).length;
const meta = name =>
  document.querySelector(`meta[name="${name}"], meta[property="og:${name}"]`)?.content ?? null;

// Words as the reader's language counts them, of the text that can be seen.
const language = document.documentElement.lang || navigator.language;
const segments = new Intl.Segmenter(language, {granularity: 'word'}).segment(document.body?.innerText ?? '');
let words = 0;
for (const segment of segments) if (segment.isWordLike) words += 1;

const links = [...document.querySelectorAll('a[href]')].map(a => new URL(a.href, location.href));
const images = [...document.images].map(image => ({
  src: image.currentSrc || image.src,
  alt: image.alt,
  width: image.naturalWidth,
  height: image.naturalHeight,
}));
const largest = images.reduce(
  (best, image) => (!best || image.width * image.height > best.width * best.height ? image : best), null);
const navigation = performance.getEntriesByType('navigation')[0];

return {
  title: document.title,
  url: location.href,
  language: document.documentElement.lang || null,
  description: meta('description'),
  headings: Object.fromEntries(['h1', 'h2', 'h3'].map(tag => [tag, count(tag)])),
  links: {
    total: links.length,
    outside: links.filter(link => link.origin !== location.origin).length,
    broken_anchors: links.filter(link => link.hash && link.pathname === location.pathname
      && !document.getElementById(decodeURIComponent(link.hash.slice(1)))).length,
  },
  images: {total: images.length, without_alt: images.filter(image => !image.alt).length, largest},
  forms: count('form'),
  fields: count('input:not([type=hidden]), select, textarea'),
  tables: count('table'),
  scripts: count('script'),
  words,
  elements: count('*'),
  bytes: navigation?.decodedBodySize ?? null,
};
