// A CDP client that a test drives line by line: node client.mjs puppeteer|playwright|stagehand FOLDER
// Each line of input is {"id", "code", "args"}: the body of an async function that sees `args`, the library and `kept`, an object
// that lasts. Each line of output is {"id", "value"} or {"id", "error"}; a note that was not asked for is {"note"}.
// FOLDER: where the node_modules are that hold the library.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [which, folder] = process.argv.slice(2);
const name = { puppeteer: 'puppeteer-core', playwright: 'playwright-core', stagehand: '@browserbasehq/stagehand' }[which];
const require = createRequire(join(folder, 'any.js'));
const loaded = await import(pathToFileURL(require.resolve(name)));
const library = loaded.default?.connect || loaded.default?.chromium ? loaded.default : loaded;

const kept = {};
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n');
const AsyncFunction = (async () => {}).constructor;

process.on('unhandledRejection', (error) => console.error('unhandled:', error));
say({ note: 'ready' });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, code, args } = JSON.parse(line);
  // Not awaited: what one line waits for must not keep the next from running.
  void new AsyncFunction('args', 'library', 'kept', 'say', code)(args, library, kept, (note) => say({ note }))
    .then((value) => say({ id, value: value ?? null }))
    .catch((error) => say({ id, error: String(error?.stack ?? error).slice(0, 800) }));
}
process.exit(0);
