// The palette: Ctrl or Cmd K, type a few letters, arrows and Enter.
import { openDialog } from "./focus.js";

function choices(list) {
  return [...list.children].filter((line) => !line.hidden);
}

function choose(list, query, line) {
  for (const each of list.children) each.setAttribute("aria-selected", String(each === line));
  if (!line) return query.removeAttribute("aria-activedescendant");
  line.id ||= `command-${[...list.children].indexOf(line)}`;
  query.setAttribute("aria-activedescendant", line.id);
  line.scrollIntoView({ block: "nearest" });
}

function narrow(list, query) {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const line of list.children) {
    line.hidden = !words.every((word) => line.dataset.words.includes(word));
  }
  choose(list, query, choices(list)[0]);
}

function move(list, query, step) {
  const shown = choices(list);
  const at = shown.findIndex((line) => line.getAttribute("aria-selected") === "true");
  choose(list, query, shown[(at + step + shown.length) % shown.length]);
}

function answer(event, list, query) {
  if (event.key === "ArrowDown") move(list, query, 1);
  else if (event.key === "ArrowUp") move(list, query, -1);
  else if (event.key === "Enter") {
    choices(list).find((line) => line.getAttribute("aria-selected") === "true")
      ?.querySelector("a, button")?.click();
  } else return;
  event.preventDefault();
}

export function startPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const query = palette.querySelector(".query");
  const list = palette.querySelector("[role=listbox]");
  query.addEventListener("input", () => narrow(list, query));
  query.addEventListener("keydown", (event) => answer(event, list, query));
  list.addEventListener("click", () => palette.close());
  palette.addEventListener("close", () => { query.value = ""; });
  palette.addEventListener("toggle", () => { if (palette.open) narrow(list, query); });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (palette.open) palette.close();
    else openDialog(palette);
    narrow(list, query);
  });
}
