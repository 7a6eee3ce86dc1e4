"""The text of the conformance pages: path → (content type, body). `{other}` is the other site, `{socket}` the WebSocket echo."""

from __future__ import annotations

import base64

HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript"

#: one red pixel
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


def page(title: str, body: str = "", head: str = "") -> tuple[str, str]:
    return HTML, f"<!doctype html><meta charset=utf-8><title>{title}</title>{head}<body>{body}"


PAGES: dict[str, tuple[str, str]] = {
    "/plain": page("Plain", "<h1 id=top>Plain</h1><p class=price>12.50</p>"),
    "/second": page("Second", "<h1>Second</h1>"),
    "/third": page("Third", "<h1>Third</h1>"),
    "/form": page(
        "Form",
        """
        <form onsubmit="event.preventDefault(); submitted.textContent = new URLSearchParams(new FormData(this))">
          <label>Name <input id=name name=name></label>
          <label>Note <textarea id=note name=note></textarea></label>
          <label>Colour <select id=colour name=colour><option>red<option>green<option>blue</select></label>
          <select id=many multiple><option>a<option>b<option>c</select>
          <label><input type=checkbox id=agree name=agree> Agree</label>
          <label><input type=radio name=size value=s> Small</label><label><input type=radio name=size value=l> Large</label>
          <button id=send>Send</button>
        </form>
        <output id=submitted></output>
        <button id=count ondblclick="twice.textContent = 'twice'" oncontextmenu="twice.textContent = 'menu'; return false"
          onclick="this.textContent = 'pressed ' + (this.n = (this.n || 0) + 1) + (event.shiftKey ? ' shift' : '')">press</button>
        <output id=twice></output>
        <div id=hover onmouseenter="this.textContent = 'over'" style="width:100px">away</div>
        <div id=keys tabindex=0 onkeydown="this.textContent += event.key + ' '"></div>
        <div id=touch ontouchstart="this.textContent = 'touched'" style="width:100px;height:30px">touch</div>
        <div id=box draggable=true ondragstart="event.dataTransfer.setData('text/plain', 'parcel')"
          style="width:60px;height:40px;background:#c00">drag</div>
        <div id=hole ondragover="event.preventDefault()" ondrop="event.preventDefault(); this.textContent = event.dataTransfer.getData('text/plain')"
          style="width:200px;height:60px;background:#ccc">drop</div>
        <ul><li>one</li><li>two</li><li class=last>three</li></ul>
        <p hidden id=hidden>hidden</p>
        <div style="height:3000px"></div><button id=far onclick="this.textContent = 'reached'">far</button>
        """,
    ),
    "/late": page(
        "Late",
        "<div id=early>early</div>",
        "<script>setTimeout(() => { document.body.insertAdjacentHTML('beforeend', '<b id=late>here</b>'); early.remove() }, 300)</script>",
    ),
    "/shadow": page("Shadow", "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = '<button>inside</button>'</script>"),
    "/frames": page(
        "Frames", "<h1>Frames</h1><iframe name=same src=/inner?same></iframe><iframe name=other src='{other}/inner?other'></iframe>"
    ),
    "/nested": page("Nested", "<iframe name=outer src='{other}/middle'></iframe>"),
    "/middle": page("Middle", "<iframe name=inmost src='{base}/inner?inmost'></iframe>"),
    "/inner": page("Inner", "<input id=field><button id=press onclick=\"said.textContent = 'pressed in ' + location.search\">press</button><p id=said></p>"),
    "/opener": page(
        "Opener",
        """<button id=open onclick="window.made = window.open('/popup', 'made')">open</button>
        <button id=small onclick="window.open('/popup', '', 'width=300,height=200')">small</button>
        <button id=noopener onclick="window.open('/popup', '', 'noopener')">noopener</button>
        <button id=blank onclick="window.open('about:blank').document.title = 'Written'">blank</button>
        <button id=otherside onclick="window.open('{other}/popup')">other</button>
        <a id=link target=_blank href=/popup rel=opener>link</a> <a id=alone target=_blank href=/popup>alone</a>""",
    ),
    "/popup": page("Popup", "<p id=opener></p><button id=close onclick='setTimeout(() => window.close(), 50)'>close</button><script>document.getElementById('opener').textContent = String(!!window.opener); window.early = window.planted</script>"),
    "/downloads": page(
        "Downloads",
        """<a id=plain href=/x-download>plain</a> <a id=named href='/x-download?name=other%20name.txt'>named</a>
        <a id=made download=made.txt href='data:text/plain,made%20here'>made</a>
        <a id=endless href=/x-endless-download>endless</a> <a id=gone download=gone.txt href=/nowhere>gone</a>
        <button id=blob onclick="const a = document.createElement('a'); a.href = window.URL.createObjectURL(new Blob(['from a blob'])); a.download = 'blob.txt'; a.click()">blob</button>""",
    ),
    "/upload": page(
        "Upload",
        """<input type=file id=one onchange="tell(this)"><input type=file id=many multiple onchange="tell(this)">
        <button id=choose onclick="one.click()">choose</button><pre id=read></pre>
        <script>async function tell(input) { const told = []; for (const f of input.files) told.push(f.name + ':' + f.type + ':' + await f.text());
        document.getElementById('read').textContent = told.join('|') }</script>""",
    ),
    "/dialogs": page(
        "Dialogs",
        """<button id=alert onclick="alert('hello'); said.textContent = 'alerted'">alert</button>
        <button id=confirm onclick="said.textContent = confirm('sure?')">confirm</button>
        <button id=prompt onclick="said.textContent = prompt('name?', 'nobody')">prompt</button><p id=said></p>""",
    ),
    "/stay": page("Stay", "<button id=touch>touch me</button><script>addEventListener('beforeunload', e => e.preventDefault())</script>"),
    "/parts": page(
        "Parts",
        "<img src=/part.png><script src=/part.js></script><p id=data></p><script>fetch('/part.json').then(r => r.json()).then(v => data.textContent = v.name)</script>",
        "<link rel=stylesheet href=/part.css>",
    ),
    "/part.js": (SCRIPT, "window.part = 'from the script'; function used() { return 1 } function unused() { return 2 } used();"),
    "/part.css": ("text/css", "p { color: rgb(1, 2, 3) } .nowhere { color: red }"),
    "/part.json": ("application/json", '{"name": "served"}'),
    "/socket": page(
        "Socket",
        "<p id=said></p><script>const s = new WebSocket('{socket}'); s.onopen = () => s.send('hi'); s.onmessage = e => said.textContent = e.data</script>",
    ),
    "/talk": page(
        "Talk",
        """<button id=log onclick="console.log('said', 1, {a: 2}); console.warn('careful')">log</button>
        <button id=throw onclick="setTimeout(() => { throw new TypeError('thrown on purpose') })">throw</button>
        <button id=reject onclick="Promise.reject(new Error('rejected on purpose'))">reject</button>""",
    ),
    "/worker": page("Worker", "<p id=said></p><script>const w = new Worker('/worker.js'); w.onmessage = e => said.textContent = e.data; w.postMessage('ask')</script>"),
    "/worker.js": (SCRIPT, "globalThis.mark = 'in the worker'; onmessage = e => { console.log('worker heard ' + e.data); postMessage('answered ' + e.data) }"),
    "/shared": page("Shared", "<p id=said></p><script>const w = new SharedWorker('/shared.js'); w.port.onmessage = e => said.textContent = e.data; w.port.start()</script>"),
    "/shared.js": (SCRIPT, "globalThis.mark = 'in the shared worker'; onconnect = e => e.ports[0].postMessage('shared')"),
    "/service/": page("Service", "<p id=said></p><script>navigator.serviceWorker.register('/service/worker.js').then(() => navigator.serviceWorker.ready).then(() => said.textContent = 'ready')</script>"),
    "/service/worker.js": (
        SCRIPT,
        "globalThis.mark = 'in the service worker'; self.addEventListener('install', () => skipWaiting()); self.addEventListener('activate', e => e.waitUntil(clients.claim()));"
        "self.addEventListener('fetch', e => { if (e.request.url.endsWith('/by-worker')) e.respondWith(new Response('made by the worker')) })",
    ),
    "/history": page("History", "<p id=at></p><a id=hash href='#part'>hash</a><script>at.textContent = location.search</script>"),
    "/tall": page("Tall", "<div id=red style='width:100px;height:50px;background:#f00'></div><div style='height:2950px'></div>", "<style>body { margin: 0 }</style>"),
    "/aria": page("Aria", "<main><h1>Heading</h1><button>Press me</button><ul><li>first</li><li>second</li></ul><input aria-label='Your name'></main>"),
}
