// Ctrl-K: go anywhere by typing. And the list of keys.

import { whole } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h, put } from "./dom.js";
import { go, link, seriesLink } from "./router.js";
import { nextTheme } from "./theming.js";
import { t } from "./words.js";

const MOST = 12;
let open = null;

/** Screens and actions, which are there at once. */
function places() {
  const screens = ["overview", "jobs", "add", "import", "system"].map((name) => ({
    text: t(`screen.${name}`), about: t("palette.screen"), act: () => go(name === "overview" ? link() : link(name)),
  }));
  return [...screens, { text: t("palette.theme"), about: t("palette.action"), act: nextTheme }];
}

async function allSeries() {
  const series = await whole("/api/series", "series");
  return series.map((one) => ({ text: one.symbol, about: `${one.exchange} ${one.market}`, act: () => go(seriesLink(one)) }));
}

/** What fits the words best: each word stands somewhere in it. */
function fitting(choices, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return choices.filter((one) => words.every((word) => `${one.text} ${one.about}`.toLowerCase().includes(word)));
}

export function openPalette() {
  if (open) return;
  const list = h("ul", { id: "palette-list", role: "listbox", "aria-label": t("palette.open") });
  const field = h("input", {
    type: "search", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list",
    "aria-label": t("palette.open"), placeholder: t("palette.hint"), autocomplete: "off",
    oninput: () => { chosen = 0; draw(); }, onkeydown: onKey,
  });
  open = openDialog(t("palette.open"), field, list);
  open.classList.add("palette");
  open.addEventListener("close", () => { open = null; });
  let choices = places();
  let chosen = 0;
  allSeries().then((found) => { choices.push(...found); draw(); }, () => {});
  draw();
  field.focus();

  function draw() {
    const found = fitting(choices, field.value).slice(0, MOST);
    put(list, found.map((one, number) => h("li", {
      role: "option", id: `choice-${number}`, "aria-selected": String(number === chosen), onclick: () => take(one),
    }, h("span", null, one.text), h("span", { class: "far" }, one.about))));
    if (!found.length) put(list, h("li", { class: "far", role: "option", "aria-selected": "false" }, t("palette.none")));
    field.setAttribute("aria-activedescendant", found.length ? `choice-${chosen}` : "");
    return found;
  }

  function take(one) {
    open?.close();
    one.act();
  }

  function onKey(event) {
    const found = fitting(choices, field.value).slice(0, MOST);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      chosen = (chosen + step + found.length) % found.length;
      draw();
    } else if (event.key === "Enter" && found[chosen]) {
      event.preventDefault();
      take(found[chosen]);
    }
  }
}

const KEYS = [
  ["/", "keys.palette"], ["Ctrl K", "keys.palette"], ["?", "keys.help"], ["Esc", "keys.close"],
  ["↑ ↓", "keys.rows"], ["1 5 h d w", "keys.intervals"], ["← →", "keys.pan"], ["+ −", "keys.zoom"],
  ["[ ]", "keys.holes"], ["g", "keys.date"], ["v", "keys.verify"],
];

export function openShortcuts() {
  openDialog(t("keys.title"), h("table", { class: "keys" }, h("tbody", null,
    KEYS.map(([keys, name]) => h("tr", null, h("th", { scope: "row" }, h("kbd", null, keys)), h("td", null, t(name)))))));
}
