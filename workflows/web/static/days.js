// A month as a grid of days, in which those with data can be chosen.

const two = (n) => String(n).padStart(2, "0");
const iso = (year, month, day) => `${year}-${two(month + 1)}-${two(day)}`;
const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const title = (year, month) => new Date(Date.UTC(year, month)).toLocaleDateString("en", { year: "numeric", month: "long", timeZone: "UTC" });

function element(name, text, more = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...more });
}

export async function calendar(place, [first, last], address) {
  // A click sets the date that was pressed last; the key that goes on passes both.
  let input = first;
  const told = element("p", "Looking for the dates with data…", { className: "told" });
  const head = element("div", "", { className: "month" });
  const grid = element("div", "", { className: "grid" });
  const name = element("span", "");
  const earlier = element("button", "‹", { type: "button", ariaLabel: "Earlier month" });
  const later = element("button", "›", { type: "button", ariaLabel: "Later month" });
  head.append(earlier, name, later);
  place.replaceChildren(head, grid, told);
  let known = null;
  let [year, month] = begin(first.value);

  const enabled = () => [...grid.querySelectorAll("button:enabled")];

  function draw() {
    const focused = grid.contains(document.activeElement) ? document.activeElement.ariaLabel : null;
    name.textContent = title(year, month);
    const before = (new Date(Date.UTC(year, month)).getUTCDay() + 6) % 7;
    const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const days = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].map((day) => element("span", day, { ariaHidden: "true" }));
    for (let n = 0; n < before; n++) days.push(element("span", ""));
    for (let n = 1; n <= length; n++) {
      const day = iso(year, month, n);
      const has = known === null || known.has(day);
      const button = element("button", String(n), { type: "button", disabled: !has, tabIndex: -1, ariaLabel: has ? day : `${day}, no data` });
      button.setAttribute("aria-pressed", String(day === first.value || day === last.value));
      button.classList.toggle("within", first.value < day && day < last.value);
      button.addEventListener("click", () => {
        input.value = day;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      });
      days.push(button);
    }
    grid.replaceChildren(...days);
    // One of the days is reached by Tab, the others by the arrows.
    const open = enabled();
    const stop = open.find((day) => day.ariaLabel === focused) ?? open.find((day) => day.ariaPressed === "true") ?? open[0];
    if (stop) stop.tabIndex = 0;
    if (focused) stop?.focus();
  }

  function step(event) {
    const open = enabled();
    const at = open.indexOf(document.activeElement);
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    const to = open[at + steps[event.key]];
    if (to) return to.focus();
    move(Math.sign(steps[event.key]));
    (steps[event.key] > 0 ? enabled()[0] : enabled().at(-1))?.focus();
  }

  function move(by) {
    const there = new Date(Date.UTC(year, month + by));
    [year, month] = [there.getUTCFullYear(), there.getUTCMonth()];
    draw();
  }

  grid.addEventListener("keydown", step);
  earlier.addEventListener("click", () => move(-1));
  later.addEventListener("click", () => move(1));
  for (const one of [first, last]) {
    one.addEventListener("pointerdown", () => (input = one));
    one.addEventListener("change", () => {
      if (one.value) [year, month] = begin(one.value);
      draw();
    });
  }
  draw();
  try {
    const answer = await (await fetch(address)).json();
    if (answer.dates.length) {
      known = new Set(answer.dates);
      const number = answer.dates.length.toLocaleString("en");
      told.textContent = `${number} date${answer.dates.length === 1 ? "" : "s"} with data, ${answer.first} to ${answer.last}`;
      for (const one of [first, last]) [one.min, one.max] = [answer.first, answer.last];
    } else {
      told.textContent = answer.reason ?? "";
    }
    draw();
  } catch {
    told.textContent = "The dates with data could not be had.";
  }
}

function begin(text) {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date();
  return [date.getUTCFullYear(), date.getUTCMonth()];
}
