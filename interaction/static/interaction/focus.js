// Where the focus was, found again after the page around it was made anew.
const PLACES = "header a, header button, main a, main button, main input, #dock a, #dock button";

const leadsTo = (element) =>
  element.getAttribute("href") ?? element.getAttribute("action") ?? element.name ?? "";

// An element with an id is known by it; another by what it is, where it leads and what it says.
export function findAgain(element) {
  const { id, tagName } = element;
  const where = leadsTo(element);
  const words = element.textContent.trim();
  return () => (id && document.getElementById(id)) || [...document.querySelectorAll(PLACES)].find(
    (other) => other.tagName === tagName && leadsTo(other) === where && other.textContent.trim() === words,
  );
}

let last = null;

document.addEventListener("focusin", ({ target }) => {
  if (!target.closest("dialog")) last = target;
});

// A dialog gives the focus back to whoever opened it. The browser does so while that element still
// stands; news may have put another in its place meanwhile, or be about to.
export function openDialog(dialog) {
  const again = last && findAgain(last);
  dialog.showModal();
  dialog.addEventListener("close", () => {
    const now = document.activeElement;
    const isLost = !now || now === document.body || dialog.contains(now);
    if (isLost) again?.()?.focus({ preventScroll: true });
  }, { once: true });
}
