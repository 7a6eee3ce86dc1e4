// chrome-remote-interface: the HTTP doors, a page socket, flat sessions on the browser socket.

import CDP from 'chrome-remote-interface';

let where;
const made = [];

export async function open(bench) {
  const { hostname, port } = new URL(bench.endpoint);
  where = { host: hostname, port: Number(port) };
}

export async function tidy() {
  for (const id of made.splice(0)) await CDP.Close({ ...where, id }).catch(() => {});
}

async function newTab(url) {
  const target = await CDP.New({ ...where, url });
  made.push(target.id);
  return target;
}

/** Until the page at the end of the client has loaded. */
async function loaded(client, session) {
  for (;;) {
    const { result } = await client.Runtime.evaluate({ expression: 'document.readyState + location.protocol' }, session);
    if (result.value === 'completehttp:') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const cases = {
  'Version tells product, user agent and socket': async (_, assert) => {
    const told = await CDP.Version(where);
    assert.match(told.Browser, /^(Headless)?Chrome\/[\d.]+$/);
    assert.match(told['User-Agent'], /Mozilla\/5.0/);
    assert.equal(told['Protocol-Version'], '1.3');
    assert.match(told.webSocketDebuggerUrl, new RegExp(`^ws://127.0.0.1:${where.port}/devtools/browser/`));
    assert.match(told['WebKit-Version'], /^[\d.]+/);
  },
  'Version tells those of V8 and of the source': async (_, assert) => {
    const told = await CDP.Version(where);
    assert.match(told['V8-Version'], /^[\d.]+$/);
    assert.match(told['WebKit-Version'], /@[0-9a-f]{40}/);
  },
  'New, List, Activate and Close': async ({ url }, assert) => {
    const target = await CDP.New({ ...where, url: url('/plain') });
    assert.equal(target.type, 'page');
    const listed = (await CDP.List(where)).find((each) => each.id === target.id);
    assert.equal(listed.url, url('/plain'));
    assert.equal(listed.webSocketDebuggerUrl, `ws://127.0.0.1:${where.port}/devtools/page/${target.id}`);
    await CDP.Activate({ ...where, id: target.id });
    await CDP.Close({ ...where, id: target.id });
    for (let tries = 0; (await CDP.List(where)).some((each) => each.id === target.id); tries++) assert.ok(tries < 200);
  },
  'an unknown target is refused': async (_, assert) => {
    await assert.rejects(CDP.Activate({ ...where, id: 'F00' }), /No such target id: F00/);
    await assert.rejects(CDP.Close({ ...where, id: 'F00' }), /No such target id: F00/);
  },
  'Protocol describes the domains': async (_, assert) => {
    const { domains } = await CDP.Protocol(where);
    const names = domains.map((each) => each.domain);
    for (const name of ['Page', 'Runtime', 'DOM', 'Network', 'Target', 'Browser', 'Input']) assert.ok(names.includes(name), name);
  },
  'drives a page over its own socket': async ({ url }, assert) => {
    const client = await CDP({ ...where, target: await newTab('about:blank') });
    const { Page, Runtime, Network } = client;
    const requests = [];
    Network.requestWillBeSent(({ request }) => requests.push(request.url));
    await Promise.all([Page.enable(), Runtime.enable(), Network.enable()]);
    await Promise.all([Page.loadEventFired(), Page.navigate({ url: url('/parts') })]);
    assert.equal((await Runtime.evaluate({ expression: 'part' })).result.value, 'from the script');
    assert.ok(requests.includes(url('/parts')) && requests.includes(url('/part.css')));
    await client.close();
  },
  'two sockets to one page do not disturb each other': async ({ url }, assert) => {
    const target = await newTab(url('/plain'));
    const [one, two] = [await CDP({ ...where, target }), await CDP({ ...where, target })];
    await loaded(one);
    const heard = [];
    two.on('Runtime.consoleAPICalled', () => heard.push('two'));
    one.on('Runtime.consoleAPICalled', () => heard.push('one'));
    await one.Runtime.enable();
    await two.Runtime.evaluate({ expression: 'console.log(1)' });
    await one.Runtime.evaluate({ expression: '1' });
    assert.deepEqual(heard, ['one']);
    await one.close();
    assert.equal((await two.Runtime.evaluate({ expression: 'document.title' })).result.value, 'Plain');
    await two.close();
  },
  'a socket ends when its page is closed': async ({ url }, assert) => {
    const target = await newTab(url('/plain'));
    const client = await CDP({ ...where, target });
    const ended = new Promise((resolve) => client.on('disconnect', resolve));
    await CDP.Close({ ...where, id: target.id });
    await ended;
    await assert.rejects(CDP({ ...where, target: target.id }));
  },
  'a command that is wrong is refused in Chrome\'s words': async ({ url }, assert) => {
    const client = await CDP({ ...where, target: await newTab(url('/plain')) });
    await assert.rejects(client.send('Nothing.known'), /'Nothing.known' wasn't found/);
    await assert.rejects(client.send('Runtime.evaluate', {}), /Invalid parameters/);
    await assert.rejects(client.send('DOM.describeNode', { nodeId: 987654 }), /Could not find node with given id|No node with given id found/);
    await client.close();
  },
  'works in flat sessions on the browser socket': async ({ url }, assert) => {
    const client = await CDP({ ...where, target: (await CDP.Version(where)).webSocketDebuggerUrl });
    const { targetId } = await client.Target.createTarget({ url: url('/plain') });
    made.push(targetId);
    const { sessionId } = await client.Target.attachToTarget({ targetId, flatten: true });
    await loaded(client, sessionId);
    assert.equal((await client.Runtime.evaluate({ expression: 'document.title' }, sessionId)).result.value, 'Plain');
    const { sessionId: second } = await client.Target.attachToTarget({ targetId, flatten: true });
    assert.notEqual(second, sessionId);
    await client.Target.detachFromTarget({ sessionId });
    await assert.rejects(client.Runtime.evaluate({ expression: '1' }, sessionId), /Session with given id not found/);
    assert.equal((await client.Runtime.evaluate({ expression: '1 + 1' }, second)).result.value, 2);
    await client.close();
  },
  'discovers targets as they come, change and go': async ({ url }, assert) => {
    const client = await CDP({ ...where, target: (await CDP.Version(where)).webSocketDebuggerUrl });
    const heard = [];
    client.Target.targetCreated(({ targetInfo }) => heard.push(['created', targetInfo.targetId, targetInfo.url]));
    client.Target.targetInfoChanged(({ targetInfo }) => heard.push(['changed', targetInfo.targetId, targetInfo.url]));
    client.Target.targetDestroyed(({ targetId }) => heard.push(['destroyed', targetId]));
    await client.Target.setDiscoverTargets({ discover: true });
    const { targetId } = await client.Target.createTarget({ url: url('/second') });
    const end = Date.now() + 8000;
    const seen = (kind, address) => heard.some((each) => each[0] === kind && each[1] === targetId && (!address || each[2] === address));
    while (!seen('changed', url('/second')) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    await client.Target.closeTarget({ targetId });
    while (!seen('destroyed') && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(seen('created') && seen('changed', url('/second')) && seen('destroyed'));
    await client.close();
  },
  'auto-attaches to children of a page': async ({ url }, assert) => {
    const client = await CDP({ ...where, target: await newTab('about:blank') });
    const children = [];
    client.on('event', ({ method, params, sessionId }) => method === 'Target.attachedToTarget' && children.push({ ...params.targetInfo, session: params.sessionId, parent: sessionId }));
    await client.Target.setAutoAttach({ autoAttach: true, waitForDebuggerOnStart: false, flatten: true });
    await client.Page.navigate({ url: url('/frames') });
    const end = Date.now() + 8000;
    while (!children.some((each) => each.type === 'iframe') && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    const frame = children.find((each) => each.type === 'iframe');
    assert.ok(frame);
    const told = await client.Runtime.evaluate({ expression: '6 * 7' }, frame.session);
    assert.equal(told.result.value, 42);
    await client.close();
  },
};
