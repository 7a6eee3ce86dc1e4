// A table of the page as CSV text (RFC 4180), merged cells written out.
//   any run examples/scripts/table_to_csv.js --tab '*://*/figures.html' | jq -r .csv > figures.csv
//
// args, all optional: table (selector; default: the largest table), separator (default: ",")

const {table: selector = null, separator = ','} = args ?? {};

const tables = selector ? [await any.waitFor(selector)] : [...document.querySelectorAll('table')];
if (tables.length === 0) throw new Error('there is no table on this page');
const table = tables.reduce((best, one) => (one.rows.length > best.rows.length ? one : best));

// The grid as it is seen: a cell over several rows or columns stands in each of them.
const grid = [];
for (const [y, row] of [...table.rows].entries()) {
  grid[y] ??= [];
  let x = 0;
  for (const cell of row.cells) {
    while (grid[y][x] !== undefined) x += 1;
    const text = cell.innerText.trim().replace(/\s+/g, ' ');
    const height = Math.min(cell.rowSpan || table.rows.length, table.rows.length - y);
    for (let down = 0; down < height; down += 1) {
      grid[y + down] ??= [];
      for (let across = 0; across < cell.colSpan; across += 1) grid[y + down][x + across] = text;
    }
    x += cell.colSpan;
  }
}

const width = Math.max(...grid.map(row => row.length));
const quote = text => (/["\r\n]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text);
const lines = grid.map(row => Array.from({length: width}, (_, x) => quote(row[x] ?? '')).join(separator));

return {caption: table.caption?.innerText.trim() ?? null, rows: grid.length, columns: width, csv: lines.join('\r\n') + '\r\n'};
