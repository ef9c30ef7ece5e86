// Pieces of the page that the server draws: each is fetched again when there is news of what it shows.

import { get, onNews } from "./net.js";
import { renewTimes } from "./looks.js";
import { morph } from "./morph.js";

const after = new Set();
export const onRenewed = (listener) => after.add(listener);

class Piece {
  constructor(element) {
    this.element = element;
    this.busy = false;
    this.again = false;
  }

  async renew() {
    if (!this.element.dataset.fragment) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    const began = performance.now();
    const path = this.element.dataset.fragment;
    try {
      const answer = await get(path);
      const text = await answer.text();
      if (this.element.dataset.fragment === path && !this.element.hidden) this.show(text, answer.ok);
      if (answer.status === 404 && this.element.id === "head") gone(); // the application itself
    } catch {
      /* the lab does not answer at the moment: the next news will renew it */
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        setTimeout(() => this.renew(), Math.max(100, performance.now() - began));
      }
    }
  }

  show(text, ok) {
    if (text === this.text) return;
    this.text = text;
    const fresh = document.createElement(this.element.nodeName);
    fresh.innerHTML = text; // drawn by our own templates, which escape whatever they are given
    for (const { name, value } of this.element.attributes) fresh.setAttribute(name, value);
    morph(this.element, fresh);
    this.element.classList.toggle("gone", !ok);
    renewTimes(this.element);
    for (const listener of after) listener(this.element);
  }
}

const pieces = new WeakMap();
const pieceOf = (element) => {
  if (!pieces.has(element)) pieces.set(element, new Piece(element));
  return pieces.get(element);
};

export function renew(element) {
  return pieceOf(element).renew();
}

export function show(element, path) {
  element.dataset.fragment = path;
  pieceOf(element).text = undefined;
  return renew(element);
}

// Nothing more will come: what was seen last stays to be read, and says that it is over.
function gone() {
  for (const element of document.querySelectorAll("[data-fragment]")) delete element.dataset.fragment;
  for (const listener of after) listener(null);
  const note = document.createElement("p");
  note.className = "over";
  note.setAttribute("role", "alert");
  note.textContent = "This application has been deleted.";
  document.getElementById("application").replaceChildren(note);
}

export function pieceNews() {
  onNews((names) => {
    for (const element of document.querySelectorAll("[data-fragment]")) {
      const about = element.dataset.application;
      if (!element.hidden && element.dataset.fragment && (!names || !about || names.has(about))) renew(element);
    }
  });
}
