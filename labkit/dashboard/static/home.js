// All applications: search, filters, tiles or table. What is chosen stands in the address, so it can be sent on.

import { onRenewed, show } from "./pieces.js";

export function home() {
  const place = document.getElementById("applications");
  const form = document.getElementById("filters");
  if (!place || !form) return;
  const chosen = new URLSearchParams(location.hash.slice(1));
  for (const name of ["words", "sync", "health"]) form.elements[name].value = chosen.get(name) ?? "";

  function filter() {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { sync, health } = form.elements;
    let shown = 0;
    const all = place.querySelectorAll("[data-words]");
    for (const item of all) {
      const fits = words.every((word) => item.dataset.words.includes(word))
        && (!sync.value || item.dataset.sync === sync.value)
        && (!health.value || item.dataset.health === health.value);
      item.hidden = !fits;
      shown += fits;
    }
    document.getElementById("count").textContent = shown === all.length ? `${shown}` : `${shown} of ${all.length}`;
    document.getElementById("none").hidden = shown > 0 || all.length === 0;
    for (const name of ["words", "sync", "health"]) {
      if (form.elements[name].value) chosen.set(name, form.elements[name].value);
      else chosen.delete(name);
    }
    history.replaceState(null, "", chosen.size ? `#${chosen}` : location.pathname + location.search);
  }

  function as(kind) {
    for (const button of form.querySelectorAll("[data-as]")) {
      button.setAttribute("aria-pressed", String(button.dataset.as === kind));
    }
    if (kind === "table") chosen.set("as", kind);
    else chosen.delete("as");
    show(place, kind === "table" ? "fragments/applications?as=table" : "fragments/applications").then(filter);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("click", (event) => {
    if (event.target.dataset.as) as(event.target.dataset.as);
  });
  document.getElementById("clear").addEventListener("click", () => {
    form.reset();
    filter();
  });
  onRenewed((element) => { if (element === place) filter(); });
  if (chosen.get("as") === "table") as("table");
  else filter();
}
