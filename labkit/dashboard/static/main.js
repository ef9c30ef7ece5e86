// Where the page begins. Plain modules, no build: what is read here is what runs.

import { application } from "./application.js";
import { home } from "./home.js";
import { renewTimes, theme } from "./looks.js";
import { live, root } from "./net.js";
import { pieceNews } from "./pieces.js";

theme();
renewTimes();
setInterval(renewTimes, 1000);
document.getElementById("logout")?.addEventListener("click", async () => {
  const csrf = document.querySelector('meta[name="csrf"]').content;
  await fetch(`${root}logout`, { method: "POST", headers: { "X-CSRF-Token": csrf } });
  location.assign(`${root}login`);
});
home();
application();
pieceNews();
live();
