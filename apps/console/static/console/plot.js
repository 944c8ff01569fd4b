// Decisions over time, drawn from the table beside it: a bar per row, a colour per verdict. A stretch
// drawn with the mouse becomes a filter, as the links in the table do for the keyboard. Colours are
// read from the design system when it is drawn, and again when the theme changes.

const COLOURS = {
  permit: "--chart-permit",
  needs_approval: "--chart-approval",
  needs_step_up: "--chart-step-up",
  deny: "--chart-deny",
};
const ORDER = Object.keys(COLOURS);
const HEIGHT = 168;
let drawn = null;

function colour(name) {
  // A probe resolves light-dark(), which a canvas cannot.
  const probe = document.createElement("span");
  probe.className = "colour-probe";
  probe.dataset.colour = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function read(table) {
  const heads = [...table.querySelectorAll("th[data-verdict]")].map((head) => head.dataset.verdict);
  const rows = [...table.querySelectorAll("tbody tr")];
  const counts = Object.fromEntries(ORDER.map((name) => [name, []]));
  for (const row of rows) {
    const cells = row.querySelectorAll("td");
    heads.forEach((name, index) => counts[name].push(Number(cells[index].textContent)));
  }
  return {
    since: rows.map((row) => Number(row.dataset.since)),
    until: rows.map((row) => Number(row.dataset.until)),
    counts,
  };
}

// Bars stand on each other: the back-most series is the sum of all, the front-most the first alone.
function stacked(counts, length) {
  const sums = new Array(length).fill(0);
  return ORDER.map((name) => counts[name].map((count, index) => (sums[index] += count)).slice());
}

function choose(plot, found) {
  const { left, width } = plot.select;
  if (width < 4) return;
  const ends = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  const address = new URL(location.href);
  const asIso = (seconds) => new Date(seconds * 1000).toISOString();
  const first = found.since.findLast((at) => at <= ends[0]) ?? found.since[0];
  const last = found.until.find((at) => at >= ends[1]) ?? found.until.at(-1);
  address.searchParams.set("from", asIso(first));
  address.searchParams.set("until", asIso(last));
  location.assign(address);
}

function options(place, found, names) {
  const quiet = colour("--on-surface-muted");
  const line = colour("--line");
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const step = found.until[0] - found.since[0];
  const axis = { stroke: quiet, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const bars = window.uPlot.paths.bars({ size: [0.8, 36, 1], align: 1 });
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true, range: [found.since[0], found.until.at(-1)] }, y: { range: (_, __, most) => [0, Math.max(most, 4)] } },
    axes: [
      { ...axis, grid: { show: false }, values: labels(step) },
      { ...axis, size: 48, space: 32, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000] },
    ],
    series: [{}, ...names.map((name) => ({ fill: colour(COLOURS[name]), width: 0, paths: bars, points: { show: false } }))],
    hooks: { setSelect: [(plot) => choose(plot, found)], setCursor: [(plot) => say(place, plot, found)] },
  };
}

function labels(step) {
  const shown = step >= 86_400
    ? { day: "numeric", month: "short" }
    : { hour: "2-digit", minute: "2-digit" };
  const words = new Intl.DateTimeFormat("en-GB", shown);
  return (_, at) => at.map((seconds) => words.format(new Date(seconds * 1000)));
}

function say(place, plot, found) {
  const index = plot.cursor.idx;
  const note = place.querySelector(".plot-note");
  if (index === null || index === undefined) return void (note.textContent = "");
  const at = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const counts = ORDER.filter((name) => found.counts[name][index])
    .map((name) => `${found.counts[name][index]} ${name.replaceAll("_", " ")}`);
  note.textContent = `${at.format(new Date(found.since[index] * 1000))}: ${counts.join(", ") || "none"}`;
}

function draw() {
  const place = document.querySelector("[data-plot-of]");
  const table = place && document.getElementById(place.dataset.plotOf);
  if (!table || !window.uPlot) return;
  const found = read(table);
  drawn?.destroy();
  place.replaceChildren();
  if (found.since.length === 0) return;
  // Back to front, so that what is on top of the stack is drawn first.
  const series = stacked(found.counts, found.since.length).reverse();
  const names = [...ORDER].reverse();
  drawn = new window.uPlot(options(place, found, names), [found.since, ...series], place);
  const note = document.createElement("p");
  note.className = "note plot-note";
  place.append(note);
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (document.contains(event.target) && !document.querySelector("#plot .uplot")) draw();
});
document.addEventListener("themechange", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
let waiting = null;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(draw, 120);
});
if (document.readyState === "complete") draw();
else addEventListener("load", draw);
