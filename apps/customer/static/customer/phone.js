// When the codes are over the page asks for the next ones.
document.addEventListener("due", (event) => {
  if (event.target.matches("[data-reloads]")) setTimeout(() => location.reload(), 300);
});
