// Nothing: it is there so that Chrome makes an isolated world of this extension in the page; see pages in page.js.
