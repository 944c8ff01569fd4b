// Runs before the first paint: a stored choice of light or dark wins over the system's.
(() => {
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
})();
