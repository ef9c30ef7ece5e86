// What the page asks of the lab, and how it hears that there is something new.

export const root = document.documentElement.dataset.root || "./";

export async function get(path, signal) {
  const answer = await fetch(root + path, { signal, headers: { Accept: "text/html, application/json" } });
  if (answer.status === 401) location.reload();
  return answer;
}

export async function act(name, action, wishes = {}) {
  const answer = await fetch(`${root}applications/${encodeURIComponent(name)}/${action}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content,
    },
    body: JSON.stringify(wishes),
  });
  const said = await answer.json();
  if (answer.ok) return said.said;
  throw new Error([said.problem, said.fix].filter(Boolean).join(" "));
}

const listeners = new Set();
export const onNews = (listener) => listeners.add(listener);
const tell = (names) => { for (const listener of listeners) listener(names); };

let source = null;

function state(word) {
  const shown = document.getElementById("live");
  if (shown && shown.dataset.state !== word) {
    shown.dataset.state = word;
    shown.textContent = word;
  }
}

function listen() {
  source = new EventSource(`${root}events`);
  source.onopen = () => {
    state("live");
    tell(null); // whatever happened before we listened: look at everything again
  };
  source.onmessage = (event) => tell(new Set(JSON.parse(event.data)));
  source.onerror = () => {
    state("reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  };
}

// A page that nobody sees holds no connection: a browser has only six to a host.
export function live() {
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source.close();
      source = null;
      state("paused");
    } else if (!source) {
      listen();
    }
  });
}
