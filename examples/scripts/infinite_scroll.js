// Reads a list that grows while one scrolls.
//   any run examples/scripts/infinite_scroll.js --open URL --arg limit=60 --timeout 120
//
// args, all optional: item (selector; default ".entry"), limit (default 100), patience (ms without anything new; default 5000)

const {item = '.entry', limit = 100, patience = 5000} = args ?? {};
const items = () => document.querySelectorAll(item);

await any.waitFor(item);
let atEnd = false;
while (items().length < limit && !atEnd) {
  const before = items().length;
  window.scrollTo(0, document.documentElement.scrollHeight);
  // A tab in the background draws nothing and so tells nobody that it was scrolled: we do.
  window.dispatchEvent(new Event('scroll'));
  document.dispatchEvent(new Event('scroll', {bubbles: true}));

  const began = Date.now();
  while (items().length === before && Date.now() - began < patience) await any.sleep(50);
  atEnd = items().length === before;
  any.progress({items: items().length, at_end: atEnd});
}

return {
  at_end: atEnd,
  items: [...items()].slice(0, limit).map(entry => entry.innerText.trim().replace(/\s+/g, ' ')),
};
