// Two drawings side by side, with what was added, removed, changed and moved marked by a line of
// its own kind and a word at the element. Without the viewer the list in words stands above.

const WORDS = { added: "+ added", removed: "− removed", changed: "≠ changed", moved: "→ moved" };
const STEP = 80;
const MOVES = {
  ArrowLeft: { dx: STEP, dy: 0 },
  ArrowRight: { dx: -STEP, dy: 0 },
  ArrowUp: { dx: 0, dy: STEP },
  ArrowDown: { dx: 0, dy: -STEP },
};

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function badge(kind) {
  const words = document.createElement("span");
  words.className = `difference ${kind}`;
  words.textContent = WORDS[kind];
  return words;
}

function mark(viewer, place) {
  for (const kind of Object.keys(WORDS)) {
    for (const name of new Set((place.dataset[kind] ?? "").split(" ").filter(Boolean))) {
      const element = viewer.get("elementRegistry").get(name);
      // The process itself, or a step of a folded sub-process, has no shape to mark.
      if (!element || element === viewer.get("canvas").getRootElement()) continue;
      viewer.get("canvas").addMarker(name, `is-${kind}`);
      if (!element.waypoints) {
        viewer.get("overlays").add(name, { position: { top: -22, left: 0 }, html: badge(kind) });
      }
    }
  }
}

async function draw(place) {
  const answer = await fetch(place.dataset.compared);
  if (!answer.ok) throw new Error("no drawing");
  place.replaceChildren();
  const viewer = new window.BpmnJS({ container: place });
  await viewer.importXML(await answer.text());
  mark(viewer, place);
  viewer.get("canvas").zoom("fit-viewport", "auto");
  place.addEventListener("keydown", (event) => {
    if (event.target !== place || !(event.key in MOVES)) return;
    viewer.get("canvas").scroll(MOVES[event.key]);
    event.preventDefault();
  });
}

const places = [...document.querySelectorAll("[data-compared]")];
if (places.length > 0) {
  loaded(places[0].dataset.viewer)
    .then(() => Promise.all(places.map(draw)))
    .catch(() => places.forEach((place) => place.classList.add("without-viewer")));
}
