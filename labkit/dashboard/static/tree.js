// The resource tree: laid out by d3-hierarchy, drawn as cards. Only the cards in sight are in the document, so that
// hundreds of resources stay smooth; every name and message in it is written as text.

import { hierarchy, tree as tidy } from "./vendor/d3-hierarchy.min.mjs";
import { age } from "./looks.js";
import { get, onNews } from "./net.js";

const CARD = { width: 236, height: 64, right: 52, below: 12 };
const LIST = { indent: 16, below: 8 };
const MANY = 6; // equal siblings, such as the Pods of one ReplicaSet, are one card from here on
const MARGIN = 400; // pixels around what is in sight that are drawn, too
const WORST = ["bad", "warn", "busy", "idle", "good", ""];
const SVG = "http://www.w3.org/2000/svg";

export class Tree {
  constructor(place, name, open) {
    Object.assign(this, { place, name, open, words: {}, scale: 1, text: "", search: "", trouble: false });
    this.folded = new Set();
    this.spread = new Set();
    this.cards = new Map();
    this.shown = [];
    this.inner = document.createElement("div");
    this.inner.className = "inner";
    this.edges = document.createElementNS(SVG, "svg");
    this.edges.setAttribute("aria-hidden", "true");
    this.path = document.createElementNS(SVG, "path");
    this.edges.append(this.path);
    this.inner.append(this.edges);
    place.append(this.inner);
    const draw = () => requestAnimationFrame(() => this.draw());
    place.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(() => this.lay()).observe(place);
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("click", (event) => this.click(event));
    onNews((names) => { if (!this.over && (!names || names.has(name))) this.load(); });
  }

  async load() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    const began = performance.now();
    try {
      const answer = await get(`data/applications/${encodeURIComponent(this.name)}/tree`);
      const text = await answer.text();
      if (answer.ok && text !== this.text) {
        this.text = text;
        const data = JSON.parse(text);
        this.words = data.words;
        this.root = grown(data.nodes);
        this.lay();
      } else if (!answer.ok) {
        this.place.dataset.problem = JSON.parse(text).problem ?? "";
      }
    } catch { /* the lab does not answer; the next news will show it */ } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        // Where an answer costs the lab much, it is asked for less often.
        setTimeout(() => this.load(), Math.max(150, performance.now() - began));
      }
    }
  }

  end() {
    this.over = true;
  }

  find(search, trouble) {
    Object.assign(this, { search: search.toLowerCase(), trouble });
    this.lay();
  }

  zoom(scale) {
    this.scale = Math.min(1.5, Math.max(0.25, scale));
    this.lay();
  }

  fit() {
    const { clientWidth, clientHeight } = this.place;
    const all = Math.min((clientWidth - 24) / this.width, (clientHeight - 24) / this.height, 1);
    this.zoom(Math.max(all, 0.35));
    this.place.scrollTo(0, 0);
  }

  lay() {
    if (!this.root || !this.place.clientWidth) return;
    const root = hierarchy(this.wanted(this.root) ?? { ...this.root, below: [] }, (node) => this.below(node));
    this.narrow = this.place.clientWidth < 640;
    this.shown = this.narrow ? this.asList(root) : this.asTree(root);
    const scale = this.narrow ? 1 : this.scale;
    this.inner.style.width = `${this.width * scale}px`;
    this.inner.style.height = `${this.height * scale}px`;
    this.edges.style.transform = `scale(${scale})`;
    this.edges.setAttribute("width", this.width);
    this.edges.setAttribute("height", this.height);
    this.path.setAttribute("d", this.shown.map((node) => this.edge(node)).join(""));
    this.draw();
    const count = document.getElementById("tree-count");
    if (count) {
      const said = `${this.root.size} object${this.root.size === 1 ? "" : "s"}`;
      if (count.textContent !== said) count.textContent = said;
    }
  }

  // What is looked for, with whatever it hangs on; null where nothing below fits.
  wanted(node) {
    if (!this.search && !this.trouble) return node;
    const fits = (!this.search || `${node.kind} ${node.name}`.toLowerCase().includes(this.search))
      && (!this.trouble || ["bad", "warn", "busy"].includes(this.tone(node)));
    const below = node.below.map((child) => this.wanted(child)).filter(Boolean);
    return fits || below.length ? { ...node, below } : null;
  }

  below(node) {
    if (this.folded.has(node.uid) || node.members) return null;
    const groups = new Map();
    for (const child of node.below) {
      const own = node === this.root || child.sync || child.below.length; // what Git names stands for itself
      const key = own ? child.uid : `${child.kind} ${child.health} ${child.sync}`;
      groups.set(key, [...(groups.get(key) ?? []), child]);
    }
    const found = [];
    for (const [key, members] of groups) {
      const uid = `${node.uid} ${key}`;
      if (members.length < MANY || this.spread.has(uid) || this.search) found.push(...members);
      else found.push({ ...members[0], uid, name: `${members.length} × ${members[0].kind}`, members, images: [], below: [] });
    }
    return found;
  }

  asTree(root) {
    tidy().nodeSize([CARD.height + CARD.below, CARD.width + CARD.right]).separation((a, b) => (a.parent === b.parent ? 1 : 1.2))(root);
    const all = [];
    let top = Infinity;
    let bottom = -Infinity;
    let right = 0;
    root.eachBefore((node) => {
      all.push(node);
      top = Math.min(top, node.x);
      bottom = Math.max(bottom, node.x);
      right = Math.max(right, node.y);
    });
    for (const node of all) Object.assign(node, { left: node.y + 8, top: node.x - top + 8, wide: CARD.width });
    this.width = right + CARD.width + 16;
    this.height = bottom - top + CARD.height + 16;
    if (this.height > 2 * this.place.clientHeight) root.top = 8; // in the middle nobody would see it
    return all;
  }

  asList(root) {
    const all = [];
    root.eachBefore((node) => {
      const left = Math.min(node.depth, 6) * LIST.indent;
      const wide = this.place.clientWidth - left - 4;
      all.push(Object.assign(node, { left, top: all.length * (CARD.height + LIST.below), wide }));
    });
    this.width = this.place.clientWidth - 2;
    this.height = all.length * (CARD.height + LIST.below);
    return all;
  }

  edge(node) {
    if (!node.parent) return "";
    const { parent } = node;
    const middle = node.top + CARD.height / 2;
    if (this.narrow) return `M${parent.left + 8} ${parent.top + CARD.height}V${middle}H${node.left}`;
    const from = parent.left + parent.wide;
    const bend = (from + node.left) / 2;
    return `M${from} ${parent.top + CARD.height / 2}C${bend} ${parent.top + CARD.height / 2} ${bend} ${middle} ${node.left} ${middle}`;
  }

  draw() {
    const scale = this.narrow ? 1 : this.scale;
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.place;
    const box = {
      top: (scrollTop - MARGIN) / scale, bottom: (scrollTop + clientHeight + MARGIN) / scale,
      left: (scrollLeft - MARGIN) / scale, right: (scrollLeft + clientWidth + MARGIN) / scale,
    };
    const kept = new Set();
    for (const node of this.shown) {
      const seen = node.top + CARD.height > box.top && node.top < box.bottom
        && node.left + node.wide > box.left && node.left < box.right;
      if (!seen && node.data.uid !== this.current) continue;
      kept.add(node.data.uid);
      let card = this.cards.get(node.data.uid);
      if (!card) {
        card = made();
        this.cards.set(node.data.uid, card);
        this.inner.append(card);
      }
      this.fill(card, node, scale);
    }
    for (const [uid, card] of this.cards) {
      if (!kept.has(uid)) {
        card.remove();
        this.cards.delete(uid);
      }
    }
    if (!this.current || !this.cards.has(this.current)) this.current = this.shown[0]?.data.uid;
    for (const [uid, card] of this.cards) card.tabIndex = uid === this.current ? 0 : -1;
  }

  fill(card, node, scale) {
    const { data } = node;
    card.style.transform = `translate(${node.left * scale}px, ${node.top * scale}px) scale(${scale})`;
    card.style.width = `${node.wide}px`;
    card.ariaLevel = node.depth + 1;
    const folds = Boolean(data.below.length || data.members);
    const folded = this.folded.has(data.uid) || Boolean(data.members);
    const state = JSON.stringify([this.narrow, data.name, data.sync, data.health, data.message, data.images, data.prune, data.orphaned, folds, folded, data.below.length]);
    if (card.state === state) return;
    const news = card.state && card.status !== `${data.sync} ${data.health}`;
    Object.assign(card, { state, status: `${data.sync} ${data.health}` });
    card.dataset.uid = data.uid;
    card.dataset.kind = data.kind;
    card.dataset.name = data.name;
    card.className = `rnode ${this.tone(data)}${data.members ? " many" : ""}`;
    const [kind, name, marks, fold] = card.children;
    kind.textContent = data.members ? "" : data.kind;
    name.textContent = this.narrow ? data.name : shortened(data.name);
    const said = [data.sync, data.prune ? "to be pruned" : "", data.orphaned ? "orphaned" : "", data.health].filter(Boolean);
    marks.replaceChildren(...said.map((word) => this.mark(word)), ...grewAt(data), ...pictures(data));
    card.title = [`${data.kind} ${data.name}`, data.message, ...data.images].filter(Boolean).join("\n");
    card.ariaLabel = [data.kind, data.name, ...said, data.message].filter(Boolean).join(", ");
    fold.hidden = !folds;
    fold.textContent = folded ? `+${data.members?.length ?? data.below.length}` : "−";
    if (folds) card.ariaExpanded = String(!folded);
    else card.removeAttribute("aria-expanded");
    if (news) {
      card.classList.remove("changed");
      requestAnimationFrame(() => card.classList.add("changed"));
    }
  }

  mark(word) {
    const [sign, tone] = this.words[word] ?? ["", "warn"];
    const shown = document.createElement("span");
    shown.className = tone;
    shown.textContent = `${sign} ${word}`.trim();
    return shown;
  }

  tone(node) {
    const tones = [node.sync, node.health].filter(Boolean).map((word) => this.words[word]?.[1] ?? "");
    return WORST.find((tone) => tones.includes(tone)) ?? "";
  }

  click(event) {
    const card = event.target.closest(".rnode");
    if (!card) return;
    const node = this.shown.find((one) => one.data.uid === card.dataset.uid);
    this.current = card.dataset.uid;
    if (event.target.closest(".fold") || node.data.members) this.toggle(node);
    else this.open(node.data);
  }

  toggle(node) {
    const { uid, members } = node.data;
    if (members) this.spread.add(uid);
    else if (this.folded.has(uid)) this.folded.delete(uid);
    else this.folded.add(uid);
    this.lay();
    this.focus(this.shown.find((one) => one.data.uid === uid) ?? node.parent);
  }

  key(event) {
    const at = this.shown.findIndex((node) => node.data.uid === this.current);
    const node = this.shown[at];
    if (!node || !event.target.closest(".rnode")) return;
    const folded = this.folded.has(node.data.uid) || Boolean(node.data.members);
    const moves = {
      ArrowDown: () => this.focus(this.shown[at + 1]),
      ArrowUp: () => this.focus(this.shown[at - 1]),
      Home: () => this.focus(this.shown[0]),
      End: () => this.focus(this.shown.at(-1)),
      ArrowRight: () => (folded ? this.toggle(node) : this.focus(node.children?.[0])),
      ArrowLeft: () => (!folded && node.children ? this.toggle(node) : this.focus(node.parent)),
      Enter: () => (node.data.members ? this.toggle(node) : this.open(node.data)),
      " ": () => (node.data.members ? this.toggle(node) : this.open(node.data)),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  focus(node) {
    if (!node) return;
    this.current = node.data.uid;
    this.draw();
    const card = this.cards.get(this.current);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

// The flat list as a tree. What names a parent that is not there hangs on the application.
function grown(nodes) {
  const known = new Map(nodes.map((node) => [node.uid, { ...node, below: [] }]));
  const root = known.get(nodes[0].uid);
  for (const node of known.values()) {
    if (node !== root) (known.get(node.parent) ?? root).below.push(node);
  }
  for (const node of known.values()) {
    if (node !== root) node.below.sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
  }
  root.size = nodes.length - 1;
  return root;
}

function made() {
  const card = document.createElement("div");
  card.setAttribute("role", "treeitem");
  for (const name of ["kind", "name", "marks"]) {
    const part = document.createElement(name === "name" ? "b" : "span");
    part.className = name;
    card.append(part);
  }
  const fold = document.createElement("span");
  fold.className = "fold";
  fold.setAttribute("aria-hidden", "true"); // the arrow keys do it, and aria-expanded says it
  card.append(fold);
  return card;
}

// The Pods of one ReplicaSet differ at their names' ends.
function shortened(name) {
  return name.length > 25 ? `${name.slice(0, 12)}…${name.slice(-12)}` : name;
}

function grewAt(data) {
  if (!data.created || data.members) return [];
  const time = document.createElement("time");
  time.dateTime = data.created;
  time.dataset.short = "";
  time.textContent = age(data.created);
  return [time];
}

function pictures(data) {
  return data.images.slice(0, 1).map((image) => {
    const shown = document.createElement("span");
    shown.className = "image";
    shown.textContent = image.split("/").at(-1);
    return shown;
  });
}
