// Light, dark, or as the system says: decided before the first picture, so that nothing flashes.
(() => {
  try {
    const chosen = localStorage.getItem("labkit-theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch { /* a browser that keeps nothing follows the system */ }
})();
