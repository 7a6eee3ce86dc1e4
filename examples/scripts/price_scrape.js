// Products and prices of a shop's page.
//   any run examples/scripts/price_scrape.js --tab '*://*/shop.html'
//   any run examples/scripts/price_scrape.js --open URL --arg below=10 --arg in_stock=true
//
// args, all optional: below (a price), in_stock (only what can be had), and the shop's own selectors:
//   product, name, price, stock

const {below = Infinity, in_stock = false, ...own} = args ?? {};
const selectors = {product: '.product', name: '.name', price: '.price', stock: '.stock', ...own};

await any.waitFor(selectors.product);

/** A number out of what people read: "€ 1.299,00", "1,299.00 $" and "12.50" alike. */
function amount(text) {
  const digits = text.replace(/[^\d.,]/g, '');
  const decimals = digits.match(/[.,](\d{1,2})$/);
  const whole = (decimals ? digits.slice(0, -decimals[0].length) : digits).replace(/[.,]/g, '');
  return Number(`${whole || 0}.${decimals?.[1] ?? 0}`);
}

const currency = text => text.match(/[€$£¥]|[A-Z]{3}/)?.[0] ?? null;

const products = [...document.querySelectorAll(selectors.product)].map(card => {
  const text = selector => card.querySelector(selector)?.textContent.trim() ?? null;
  const price = text(selectors.price);
  if (price === null) throw new Error(`no price in ${JSON.stringify(card.textContent.trim().slice(0, 60))}`);
  return {
    name: text(selectors.name),
    price: amount(price),
    currency: currency(price),
    in_stock: !/sold out|out of stock/i.test(text(selectors.stock) ?? ''),
    url: card.querySelector('a[href]')?.href ?? null,
  };
});

const found = products.filter(product => product.price < below && (product.in_stock || !in_stock));
console.log(`${found.length} of ${products.length} products on ${document.title}`);
return found.sort((a, b) => a.price - b.price);
