// What every page can do: change theme, open the palette, copy a value, announce, count down.
import { openDialog } from "./focus.js";
import { startPalette } from "./palette.js";

const root = document.documentElement;

export function announce(words) {
  const announcer = document.getElementById("announcer");
  if (!announcer || !words) return;
  announcer.textContent = "";
  // A reader only speaks a change, so the same words twice must be two changes.
  requestAnimationFrame(() => { announcer.textContent = words; });
}

function isDark() {
  if (root.dataset.theme) return root.dataset.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  announce(isDark() ? "Dark theme" : "Light theme");
  document.dispatchEvent(new CustomEvent("themechange"));
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copies);
  announce("Copied");
  button.classList.add("arrived");
  setTimeout(() => button.classList.remove("arrived"), 1600);
}

function opened(id) {
  const target = document.getElementById(id);
  if (!target) return;
  if (target instanceof HTMLDialogElement) openDialog(target);
  else target.dispatchEvent(new CustomEvent("open-requested"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-toggle], [data-opens], [data-closes], [data-copies]");
  if (!button) return;
  if ("themeToggle" in button.dataset) toggleTheme();
  else if (button.dataset.opens) { event.preventDefault(); opened(button.dataset.opens); }
  else if (button.dataset.closes) document.getElementById(button.dataset.closes)?.close();
  else copy(button);
});

// A plain click outside an open dialog closes it, as Escape does.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
});

// The server may ask for an announcement with the header `HX-Trigger: {"announce": "…"}`.
document.addEventListener("announce", (event) => announce(event.detail.value ?? event.detail));

function left(seconds) {
  const whole = Math.abs(Math.trunc(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole < 600 ? `${whole % 60} s` : ""}`.trim();
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} days`;
}

// <time data-due="ISO" data-before="Expires in" data-after="Expired">: the words change each
// second for the eye; a reader hears only that the threshold was crossed.
function tick() {
  for (const clock of document.querySelectorAll("time[data-due]")) {
    const seconds = (Date.parse(clock.dataset.due) - Date.now()) / 1000;
    const isOver = seconds <= 0;
    const words = isOver && clock.dataset.bare !== undefined
      ? clock.dataset.after
      : `${isOver ? clock.dataset.after : clock.dataset.before} ${left(seconds)}`;
    if (clock.textContent !== words) clock.textContent = words;
    clock.classList.toggle("is-near", !isOver && seconds < Number(clock.dataset.near || 60));
    if (isOver && clock.dataset.crossed !== "yes") {
      clock.dataset.crossed = "yes";
      if (clock.dataset.announces) announce(clock.dataset.announces);
      clock.dispatchEvent(new CustomEvent("due", { bubbles: true }));
    }
  }
}

setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
tick();
startPalette();
