// The list of reports: all of a page ticked at once, and buttons that wait until enough are.

const form = document.querySelector("form.many");
if (form) {
  const ticks = [...form.querySelectorAll("input[name=path]")];
  const all = form.querySelector("[data-all]");
  const count = form.querySelector("[data-count]");
  const update = () => {
    const ticked = ticks.filter((tick) => tick.checked).length;
    all.checked = ticked === ticks.length;
    all.indeterminate = ticked > 0 && ticked < ticks.length;
    count.textContent = ticked ? `${ticked} ticked` : "All on this page";
    for (const button of form.querySelectorAll("[data-needs]")) {
      button.disabled = button.dataset.needs === "2" ? ticked !== 2 : ticked === 0;
    }
  };
  all.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    update();
  });
  form.addEventListener("change", update);
  form.querySelector(".all").hidden = false;
  form.querySelector("[data-hint]").hidden = true;
  // A page that the browser brings back has its ticks again.
  window.addEventListener("pageshow", update);
}
