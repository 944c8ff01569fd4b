// A form marked data-once is sent once; the server answers the same form once in any case.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) return void event.preventDefault();
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});

// A page that comes back from the browser's memory may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-once]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});

// Fields that only matter for one choice show only with it.
function reveal() {
  for (const choice of document.querySelectorAll("[data-reveals]")) {
    document.getElementById(choice.dataset.reveals).hidden = !choice.checked;
  }
}

addEventListener("change", reveal);
reveal();
