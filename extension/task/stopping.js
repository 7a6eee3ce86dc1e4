/**
 * Getting a script to end that goes on, and saying why one is late.
 * @module
 */

const GRACE_MS = 1000;

/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("./run.js").Part} Part */

/**
 * Asks the pages whether they answer, and why nothing has begun where nothing has.
 * @param {Run} run
 * @param {(method: string, params: any) => Promise<any>} hand
 */
export function ping(run, hand) {
  if (run.tab && !run.started) hand("task.silence", { tab: run.tab.id }).then((silence) => (run.silence = silence), () => {});
  for (const part of run.parts.values()) {
    if (!part.relay || part.end) continue;
    part.relay.pongs = 0;
    part.relay.send({ do: "ping", run: part.name });
  }
}

/**
 * Why a run has not ended within its timeout.
 * @param {Run} run
 * @returns {{message: string, mute: boolean}} `mute`: its page does not answer
 */
export function whyLate(run) {
  const seconds = run.params.timeout_ms / 1000;
  const asked = [...run.parts.values()].filter((part) => part.relay && !part.end);
  const mute = run.started ? asked.length > 0 && asked.every((part) => part.relay?.pongs === 0) : Boolean(run.silence?.mute);
  if (!run.started && run.silence?.why) return { message: `the script had not begun within its timeout of ${seconds} s: ${run.silence.why}`, mute };
  const why = !run.started
    ? run.tab
      ? `the page ${run.tab.url} had not begun to run it`
      : "no page was ready for it"
    : mute
      ? "the page does not answer: it is busy (an endless loop?), or a dialog (alert, confirm, beforeunload) may be open"
      : "the script was still waiting for something";
  return { message: `the script did not end within its timeout of ${seconds} s: ${why}; raise "timeout" or let the script wait for less`, mute };
}

/**
 * Ends what still goes on in the pages of a run.
 * @param {Run} run
 * @param {(method: string, params: any) => Promise<any>} hand
 * @param {{name: string, message: string}} error
 * @returns {Promise<{stopped: "aborted"|"replaced"|"unknown", said: string}>}
 */
export async function stop(run, hand, error) {
  const parts = [...run.parts.values()].filter((part) => part.state !== "waiting" && !part.end && part.relay?.open);
  for (const part of parts) {
    const { relay } = part;
    if (!relay) continue;
    relay.pongs = 0;
    relay.send({ do: "stop", run: part.name, error });
  }
  const ended = await Promise.all(parts.map((part) => part.relay?.until(() => hasEnded(part), GRACE_MS)));
  if (ended.every((each) => each)) return { stopped: "aborted", said: "" };
  if (run.silence?.leaving) return { stopped: "unknown", said: "" }; // its page is left as it is: what has not begun in time never will
  const mute = parts.filter((part) => part.relay?.open && part.relay.pongs === 0);
  if (!mute.length || !run.tab) return { stopped: "unknown", said: "the script goes on: it does not heed any.signal" };
  try {
    const { url, tab } = await hand("task.replace", { tab: run.tab.id, document: run.parts.get(0)?.relay?.document });
    const said = `the page did not answer (an endless loop, or a dialog), so the tab was replaced and is back at ${url}`;
    if (tab !== run.tab.id) return { stopped: "replaced", said: `${said} as tab ${tab}` };
    return { stopped: "replaced", said };
  } catch (thrown) {
    return { stopped: "unknown", said: `the page does not answer and could not be replaced: ${/** @type {Error} */ (thrown).message}` };
  }
}

/** @param {Part} part */
function hasEnded(part) {
  return part.state === "ended" || !part.relay?.open || part.relay.finished.has(part.name);
}
