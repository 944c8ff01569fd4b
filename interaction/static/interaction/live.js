// News from the bank: one WebSocket a page. News only says what changed; the page then asks the
// server for the fragment, so what is shown is always what the server says.
//
// <body data-line="/ws/app/">. A fragment says what concerns it:
//   <section data-topics="account payment" hx-get="…" hx-trigger="news" …>
// Other scripts get every frame as the DOM event `frame`, and send with `sendFrame`.

const WAITS_MS = [250, 500, 1000, 2000, 5000];
const QUIET_MS = 1500;
const GATHER_MS = 60;

let socket = null;
let failures = 0;
let wasOpen = false;
const gathered = new Set();

function refresh(topics) {
  for (const part of document.querySelectorAll("[data-topics]")) {
    const wanted = part.dataset.topics.split(" ");
    if (topics === null || wanted.some((topic) => topics.has(topic))) {
      window.htmx?.trigger(part, "news");
    }
  }
}

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

function opened() {
  failures = 0;
  show(true);
  // Whatever was missed while the line was down is fetched now.
  if (wasOpen) refresh(null);
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

function sameAs(element) {
  const where = element.getAttribute("href") ?? element.getAttribute("action") ?? element.name ?? "";
  return (other) => other.tagName === element.tagName
    && (other.getAttribute("href") ?? other.getAttribute("action") ?? other.name ?? "") === where
    && other.textContent.trim() === element.textContent.trim();
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const active = document.activeElement;
  const isInside = active && !active.id && active !== document.body && detail.target.contains(active);
  held = isInside && detail.requestConfig.triggeringEvent?.type === "news" ? sameAs(active) : null;
});

document.addEventListener("htmx:afterSettle", () => {
  if (!held || (document.activeElement && document.activeElement !== document.body)) return;
  [...document.querySelectorAll("main a, main button, main input, #dock a, #dock button")]
    .find(held)?.focus({ preventScroll: true });
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
