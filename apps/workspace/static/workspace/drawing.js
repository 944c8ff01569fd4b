// The drawing of the flow, with the steps marked that are done, that wait now, and that stopped. The
// marks follow the part of the page that carries `data-marks`, which news replaces. The viewer is
// loaded only here; without it the history in words stands beside.

const place = document.getElementById("drawing");
const KINDS = { done: "is-done", active: "is-active", stopped: "is-stopped" };
const STEP = 80;
let marked = [];
let viewer = null;

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function named(kind) {
  return (document.querySelector("[data-marks]")?.dataset[kind] ?? "").split(" ").filter(Boolean);
}

function mark() {
  const canvas = viewer.get("canvas");
  for (const [name, kind] of marked) canvas.removeMarker(name, kind);
  marked = [];
  for (const [key, kind] of Object.entries(KINDS)) {
    for (const name of named(key)) {
      // A step inside a folded sub-process has no shape of its own to mark.
      if (!viewer.get("elementRegistry").get(name)) continue;
      canvas.addMarker(name, kind);
      marked.push([name, kind]);
    }
  }
}

function showAll() {
  viewer.get("canvas").zoom("fit-viewport", "auto");
}

function showHere() {
  const here = named("active").map((name) => viewer.get("elementRegistry").get(name)).find(Boolean);
  if (!here) return showAll();
  const canvas = viewer.get("canvas");
  canvas.zoom(0.85);
  // In the middle where there is room for it.
  const aside = Math.max(16, (place.clientWidth - 160) / 2);
  const above = Math.max(16, (place.clientHeight - 140) / 2);
  canvas.scrollToElement(here, { top: above, bottom: above, left: aside, right: aside });
}

const LOOKS = {
  in: () => viewer.get("zoomScroll").stepZoom(1),
  out: () => viewer.get("zoomScroll").stepZoom(-1),
  here: showHere,
  all: showAll,
};
const MOVES = {
  ArrowLeft: { dx: STEP, dy: 0 },
  ArrowRight: { dx: -STEP, dy: 0 },
  ArrowUp: { dx: 0, dy: STEP },
  ArrowDown: { dx: 0, dy: -STEP },
};

function listen() {
  const tools = document.querySelector("[data-drawing-tools]");
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    LOOKS[event.target.closest("[data-zoom]")?.dataset.zoom]?.();
  });
  place.addEventListener("keydown", (event) => {
    if (event.target !== place || !(event.key in MOVES)) return;
    viewer.get("canvas").scroll(MOVES[event.key]);
    event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", mark);
}

async function draw() {
  const answer = await fetch(place.dataset.drawing);
  await loaded(place.dataset.viewer);
  place.replaceChildren();
  viewer = new window.BpmnJS({ container: place });
  await viewer.importXML(await answer.text());
  mark();
  showHere();
  listen();
}

if (place) draw().catch(() => place.classList.add("without-viewer"));
