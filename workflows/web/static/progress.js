// The course of a request as it happens: by a stream of events, or where there is none by asking each second.

import { localTimes } from "./parcours.js";

const main = document.querySelector(".request");
const base = main.dataset.base;
const say = document.querySelector("[data-say]");
const ENDS = ["made", "failed", "cancelled"];
const MANY = 60;
const DONE = ["made", "taken over"];
let offset = Number(main.dataset.offset);
let state = main.dataset.state;
let scrolled = 0;
let isEnded = ENDS.includes(state);

// Coarse changes take the page's own drawing of itself; steps are drawn here.
async function redraw() {
  const answer = await fetch(base);
  if (!answer.ok) return;
  const there = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = there.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = there.querySelector(`[data-live="${part.dataset.live}"]`);
    for (const open of part.querySelectorAll("[data-kin][open]")) fresh.querySelector(`[data-kin="${open.dataset.kin}"]`)?.setAttribute("open", "");
    if (part.querySelector("[data-frames] iframe") && fresh.querySelector("[data-frames] iframe")) {
      // What somebody reads stays where it is.
      part.querySelector("h2").replaceWith(fresh.querySelector("h2"));
    } else part.replaceChildren(...fresh.childNodes);
  }
  localTimes();
  const told = there.querySelector(".request").dataset.state;
  if (told !== state) say.textContent = `The report is now ${told}.`;
  state = told;
  isEnded = ENDS.includes(state);
}

function row(label) {
  const rows = document.querySelector("[data-tasks]");
  const found = [...rows.querySelectorAll("[data-task]")].find((one) => one.dataset.task === label);
  if (found) return found;
  const made = Object.assign(document.createElement("li"));
  made.dataset.task = label;
  for (const name of ["dot", "label", "said", "cells", "shown small soft"]) {
    made.append(Object.assign(document.createElement("span"), { className: name }));
  }
  const bar = made.querySelector(".cells");
  bar.hidden = true;
  bar.role = "progressbar";
  bar.ariaLabel = label;
  made.querySelector(".label").textContent = label;
  rows.append(made);
  return made;
}

// A cell is a piece of the bar; where they are many, the bar is in one piece.
function drawCells(bar, done, of, isAt) {
  bar.hidden = !of;
  [bar.ariaValueMin, bar.ariaValueMax, bar.ariaValueNow] = ["0", String(of || 1), String(done)];
  if (of > MANY) {
    const whole = bar.querySelector("progress") ?? document.createElement("progress");
    [whole.max, whole.value] = [of, done];
    if (!whole.parentElement) bar.replaceChildren(whole);
    return;
  }
  while (bar.children.length > of) bar.lastElementChild.remove();
  while (bar.children.length < of) bar.append(document.createElement("i"));
  [...bar.children].forEach((cell, n) => (cell.className = n < done ? "done" : n === done && isAt ? "now" : ""));
}

const howMany = (there) => there.querySelectorAll('[data-state="made"], [data-state="taken over"]').length;

function drawTask(event) {
  const there = row(event.label);
  const bar = there.querySelector(".cells");
  if (event.kind === "step") {
    there.dataset.state = "running";
    there.querySelector(".said").textContent = event.message;
    drawCells(bar, event.done, event.of, true);
  } else {
    there.dataset.state = event.state;
    there.querySelector(".said").textContent = event.state;
    there.querySelector(".shown").textContent = event.shown ?? "";
    if (event.state !== "running") {
      const of = bar.hidden ? 0 : Number(bar.ariaValueMax);
      drawCells(bar, DONE.includes(event.state) ? of : Number(bar.ariaValueNow), of, event.state === "failed");
    }
  }
  const kin = there.closest("[data-kin]");
  if (kin) kin.querySelector("[data-kin-done]").textContent = howMany(kin);
  const done = document.querySelector("[data-done]");
  if (done) done.textContent = howMany(document.querySelector("[data-tasks]"));
}

// Two frames: the next one is swapped in when it is drawn, where the one before stood.
function grow() {
  const frames = document.querySelector("[data-frames]");
  if (!frames || frames.querySelector(".next")) return;
  const next = document.createElement("iframe");
  next.className = "report-frame next";
  next.setAttribute("sandbox", "allow-scripts allow-popups allow-downloads");
  next.title = "The report as it grows";
  const scroll = () => next.contentWindow?.postMessage({ scroll: scrolled }, "*");
  next.addEventListener("load", () => {
    scroll();
    setTimeout(() => {
      scroll();
      next.classList.remove("next");
      for (const old of [...frames.children]) if (old !== next) old.remove();
    }, 80);
  });
  next.src = `${base}/growing?at=${offset}`;
  frames.append(next);
}

addEventListener("message", (event) => {
  const shown = document.querySelector("[data-frames] iframe:not(.next)");
  // An opaque origin has no name: that it is our frame says its window. Whatever it says, only a number is taken.
  if (shown && event.source === shown.contentWindow && Number.isFinite(event.data?.scrolled)) scrolled = event.data.scrolled;
});

async function take(events) {
  if (events.some((event) => event.kind === "state" || event.kind === "plan")) await redraw();
  for (const event of events) if (event.kind === "step" || event.kind === "task") drawTask(event);
  if (events.some((event) => event.kind === "growing")) grow();
  if (events.length) readLog();
}

function showPlace(place) {
  const there = document.querySelector("[data-place]");
  if (there && place) there.textContent = `Number ${place} in the queue`;
}

let isReading = false;
async function readLog() {
  const log = document.querySelector("[data-log]");
  if (isReading || !log.open) return;
  isReading = true;
  const text = await (await fetch(`${base}/log?tail=1`)).text();
  const there = log.querySelector("[data-log-text]");
  const isAtEnd = there.scrollTop + there.clientHeight > there.scrollHeight - 30;
  if (text) there.textContent = text;
  if (isAtEnd) there.scrollTop = there.scrollHeight;
  setTimeout(() => (isReading = false), 700);
}
document.querySelector("[data-log]").addEventListener("toggle", readLog);

// One after the other, in order, however long the drawing takes.
let turn = Promise.resolve();
const inTurn = (what) => (turn = turn.then(what).catch(() => {}));

function listen() {
  const stream = new EventSource(`${base}/events?after=${offset}`);
  stream.addEventListener("events", (event) => {
    offset = Number(event.lastEventId);
    inTurn(() => take(JSON.parse(event.data)));
  });
  stream.addEventListener("place", (event) => showPlace(JSON.parse(event.data)));
  stream.addEventListener("end", () => {
    stream.close();
    inTurn(redraw);
  });
  stream.addEventListener("error", () => {
    // A stream that was cut is opened again by the browser; one that was refused is not.
    if (stream.readyState === EventSource.CLOSED) poll();
  });
}

async function poll() {
  try {
    const told = await (await fetch(`${base}/state?after=${offset}`)).json();
    offset = told.offset;
    showPlace(told.place);
    await inTurn(() => take(told.events));
    if (told.ended) return inTurn(redraw);
  } catch {
    // The server may be on its way up.
  }
  setTimeout(poll, 1000);
}

if (!isEnded) listen();
