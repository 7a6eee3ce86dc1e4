"""The pages that Stagehand works on, added to those of the conformance site. `{other}` is the other site."""

from __future__ import annotations

from served_pages import PAGES, page

PAGES.update(
    {
        "/stage/shop": page(
            "Order",
            """<h1>Blue kettle</h1><p>price: 24.50 EUR</p><p>stock: 7</p>
            <ul><li>steel</li><li>two litres</li></ul>
            <label>Name <input id=name></label>
            <label>Size <select id=size><option>Small<option>Large</select></label>
            <button onclick="order()">Order</button>
            <p id=said>status: open</p><a href=/stage/second>Second</a> <a href=/stage/second target=_blank>Beside</a>
            <script>const [who, size, said] = ['name', 'size', 'said'].map(id => document.getElementById(id))
            const order = () => { said.textContent = `status: ordered by ${who.value || 'nobody'}, ${size.value}` }</script>""",
        ),
        "/stage/second": page("Second", "<h1>Second page</h1><a href=/stage/shop>Back</a>"),
        "/stage/frames": page(
            "Frames",
            """<h1>Frames</h1><iframe src='/stage/inner?near'></iframe><iframe src='{other}/stage/inner?far'></iframe><p id=said></p>
            <script>addEventListener('message', event => { said.textContent = event.data })</script>""",
        ),
        "/stage/inner": page(
            "Inner",
            """<button id=pay>Pay</button><script>const where = location.search.slice(1); pay.textContent = 'Pay ' + where
            pay.onclick = () => parent.postMessage('paid ' + where, '*')</script>""",
        ),
        "/stage/closed": page(
            "Closed",
            """<div id=host></div><p id=said></p><script>const root = host.attachShadow({mode: 'closed'})
            root.innerHTML = '<button>Hidden</button>'; root.firstChild.onclick = () => { said.textContent = 'found' }</script>""",
        ),
    }
)
