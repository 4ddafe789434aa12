// A batch as it goes on: the page draws itself again every two seconds, until all have ended.

import { localTimes } from "./parcours.js";

async function redraw() {
  try {
    const there = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const part = document.querySelector("[data-live]");
    const fresh = there.querySelector("[data-live]");
    // Whoever is on a link or a button stays there.
    if (fresh && !part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
    localTimes();
    if (!there.querySelector("noscript")) return;
  } catch {
    // The server may be on its way up.
  }
  setTimeout(redraw, 2000);
}
setTimeout(redraw, 2000);
