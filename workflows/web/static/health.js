// Opens the page again when what is being asked has been answered.

async function wait() {
  try {
    const answer = await fetch("/health/state", { headers: { Accept: "application/json" } });
    if (answer.ok && !(await answer.json()).asking) return location.reload();
  } catch {
    // The server may be starting anew.
  }
  setTimeout(wait, 1000);
}

setTimeout(wait, 1000);
