// Theme, times that grow old, short messages.

export function theme() {
  const button = document.getElementById("theme");
  button?.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("labkit-theme", root.dataset.theme); } catch { /* not kept */ }
  });
}

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

export function ago(text, now = Date.now()) {
  const then = Date.parse(text);
  if (Number.isNaN(then)) return text;
  const seconds = Math.max(0, (now - then) / 1000);
  for (const [name, size] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${name} ago`;
  return seconds < 2 ? "just now" : `${Math.floor(seconds)} s ago`;
}

export function age(text, now = Date.now()) {
  return ago(text, now).replace(" ago", "").replace("just now", "0 s");
}

export function renewTimes(within = document) {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const text = element.dataset.short !== undefined ? age(element.dateTime) : ago(element.dateTime);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = new Date(element.dateTime).toLocaleString();
  }
}

export function toast(text, tone = "good") {
  const place = document.getElementById("toasts");
  const note = document.createElement("p");
  note.className = `toast ${tone}`;
  note.textContent = text;
  place.append(note);
  setTimeout(() => note.remove(), tone === "bad" ? 10000 : 4000);
}
