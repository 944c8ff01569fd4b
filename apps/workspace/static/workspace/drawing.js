// The drawing of the flow, with the steps marked that are done and that wait now. The viewer is
// loaded only here; without it the history in words stands beside.

const place = document.getElementById("drawing");

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

function mark(canvas, names, kind) {
  for (const name of names.split(" ").filter(Boolean)) {
    try {
      canvas.addMarker(name, kind);
    } catch {
      // A step inside a folded sub-process has no shape of its own to mark.
    }
  }
}

async function draw() {
  const answer = await fetch(place.dataset.drawing);
  await loaded(place.dataset.viewer);
  place.replaceChildren();
  const viewer = new window.BpmnJS({ container: place });
  await viewer.importXML(await answer.text());
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport", "auto");
  mark(canvas, place.dataset.done, "is-done");
  mark(canvas, place.dataset.active, "is-active");
}

if (place) draw().catch(() => place.classList.add("without-viewer"));
