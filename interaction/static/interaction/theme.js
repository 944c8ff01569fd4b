// Runs before the first paint: a stored choice of light or dark wins over the system's.
(() => {
  document.documentElement.classList.add("js");
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
})();
