// As a password manager shows its menu: a frame of the extension's own, in a page that asks for one.
if (location.search.includes("menu")) {
  const frame = document.createElement("iframe");
  frame.src = chrome.runtime.getURL("menu.html");
  document.documentElement.append(frame);
}
