// Make one piece of the page like a newer one, and touch only what differs: focus, scroll positions, and what the
// person has opened or typed stay as they are. Elements with the same data-key are the same.

const OURS = new Set(["open", "value", "checked"]); // what the person sets, not the server

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset?.key : undefined);
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

export function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  if (old.nodeName === "TIME") {
    if (old.dateTime !== fresh.dateTime) old.replaceWith(fresh.cloneNode(true));
    return; // its text grows old by itself
  }
  attributes(old, fresh);
  children(old, fresh);
}

function attributes(old, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    const progress = old.nodeName === "PROGRESS";
    if ((!OURS.has(name) || progress) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!OURS.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

function children(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (keyOf(child) !== undefined) keyed.set(keyOf(child), child);
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = keyOf(wanted);
    let found = key === undefined ? place : keyed.get(key);
    if (found && alike(found, wanted)) {
      if (found !== place) old.insertBefore(found, place);
      else place = place.nextSibling;
      morph(found, wanted);
    } else {
      old.insertBefore(wanted.cloneNode(true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
