// Keys of the queue: J and K move, Enter opens, C claims. Off while typing, and off for good with
// localStorage.keys = "off" (WCAG 2.1.4).

function rows() {
  return [...document.querySelectorAll("tr[data-task]")];
}

function isTyping(target) {
  return target.closest("input, select, textarea, dialog, [contenteditable]") !== null;
}

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = Math.min(all.length - 1, Math.max(0, here + step));
  all[next].querySelector(".cover-row").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (localStorage.getItem("keys") === "off") return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "c") {
    document.activeElement?.closest("tr[data-task]")?.querySelector("[data-claims]")?.click();
  } else return;
  event.preventDefault();
});

// News must not wipe out an answer that somebody is writing: a part that is being filled in waits.
function isBeingFilledIn(part) {
  return part.contains(document.activeElement)
    || [...part.querySelectorAll("textarea, input[type=text]")].some(
      (field) => field.value !== field.defaultValue,
    );
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.target.closest?.("[data-keeps-open]");
  if (part && event.detail.requestConfig.verb === "get" && isBeingFilledIn(part)) event.preventDefault();
});

// What was asked for before somebody began to write comes back too late to be shown.
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target.closest?.("[data-keeps-open]");
  if (part && event.detail.requestConfig.verb === "get" && isBeingFilledIn(part)) {
    event.detail.shouldSwap = false;
  }
});
