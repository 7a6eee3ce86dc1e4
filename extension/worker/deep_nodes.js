/**
 * DOM trees to any depth. Chrome never answers an extension with more than 200 levels of JSON, which 96 elements inside each
 * other come to: deep trees are asked for in pieces and put together here.
 * @module
 */

/** @typedef {(method: string, params: any) => Promise<any>} Send to one session */

/** Levels of nodes in a piece; with shadow roots and frames a node comes to four levels of JSON. */
const STEP = 45;

const METHODS = new Set(["DOM.getDocument", "DOM.describeNode", "DOM.requestChildNodes"]);

/** @typedef {{nodes: any[], tell: (params: any) => void}} Children `tell`: the event that brought them, to the clients */

/** @type {Map<string, (children: Children) => void>} where and whose children are waited for → who takes them */
const awaited = new Map();

/** @param {string} method @param {any} params whether its answer may be too deep */
export const isDeep = (method, params) => METHODS.has(method) && (params?.depth === -1 || params?.depth > STEP);

/**
 * @param {string} where names the session
 * @param {any} params of a DOM.setChildNodes
 * @param {Children["tell"]} tell
 * @returns {boolean} whether it was asked for here
 */
export function takeNodes(where, { parentId, nodes }, tell) {
  const take = awaited.get(`${where} ${parentId}`);
  take?.({ nodes, tell });
  return take !== undefined;
}

/**
 * @param {Send} send
 * @param {string} where names the session
 * @param {string} method
 * @param {any} params
 * @returns {Promise<any>} Chrome's answer, whole
 */
export async function sendDeep(send, where, method, params) {
  const { pierce = false } = params;
  const depth = params.depth === -1 ? Infinity : params.depth;
  const request = async (/** @type {number} */ nodeId, /** @type {number} */ levels) => {
    /** @type {Children|undefined} */
    let children;
    const name = `${where} ${nodeId}`;
    awaited.set(name, (told) => (children = told));
    try {
      await send("DOM.requestChildNodes", { nodeId, depth: levels, pierce }); // the event comes first
    } finally {
      awaited.delete(name);
    }
    return children;
  };
  const bound = async (/** @type {any} */ { nodeId }, /** @type {number} */ levels) => (await request(nodeId, levels))?.nodes;
  const described = async (/** @type {any} */ { backendNodeId }, /** @type {number} */ levels) =>
    (await send("DOM.describeNode", { backendNodeId, depth: levels, pierce })).node.children;

  if (method === "DOM.requestChildNodes") {
    const children = await request(params.nodeId, STEP); // none: they were told before
    await Promise.all((children?.nodes ?? []).map((node) => fill(node, STEP - 1, depth - 1, pierce, bound)));
    children?.tell({ parentId: params.nodeId, nodes: children.nodes });
    return {};
  }
  const answer = await send(method, { ...params, depth: STEP });
  await (method === "DOM.getDocument" ? fill(answer.root, STEP, depth, pierce, bound) : fill(answer.node, STEP, depth, pierce, described));
  return answer;
}

/**
 * Adds what is missing below a node.
 * @param {any} node
 * @param {number} shown levels that it has
 * @param {number} wanted levels that it is to have
 * @param {boolean} pierce
 * @param {(node: any, levels: number) => Promise<any[]|undefined>} childrenOf
 */
async function fill(node, shown, wanted, pierce, childrenOf) {
  /** @type {{node: any, left: number}[]} */
  const cut = [];
  find(node, shown, wanted, pierce, cut);
  await Promise.all(
    cut.map(async ({ node, left }) => {
      const levels = Math.min(STEP, left);
      const children = await childrenOf(node, levels).catch(() => undefined); // it has gone meanwhile
      if (!children) return;
      node.children = children;
      await Promise.all(children.map((child) => fill(child, levels - 1, left - 1, pierce, childrenOf)));
    }),
  );
}

/**
 * @param {any} node
 * @param {number} shown
 * @param {number} wanted
 * @param {boolean} pierce
 * @param {{node: any, left: number}[]} cut takes the nodes whose children Chrome has left out for their depth
 */
function find(node, shown, wanted, pierce, cut) {
  if (shown === 0 && wanted > 0 && node.childNodeCount > 0 && !node.children) cut.push({ node, left: wanted });
  if (shown > 0) for (const child of node.children ?? []) find(child, shown - 1, wanted - 1, pierce, cut);
  if (!pierce) return;
  for (const inner of [...(node.shadowRoots ?? []), ...(node.contentDocument ? [node.contentDocument] : [])]) find(inner, shown, wanted, pierce, cut);
}
