// Runs cases of a Node client and prints one JSON line each: {"case", "ok", "error", "seconds"}.
//   node harness.mjs puppeteer --list
//   node harness.mjs puppeteer --endpoint http://127.0.0.1:9222 --site '{"base": …, "other": …, "socket": …}' [--only '["a case"]']
// A client's file exports `cases` (name → async function of a Bench) and, where it keeps a connection, `open` and `close`.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** milliseconds that a case may take */
const LIMIT = 25_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, endpoint: { type: 'string' }, site: { type: 'string' }, only: { type: 'string' } },
});
const client = await import(`./${positionals[0]}.mjs`);

if (values.list) {
  console.log(JSON.stringify(Object.keys(client.cases)));
  process.exit(0);
}

const site = JSON.parse(values.site);
const folder = mkdtempSync(join(tmpdir(), 'any-conformance-'));
/** What a case is given. */
const bench = {
  endpoint: values.endpoint,
  folder,
  url: (path) => site.base + path,
  other: (path) => site.other + path,
  socket: site.socket,
  /** The browser-level WebSocket's address. */
  browserSocket: async () => (await (await fetch(`${values.endpoint}/json/version`)).json()).webSocketDebuggerUrl,
  state: undefined,
};

function limited(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${LIMIT / 1000} s`)), LIMIT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const only = values.only ? new Set(JSON.parse(values.only)) : undefined;
process.on('unhandledRejection', (error) => console.error('unhandled:', error));
for (const [name, run] of Object.entries(client.cases)) {
  if (only && !only.has(name)) continue;
  const began = performance.now();
  let error;
  try {
    bench.state = await limited(Promise.resolve(client.open?.(bench, assert)), 'connecting');
    await limited(run(bench, assert), 'the case');
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown).split('\n').slice(0, 16).join('\n');
  }
  try {
    await limited(Promise.resolve(client.tidy?.(bench)), 'tidying up');
  } catch (thrown) {
    error ??= String(thrown?.stack ?? thrown);
  }
  console.log(JSON.stringify({ case: name, ok: !error, error, seconds: Math.round((performance.now() - began) / 10) / 100 }));
}
await limited(Promise.resolve(client.close?.(bench)), 'closing').catch((error) => console.error(error));
rmSync(folder, { recursive: true, force: true });
process.exit(0);
