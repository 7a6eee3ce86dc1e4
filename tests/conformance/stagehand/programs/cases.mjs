// Runs cases one after another and adds one JSON line each to `given.said`: {"case", "value"} or {"case", "error"}.
// Not to stdout: clients, and the servers that they bundle, write there in the middle of a line.

import { appendFileSync } from 'node:fs';

/** What the test hands over: where the browser is (http, socket), the scripted model, the pages of two sites, a folder, the file for what the cases say. */
export const given = JSON.parse(process.argv[2]);

/** milliseconds that a case may take */
const LIMIT = 20_000;

export async function run(cases) {
  for (const [name, work] of Object.entries(cases)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${LIMIT / 1000} s`)), LIMIT);
    });
    let told;
    try {
      told = { value: (await Promise.race([work(), late])) ?? null };
    } catch (error) {
      told = { error: String(error?.message ?? error).slice(0, 500) };
    }
    clearTimeout(timer);
    appendFileSync(given.said, JSON.stringify({ case: name, ...told }) + '\n');
    if (told.error && Object.keys(cases)[0] === name) break; // not connected: nothing else can work
  }
  process.exit(0);
}

/** Waits until `look()` gives the value, and returns what it gave last. */
export async function until(look, wanted, patience = 5000) {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen === wanted || Date.now() > end) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
