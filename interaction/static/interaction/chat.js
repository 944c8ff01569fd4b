// The conversation beside every page. With the line open a message goes over it and the answer
// streams in; with a file, or with no line, the same form is posted. What finally stands in the
// conversation always comes from the server.
import { announce } from "./shell.js";
import { isOpen, sendFrame } from "./live.js";

const FILE_BYTES_MAX = 5 * 1024 * 1024;
const dock = document.getElementById("dock");
const form = document.querySelector("[data-composer]");
const text = form?.querySelector("textarea");
const file = form?.querySelector("input[type=file]");
const refused = form?.querySelector("[data-refused]");
const chosen = form?.querySelector("[data-chosen]");
let streaming = null;

const thread = () => document.getElementById("thread");

function toEnd() {
  const list = thread();
  if (list) list.scrollTop = list.scrollHeight;
}

function refuse(words) {
  refused.hidden = !words;
  refused.querySelector(".body").textContent = words ?? "";
}

function element(tag, className, words) {
  const made = document.createElement(tag);
  made.className = className;
  if (words !== undefined) made.textContent = words;
  return made;
}

function busy(isBusy) {
  form.toggleAttribute("data-busy", isBusy);
  form.querySelector("button[aria-label=Send]").disabled = isBusy;
}

function begin(sentId, words) {
  const list = thread();
  list.querySelector("[data-suggestions]")?.remove();
  const own = element("div", "turn own");
  own.append(element("p", "said", words));
  const answer = element("div", "turn is-streaming");
  answer.append(element("p", "said", ""));
  list.append(own, answer);
  streaming = { sentId, own, said: answer.querySelector(".said"), answer, words };
  busy(true);
  toEnd();
}

function end() {
  streaming?.answer.classList.remove("is-streaming");
  streaming = null;
  busy(false);
}

// The new turns are asked for by a person, so the answer may take the focus.
function fetchThread() {
  return window.htmx.ajax("GET", `${thread().getAttribute("hx-get")}?answered=1`, {
    target: "#thread", swap: "outerHTML",
  });
}

function send(words) {
  const sentId = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  refuse(null);
  if (!sendFrame({ type: "message", sent_id: sentId, text: words })) return false;
  begin(sentId, words);
  return true;
}

function giveBack(words) {
  streaming?.own.remove();
  streaming?.answer.remove();
  if (!text.value) text.value = streaming?.words ?? "";
  refuse(words);
  end();
  text.focus();
}

async function replied(frame) {
  end();
  await fetchThread();
  toEnd();
  announce(frame.text);
}

document.addEventListener("frame", ({ detail: frame }) => {
  if (!streaming || frame.sent_id !== streaming.sentId) return;
  if (frame.type === "token") {
    streaming.said.append(frame.text);
    toEnd();
  } else if (frame.type === "replied") void replied(frame);
  else if (frame.type === "refused") giveBack(frame.text);
});

// A refusal comes as words; an error of ours as a part of a page, with its reference.
function plain(words, answer) {
  if (answer.headers.get("Content-Type")?.startsWith("text/plain")) return words;
  const said = new DOMParser().parseFromString(words, "text/html").body.querySelectorAll(".body > *");
  return [...said].map((part) => part.textContent.trim()).join(" ") || "That did not work. Please try again.";
}

async function post() {
  refuse(null);
  busy(true);
  const body = new FormData(form);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  const words = await answer.text();
  busy(false);
  if (!answer.ok) return void refuse(plain(words, answer));
  form.elements.sent_id.value = answer.headers.get("X-Next-Id");
  text.value = "";
  choose(null);
  await fetchThread();
  toEnd();
  announce(thread().querySelector(".turn:last-of-type .said")?.textContent);
}

function choose(picked) {
  if (picked && picked.size > FILE_BYTES_MAX) {
    return refuse("That file is larger than 5 MB. Nothing was done with it.");
  }
  refuse(null);
  const holder = new DataTransfer();
  if (picked) holder.items.add(picked);
  file.files = holder.files;
  chosen.hidden = !picked;
  chosen.querySelector("span").textContent = picked?.name ?? "";
  if (picked) text.focus();
}

function submit(event) {
  event.preventDefault();
  if (form.hasAttribute("data-busy")) return;
  const words = text.value.trim();
  if (!words && !file.files.length) return text.focus();
  if (file.files.length || !isOpen()) {
    post().catch(() => { busy(false); refuse("The bank cannot be reached just now. Nothing was sent."); });
  } else if (send(words)) text.value = "";
}

function open(isAsked) {
  dock.classList.add("is-open");
  toEnd();
  if (isAsked) text.focus();
}

function close() {
  if (!dock.classList.contains("is-open")) return;
  dock.classList.remove("is-open");
  document.querySelector("[data-opens=dock]")?.focus();
}

function watchFiles() {
  // The button stands for it; two controls for one thing would be read twice.
  file.tabIndex = -1;
  file.setAttribute("aria-hidden", "true");
  form.querySelector("[data-choose]").addEventListener("click", () => file.click());
  form.querySelector("[data-unchoose]").addEventListener("click", () => { choose(null); text.focus(); });
  file.addEventListener("change", () => choose(file.files[0] ?? null));
  for (const name of ["dragenter", "dragover"]) {
    dock.addEventListener(name, (event) => { event.preventDefault(); dock.classList.add("is-target"); });
  }
  for (const name of ["dragleave", "drop"]) {
    dock.addEventListener(name, () => dock.classList.remove("is-target"));
  }
  dock.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
  });
}

function start() {
  form.addEventListener("submit", submit);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
  document.addEventListener("submit", (event) => {
    const words = event.target.matches("[data-suggestions]") && event.submitter?.value;
    if (words && isOpen() && !form.hasAttribute("data-busy")) { event.preventDefault(); send(words); }
  });
  watchFiles();
  dock.addEventListener("open-requested", () => open(true));
  dock.querySelector("[data-dock-close]").addEventListener("click", close);
  dock.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  // News must not sweep away an answer that is still being written; it is fetched with its end.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const isNews = event.detail.requestConfig.triggeringEvent?.type === "news";
    if (streaming && isNews && event.detail.target.id === "thread") event.preventDefault();
  });
  // News while the person reads further up must not move what they read.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "thread" || event.detail.target?.id === "thread") toEnd();
  });
  if (location.hash === "#chat") open(false);
  toEnd();
}

if (form) start();
