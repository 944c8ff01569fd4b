// News from the bank: one WebSocket a page. News only says what changed; the page then asks the
// server for the fragment, so what is shown is always what the server says.
//
// <body data-line="/ws/app/">. A fragment says what concerns it:
//   <section data-topics="account payment" hx-get="…" hx-trigger="news" …>
// Other scripts get every frame as the DOM event `frame`, and send with `sendFrame`.

import { findAgain } from "./focus.js";

const WAITS_MS = [250, 500, 1000, 2000, 5000];
const QUIET_MS = 1500;
const GATHER_MS = 60;

let socket = null;
let failures = 0;
let wasOpen = false;
const gathered = new Set();

// News of a part that is just being fetched may be younger than what comes back, and what comes
// back takes the part's place: the part is fetched once more then.
const missed = new Set();

function ask(part) {
  if (part.id && part.classList.contains("htmx-request")) missed.add(part.id);
  else window.htmx?.trigger(part, "news");
}

function refresh(topics) {
  for (const part of document.querySelectorAll("[data-topics]")) {
    const wanted = part.dataset.topics.split(" ");
    if (topics === null || wanted.some((topic) => topics.has(topic))) ask(part);
  }
}

// What a person asked for stands: news that comes back meanwhile would take away the place it goes
// to, and news asked for before it is older than it. The part is fetched once more afterwards.
const asked = new Map();

const isNews = (detail) => detail.requestConfig.triggeringEvent?.type === "news";

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  detail.requestConfig.begunAt = performance.now();
  const id = detail.target?.id;
  if (!id || isNews(detail)) return;
  asked.set(id, { at: detail.requestConfig.begunAt, underWay: (asked.get(id)?.underWay ?? 0) + 1 });
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isNews(detail) || !detail.target?.id) return;
  const wish = asked.get(detail.target.id);
  const isOvertaken = wish && (wish.underWay || wish.at > detail.requestConfig.begunAt);
  if (!isOvertaken && detail.target.isConnected) return;
  detail.shouldSwap = false;
  missed.add(detail.target.id);
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const wish = !isNews(detail) && asked.get(detail.target?.id);
  if (wish && wish.underWay > 0) wish.underWay -= 1;
});

// What is half typed outlives the news of its part.
const typed = new Map();

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isNews(detail) || !detail.shouldSwap) return;
  for (const field of detail.target.querySelectorAll("input[id]:not([type=hidden], [type=file]), textarea[id]")) {
    if (field.value !== field.defaultValue) typed.set(field.id, field.value);
  }
});

document.addEventListener("htmx:afterSwap", () => {
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field && field.value === field.defaultValue) field.value = value;
  }
  typed.clear();
});

function askAgain() {
  for (const id of [...missed]) {
    const part = document.getElementById(id);
    if (part?.classList.contains("htmx-request") || asked.get(id)?.underWay) continue;
    missed.delete(id);
    if (part) ask(part);
  }
}

// A part that took another's place looks busy until it has settled; one that failed never settles.
document.addEventListener("htmx:afterSettle", askAgain);
document.addEventListener("htmx:afterRequest", askAgain);

function gather(topic) {
  if (gathered.size === 0) {
    setTimeout(() => {
      const topics = new Set(gathered);
      gathered.clear();
      refresh(topics);
    }, GATHER_MS);
  }
  gathered.add(topic);
}

function show(isOpen) {
  document.body.dataset.lineState = isOpen ? "open" : "closed";
  const strip = document.getElementById("line-down");
  if (!strip) return;
  if (isOpen) strip.hidden = true;
  // A page that is being left, or a server that restarts at once, is no reason for alarm.
  else setTimeout(() => { if (socket?.readyState !== WebSocket.OPEN) strip.hidden = false; }, QUIET_MS);
}

// What somebody is writing is not swept away: their part is fetched with the next news of it.
function isBeingFilled(part) {
  const inHand = document.activeElement;
  if (inHand?.matches("input, select, textarea") && part.contains(inHand)) return true;
  return [...part.querySelectorAll("input, select, textarea")].some((field) => {
    if (field.type === "hidden") return false;
    if (field.matches("select")) return [...field.options].some((each) => each.selected !== each.defaultSelected);
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  });
}

// Nobody heard the news between the making of the page and the first opening of the line. The
// conversation is left out: somebody may speak at once, and its answer fetches the whole of it.
function catchUp() {
  for (const part of document.querySelectorAll("[data-topics]:not([data-thread])")) {
    if (!isBeingFilled(part)) ask(part);
  }
}

function opened() {
  failures = 0;
  show(true);
  // Whatever was missed while the line was down is fetched now.
  if (wasOpen) refresh(null);
  else catchUp();
  wasOpen = true;
}

function received(event) {
  const frame = JSON.parse(event.data);
  document.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  if (frame.type === "update") gather(frame.topic);
}

function connect() {
  const address = new URL(document.body.dataset.line, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.addEventListener("open", opened);
  socket.addEventListener("message", received);
  socket.addEventListener("close", (event) => {
    show(false);
    // 4401: nobody is signed in any more; the page says so itself on its next request.
    if (event.code === 4401) return void location.assign("/sign-in/");
    const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)];
    failures += 1;
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
  });
}

// A part that is replaced by news must not take the focus away from somebody inside it. htmx
// finds elements with an id again; the others are found by what they are and where they lead.
let held = null;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const active = document.activeElement;
  const isInside = active && !active.id && active !== document.body && detail.target.contains(active);
  held = isInside && isNews(detail) ? findAgain(active) : null;
});

document.addEventListener("htmx:afterSettle", () => {
  if (!held || (document.activeElement && document.activeElement !== document.body)) return;
  held()?.focus({ preventScroll: true });
  held = null;
});

export function isOpen() {
  return socket?.readyState === WebSocket.OPEN;
}

export function sendFrame(frame) {
  if (!isOpen()) return false;
  socket.send(JSON.stringify(frame));
  return true;
}

// Two swaps may cross: the answer to a press, and the news of it. Whichever comes last must not leave
// the focus nowhere, where a reader starts again at the top: it goes back to where it was, or to the
// field that is asked for.
let focused = "";

document.addEventListener("htmx:beforeSwap", () => {
  focused = document.activeElement?.id || focused;
});

document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement && document.activeElement !== document.body) return;
  const asked = [...document.querySelectorAll("[data-wants-focus]")].at(-1);
  const before = focused ? document.getElementById(focused) : null;
  (asked ?? before)?.focus({ preventScroll: true });
});

if (document.body.dataset.line) connect();
