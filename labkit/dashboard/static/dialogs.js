// What can be done, with its plan first: nothing is asked for before the person has seen what would happen.

import { act } from "./net.js";
import { show } from "./pieces.js";
import { toast } from "./looks.js";

export class Dialogs {
  constructor(name, path) {
    Object.assign(this, { name, path });
    this.place = document.getElementById("dialog");
    this.body = document.getElementById("dialog-body");
    this.problem = document.getElementById("dialog-problem");
    this.button = document.getElementById("dialog-go");
    document.getElementById("dialog-cancel").addEventListener("click", () => this.place.close());
    this.button.addEventListener("click", () => this.go());
    this.place.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault(); // Enter in a field does what the button does, if it may
      if (!this.button.disabled) this.go();
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this.begin(button);
    });
  }

  begin(button) {
    const { do: what, entry } = button.dataset;
    if (what === "refresh") this.now(button, "refresh", {});
    if (what === "hard") this.now(button, "refresh", { hard: true });
    if (what === "terminate") this.now(button, "terminate", {});
    if (what === "sync") this.sync();
    if (what === "rollback") this.rollback(entry);
    if (what === "delete") this.remove();
  }

  async now(button, action, wishes) {
    button.disabled = true;
    button.ariaBusy = "true";
    try {
      toast(await act(this.name, action, wishes));
    } catch (error) {
      toast(error.message, "bad");
    } finally {
      button.disabled = false;
      button.ariaBusy = null;
    }
  }

  sync() {
    const prune = option("prune", "Prune: delete what Git no longer has");
    const dry = option("dryRun", "Dry run: ask the cluster, change nothing");
    const force = option("force", "Force: delete and make again what cannot be changed");
    const plan = this.plan(() => `plan?prune=${prune.input.checked}`);
    prune.input.addEventListener("change", plan.renew);
    const title = `Sync ${this.name}`;
    this.ask(title, "Sync", [plan.place, prune.label, dry.label, force.label], async () => {
      const boxes = [...plan.place.querySelectorAll('input[name="resource"]')];
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      if (boxes.length && !chosen.length) throw new Error("Choose at least one object.");
      const resources = chosen.length === boxes.length ? [] : chosen;
      const wishes = { prune: prune.input.checked, dryRun: dry.input.checked, force: force.input.checked, resources };
      return act(this.name, "sync", wishes);
    });
  }

  rollback(entry) {
    const prune = option("prune", "Prune: delete what that entry did not have");
    const plan = this.plan(() => `plan?entry=${entry}&prune=${prune.input.checked}`);
    prune.input.addEventListener("change", plan.renew);
    const wishes = () => ({ id: Number(entry), prune: prune.input.checked });
    this.ask(`Roll ${this.name} back to entry ${entry}`, "Roll back", [plan.place, prune.label], () =>
      act(this.name, "rollback", wishes()));
  }

  remove() {
    const cascade = option("cascade", "Delete what it deployed, too", true);
    const plan = this.plan(() => "deletion");
    const typed = document.createElement("input");
    Object.assign(typed, { id: "confirm", autocomplete: "off", spellcheck: false });
    const label = document.createElement("label");
    label.htmlFor = "confirm";
    label.textContent = `Type ${this.name} to go on`;
    cascade.input.addEventListener("change", () => plan.place.classList.toggle("off", !cascade.input.checked));
    typed.addEventListener("input", () => { this.button.disabled = typed.value !== this.name; });
    this.ask(`Delete ${this.name}`, "Delete", [plan.place, cascade.label, label, typed], () =>
      act(this.name, "delete", { cascade: cascade.input.checked, confirm: typed.value }));
    this.button.disabled = true;
    this.button.classList.add("danger");
  }

  plan(path) {
    const place = document.createElement("div");
    place.className = "plan-place";
    place.textContent = "Planning …";
    const renew = () => show(place, `fragments/applications/${this.path}/${path()}`).then(() => {
      delete place.dataset.fragment; // a plan that is being looked at does not change under the person's hand
    });
    renew();
    return { place, renew };
  }

  ask(title, verb, parts, doing) {
    document.getElementById("dialog-title").textContent = title;
    Object.assign(this.button, { textContent: verb, disabled: false });
    this.button.classList.remove("danger");
    this.problem.textContent = "";
    this.body.replaceChildren(...parts);
    this.doing = doing;
    this.place.showModal();
  }

  async go() {
    this.button.disabled = true;
    try {
      const said = await this.doing();
      this.place.close();
      toast(said);
    } catch (error) {
      this.problem.textContent = error.message;
      this.button.disabled = false;
    }
  }
}

function option(name, text, checked = false) {
  const input = document.createElement("input");
  Object.assign(input, { type: "checkbox", name, checked });
  const label = document.createElement("label");
  label.className = "option";
  label.append(input, ` ${text}`);
  return { input, label };
}
