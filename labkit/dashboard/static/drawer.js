// What there is to know of one object: manifests, the difference and who wrote it, events, logs, conditions.

import { renew, show } from "./pieces.js";

const LOGS_MS = 2000;

export class Drawer {
  constructor(name) {
    this.name = name;
    this.place = document.getElementById("drawer");
    this.body = document.getElementById("drawer-body");
    this.title = document.getElementById("drawer-title");
    this.tabs = document.getElementById("drawer-tabs");
    this.body.dataset.application = name;
    document.getElementById("drawer-close").addEventListener("click", () => this.close());
    tabbed(this.tabs, (tab) => this.tab(tab));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.place.hidden && !document.querySelector("dialog[open]")) this.close();
    });
    setInterval(() => {
      if (!this.place.hidden && this.chosen === "logs" && !document.hidden) renew(this.body);
    }, LOGS_MS);
  }

  open(node) {
    this.before = document.activeElement;
    this.node = node;
    this.title.textContent = `${node.kind} ${node.name}`;
    this.place.hidden = false;
    document.body.classList.add("with-drawer");
    this.tab("summary");
    document.getElementById("drawer-close").focus();
  }

  close() {
    this.place.hidden = true;
    document.body.classList.remove("with-drawer");
    delete this.body.dataset.fragment;
    this.before?.focus?.({ preventScroll: true });
  }

  tab(name) {
    this.chosen = name;
    choose(this.tabs, name);
    const { group, kind, namespace, name: object } = this.node;
    const asked = new URLSearchParams({ group, kind, namespace, name: object, tab: name });
    this.body.replaceChildren();
    show(this.body, `fragments/applications/${encodeURIComponent(this.name)}/details?${asked}`);
  }
}

export function choose(tabs, name) {
  for (const tab of tabs.querySelectorAll('[role="tab"]')) {
    const on = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
}

// Tabs as the keyboard knows them: one stop, arrows go on.
export function tabbed(tabs, chosen) {
  tabs.addEventListener("click", (event) => {
    if (event.target.dataset.tab) chosen(event.target.dataset.tab);
  });
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...tabs.querySelectorAll('[role="tab"]')];
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    next.focus();
    chosen(next.dataset.tab);
  });
}
