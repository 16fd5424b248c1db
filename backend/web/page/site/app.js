// The frame around all screens: where one is, what is wrong, keys for everything.

import { FILES, get, state } from "./api.js";
import { start } from "./changes.js";
import { h, icon, put, say, settled } from "./dom.js";
import { askForKey } from "./key.js";
import { again } from "./live.js";
import { openPalette, openShortcuts } from "./palette.js";
import { followLinks, link, place } from "./router.js";
import { forget, may } from "./session.js";
import { nextTheme, themeName } from "./theming.js";
import { chooseLanguage, t } from "./words.js";

const SCREENS = {
  "": { name: "overview", file: "overview.js" },
  jobs: { name: "jobs", file: "jobs.js" },
  add: { name: "add", file: "add.js" },
  import: { name: "import", file: "importing.js" },
  system: { name: "system", file: "system.js" },
  s: { name: "overview", file: "series.js" },
};
const RAIL = ["", "jobs", "add", "import", "system"];

let leaving = new AbortController();

function rail() {
  const items = RAIL.map((path) => {
    const { name } = SCREENS[path];
    const href = path ? link(path) : link();
    return h("a", { href, class: "rail-item", "data-screen": name }, icon(name), h("span", null, t(`screen.${name}`)));
  });
  const theme = h("button", { type: "button", class: "quiet", onclick: () => say(theme.lastChild, t(nextTheme())) },
    icon("theme"), h("span", null, t(themeName())));
  const search = h("button", { type: "button", class: "quiet", onclick: openPalette, title: "Ctrl K" },
    icon("search"), h("span", null, t("palette.open")));
  const key = h("button", { type: "button", class: "quiet", onclick: () => askForKey("") },
    icon("key"), h("span", null, t("key.open")));
  return h("nav", { class: "rail", "aria-label": t("screens") },
    h("a", { href: link(), class: "brand" }, h("img", { src: `${FILES}icon.svg`, alt: "", width: 22, height: 22 }),
      h("span", null, t("title"))),
    items,
    h("div", { class: "rail-end" }, search, key, theme));
}

function frame() {
  const app = document.getElementById("app");
  put(app,
    h("a", { href: "#main", class: "skip", onclick: skip }, t("skip")),
    rail(),
    h("div", { class: "stage" },
      h("div", { id: "away", class: "banner", role: "alert", hidden: true }),
      h("main", { id: "main", tabIndex: -1 })),
    h("div", { id: "spoken", class: "unseen", role: "status", "aria-live": "polite" }));
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function showService() {
  const banner = document.getElementById("away");
  banner.hidden = !state.away;
  say(banner, state.away ? t("away") : "");
  if (!state.wantsKey) return;
  forget();
  askForKey(state.wantsKey);
}

/** Whether this reader may see anything; where nobody knows, the screen finds out. */
async function mayRead() {
  const found = await may("read").catch(() => true);
  if (!found) askForKey("missing_key");
  return found;
}

function showLocked(room) {
  put(room, h("h1", null, t("title")), h("div", { class: "empty" }, h("p", null, t("key.missing_key")),
    h("button", { type: "button", class: "main", onclick: () => askForKey("missing_key") }, icon("key"), t("key.use"))));
  settled();
}

async function showScreen() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { parts, query } = place();
  const screen = SCREENS[parts[0] ?? ""];
  for (const item of document.querySelectorAll(".rail-item")) {
    if (item.dataset.screen === screen?.name) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  const main = put(document.getElementById("main"));
  main.className = "";
  main.setAttribute("aria-busy", "true");
  const room = main.appendChild(h("div", { class: "screen" }));
  if (!screen) {
    document.title = t("title");
    settled();
    put(room, h("h1", null, t("nothing.here")), h("p", null, h("a", { href: link() }, t("screen.overview"))));
    return;
  }
  document.title = `${t(`screen.${screen.name}`)} · ${t("title")}`;
  const [{ show }, allowed] = await Promise.all([import(`./${screen.file}`), mayRead()]);
  if (!allowed && !signal.aborted) showLocked(room);
  if (allowed && !signal.aborted) show(room, { parts: parts.slice(1), query, signal });
}

function onKey(event) {
  const typing = event.target instanceof Element && event.target.closest("input, select, textarea, dialog");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  } else if (typing || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    openPalette();
  } else if (event.key === "?") {
    openShortcuts();
  }
}

/** While the service is away, ask whether it is back; else a look now and then. */
async function lookAfterService() {
  if (state.away) await get("/health/live");
  return state.away ? 2 : 5;
}

chooseLanguage();
frame();
followLinks();
window.addEventListener("place", showScreen);
window.addEventListener("session", showScreen);
window.addEventListener("service", showService);
window.addEventListener("language", () => { frame(); showScreen(); });
document.addEventListener("keydown", onKey);
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") event.preventDefault();  // what was asked for a screen that was left
});
start();
again(lookAfterService, new AbortController().signal);
showScreen();
