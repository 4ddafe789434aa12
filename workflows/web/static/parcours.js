// What every page has: times in the reader's zone, and buttons that copy.

const two = (n) => String(n).padStart(2, "0");
const zone = (date) =>
  new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(date).find((part) => part.type === "timeZoneName").value;

export function localTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]:not([title])")) {
    const date = new Date(element.dateTime);
    if (element.dateTime.length < 16 || Number.isNaN(date.getTime())) continue;
    element.title = element.textContent;
    const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    element.textContent = `${day} ${two(date.getHours())}:${two(date.getMinutes())} ${zone(date)}`;
  }
}

function copies() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const word = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = word), 1500);
    });
  }
}

localTimes();
copies();

// On a phone the bar is longer than the screen: where one is, is in sight.
const here = document.querySelector(".top nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
