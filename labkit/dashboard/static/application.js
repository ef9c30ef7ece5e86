// One application: its loop, its tree and other views, and what can be done with it.

import { Dialogs } from "./dialogs.js";
import { choose, Drawer, tabbed } from "./drawer.js";
import { onRenewed, show } from "./pieces.js";
import { Tree } from "./tree.js";

const LIGHT_MS = 180;

export function application() {
  const place = document.getElementById("application");
  if (!place) return;
  const { name, path } = place.dataset;
  const drawer = new Drawer(name);
  new Dialogs(name, path);
  const tree = new Tree(document.getElementById("tree"), name, (node) => drawer.open(node));
  tools(tree);
  views(place, name, path);
  lights(document.getElementById("loop"));
  onRenewed((element) => { if (!element) tree.end(); });
  tree.load();
}

function tools(tree) {
  const words = document.getElementById("tree-words");
  const trouble = document.getElementById("tree-trouble");
  const find = () => tree.find(words.value, trouble.checked);
  words.addEventListener("input", find);
  trouble.addEventListener("change", find);
  document.getElementById("zoom-in").addEventListener("click", () => tree.zoom(tree.scale * 1.2));
  document.getElementById("zoom-out").addEventListener("click", () => tree.zoom(tree.scale / 1.2));
  document.getElementById("zoom-fit").addEventListener("click", () => tree.fit());
}

function views(place, name, path) {
  const tabs = place.querySelector(".tabs");
  const [tree, tool, other] = ["tree", "tree-tools", "other"].map((id) => document.getElementById(id));
  other.dataset.application = name;
  const open = (tab) => {
    choose(tabs, tab);
    document.getElementById("panel").setAttribute("aria-labelledby", `tab-${tab}`);
    tree.hidden = tool.hidden = tab !== "tree";
    other.hidden = tab === "tree";
    other.replaceChildren();
    history.replaceState(null, "", tab === "tree" ? location.pathname : `#${tab}`);
    if (tab !== "tree") show(other, `fragments/applications/${path}/${tab}`);
    else delete other.dataset.fragment;
  };
  tabbed(tabs, open);
  const asked = location.hash.slice(1);
  if (tabs.querySelector(`[data-tab="${CSS.escape(asked)}"]`)) open(asked);
}

// A pass takes milliseconds; that the stages come one after the other is shown slowly enough to be seen.
function lights(place) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let before = new Map();
  const states = () => new Map([...place.querySelectorAll(".step")].map((step) => [step.dataset.key,
    `${step.dataset.status} ${step.querySelector("time")?.dateTime ?? ""}`]));
  before = states();
  onRenewed((element) => {
    if (element !== place) return; // also when the application is gone
    const now = states();
    let order = 0;
    for (const step of place.querySelectorAll(".step")) {
      const { key } = step.dataset;
      if (calm.matches || before.get(key) === now.get(key) || !step.dataset.status) continue;
      const delay = (order += 1) * LIGHT_MS;
      step.animate(
        [{ opacity: 0.25, transform: "translateY(3px)" }, { opacity: 1, transform: "none" }],
        { duration: 260, delay, fill: "backwards", easing: "ease-out" },
      );
    }
    before = now;
  });
}
