// Stored candles that the exchange told differently later: both values.

import { get } from "./api.js";
import { h, put } from "./dom.js";
import { time } from "./format.js";
import { told } from "./session.js";
import { t } from "./words.js";

const PAGE = 200;

export function revisionsPanel({ series, signal, chart }) {
  const { exchange, market, symbol } = series;
  const body = h("tbody");
  const note = h("p", { class: "far", role: "status" }, t("chart.loading"));
  const more = h("button", { type: "button", hidden: true }, t("revisions.more"));
  const table = h("table", { class: "plain-table", hidden: true },
    h("thead", null, h("tr", null, ["minute", "seen", "change"].map((name) => h("th", { scope: "col" }, t(`revisions.${name}`))))), body);
  const element = h("section", { class: "card" }, note, h("div", { class: "scrolls", tabIndex: 0, role: "group", "aria-label": t("tab.revisions") }, table), more);
  load();

  async function load(start) {
    try {
      const page = await get(`/api/revisions/${encodeURIComponent(symbol)}`, { exchange, market, limit: PAGE, start_time: start }, signal);
      body.append(...page.revisions.map(line));
      table.hidden = !body.childElementCount;
      put(note, t(body.childElementCount ? "revisions.about" : "revisions.none"));
      more.hidden = !page.next;
      more.onclick = () => load(page.next);
    } catch (error) {
      if (!signal.aborted) put(note, told(error));
    }
  }

  function line(one) {
    const changes = Object.keys(one.after).filter((name) => one.before[name] !== one.after[name]);
    return h("tr", null,
      h("th", { scope: "row" }, h("button", { type: "button", class: "bare link", onclick: () => chart.goTo(one.open_time) }, time(one.open_time))),
      h("td", { class: "far" }, time(Date.parse(one.seen))),
      h("td", null, changes.map((name, place) => [place ? ", " : "", `${name} `, h("s", { class: "far" }, String(one.before[name])), " → ", h("b", null, String(one.after[name]))])));
  }

  return { element };
}
