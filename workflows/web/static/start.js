// The form of a template: the command and the plan follow the values, and a calendar shows the days with data.

import { calendar } from "./days.js";

const form = document.querySelector("form.start");
const place = form.querySelector("[data-plan-place]");
const card = place.closest(".card");
const command = form.querySelector("[data-command-place]");
const start = form.querySelector("[data-start]");
let asked = new AbortController();

function values() {
  const data = new FormData(form);
  for (const name of ["csrf_token", ":key", ":plan"]) data.delete(name);
  return new URLSearchParams(data);
}

function showErrors(errors, touched) {
  for (const control of form.querySelectorAll("[name]")) {
    const wrong = document.getElementById(`wrong-${control.name.replace(":", "")}`);
    if (!wrong || control.type === "hidden") continue;
    const error = errors[control.name] ?? "";
    // What somebody is writing is not wrong yet.
    if (error && control === document.activeElement && touched !== "left") continue;
    wrong.textContent = error;
    control.toggleAttribute("aria-invalid", Boolean(error));
    if (error) control.setAttribute("aria-invalid", "true");
  }
}

function showCommand(told) {
  const code = command.querySelector("code");
  // Lines break between words only.
  const words = (told.command ?? "The values are not right yet.").split(" ").map((word) => Object.assign(document.createElement("span"), { textContent: word }));
  code.replaceChildren(...words.flatMap((word) => [word, " "]));
  code.classList.toggle("soft", told.command === null);
  command.querySelector(".copy").dataset.copy = told.command ?? "";
  if (start) start.textContent = told.reports > 1 ? `Start ${told.reports} reports` : "Start";
}

async function follow(touched) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  const query = values();
  card.classList.add("busy");
  const unasked = place.querySelector("[data-unasked]");
  if (unasked) unasked.textContent = "Being worked out…";
  try {
    const answer = await fetch(`${form.dataset.command}?${query}`, { signal });
    const told = await answer.json();
    showErrors(told.errors, touched);
    showCommand(told);
    history.replaceState(null, "", told.address);
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (signal.aborted) return;
    const plan = await fetch(`${form.dataset.plan}?${query}`, { signal, headers: { "Parcours-Fragment": "plan" } });
    if (plan.ok) place.innerHTML = await plan.text();
    form.querySelector("[data-say]").textContent = place.querySelector(".outlook")?.textContent ?? "";
    card.classList.remove("busy");
  } catch (error) {
    if (error.name === "AbortError") return;
    card.classList.remove("busy");
    place.textContent = "The plan could not be had; starting does not need it.";
  }
}

let soon;
form.addEventListener("input", ({ target }) => {
  // Who writes something does not mean nothing.
  const none = form.elements[`${target.name}:none`];
  if (none && target.value) none.checked = false;
  clearTimeout(soon);
  soon = setTimeout(follow, 300);
});
form.addEventListener("change", () => {
  clearTimeout(soon);
  follow("left");
});
form.addEventListener("submit", () => {
  // A second click would ask for the same again, which the key on the server tells; this only shows that the first one counted.
  if (start) setTimeout(() => (start.disabled = true));
});
// Somebody who comes back may start again.
addEventListener("pageshow", () => start && (start.disabled = false));
form.querySelector("[data-ask]")?.remove();
calendar(form.querySelector("[data-days]"), [form.elements.date, form.elements[":last"]], form.dataset.dates);
follow();
