// Everything that is stored, a row a series; what is wrong stands on top, with the thing to do.

import { call, get, post, whole } from "./api.js";
import { announce, h, icon, onTheme, put, say, settled } from "./dom.js";
import { bytes, count, short } from "./format.js";
import { isLive } from "./changes.js";
import { again } from "./live.js";
import { filtered, grouped, rowsOf, sorted, STATES, totals } from "./overview_data.js";
import { COLUMNS, makeRow, SORTABLE } from "./overview_row.js";
import { go, link, remember } from "./router.js";
import { stripColours } from "./strip.js";
import { isOver } from "./until_over.js";
import { VirtualRows } from "./virtual.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const PARTS = ["rows", "ready", "failed"];

export function show(room, { query, signal }) {
  const wanted = {
    text: query.get("q") ?? "", market: query.get("market") ?? "", state: query.get("state") ?? "",
    sort: query.get("sort") ?? "symbol", group: query.get("group") ?? "",
  };
  let rows = null;
  const view = { colours: stripColours(), from: 0, until: 0, size: [0, 0] };
  window.addEventListener("resize", () => { view.size = [0, 0]; }, { signal });
  const summary = h("p", { class: "far summary" });
  const wrong = h("div", { class: "wrongs" });
  const filter = h("input", {
    type: "search", id: "filter", placeholder: t("overview.filter"), "aria-label": t("overview.filter"),
    value: wanted.text, oninput: () => change({ text: filter.value }),
  });
  const market = h("select", { "aria-label": t("overview.market"), onchange: () => change({ market: market.value }) });
  const state = choice("overview.state", ["", ...Object.keys(STATES)], wanted.state, (value) => change({ state: value }));
  const group = choice("overview.group", ["", "market"], wanted.group, (value) => change({ group: value }));
  const tools = h("div", { class: "tools" }, filter, market, state, group);
  const head = h("div", { class: "head", role: "row", "aria-rowindex": 1 }, COLUMNS.map(heading));
  const scroller = document.getElementById("main");
  scroller.className = "wide";
  const table = new VirtualRows(scroller, () => makeRow(view), signal);
  const grid = h("div", { class: "table", role: "table", "aria-label": t("screen.overview") },
    h("div", { role: "rowgroup", class: "head-group" }, head), table.body);
  const empty = h("div", { class: "empty", hidden: true });
  put(room, h("header", { class: "top" }, h("h1", null, t("screen.overview")), summary), wrong, tools, grid, empty);
  onTheme(() => { view.colours = stripColours(); table.draw(true); }, signal);

  function heading(name) {
    const found = h("div", { class: `cell ${name}`, role: "columnheader" });
    if (!SORTABLE.includes(name)) return put(found, t(`column.${name}`));
    return put(found, h("button", { type: "button", class: "bare", "data-sort": name, onclick: () => sortBy(name) },
      t(`column.${name}`)));
  }

  function sortBy(name) {
    change({ sort: wanted.sort === name ? `-${name}` : name });
  }

  function change(changes) {
    Object.assign(wanted, changes);
    remember({ q: wanted.text, market: wanted.market, state: wanted.state, group: wanted.group,
      sort: wanted.sort === "symbol" ? "" : wanted.sort });
    if (state.value !== wanted.state) state.value = wanted.state;
    draw();
  }

  function draw() {
    if (!rows) return;
    for (const button of head.querySelectorAll("button")) {
      const { sort } = button.dataset;
      const found = { [sort]: "ascending", [`-${sort}`]: "descending" }[wanted.sort];
      if (found) button.parentElement.setAttribute("aria-sort", found);
      else button.parentElement.removeAttribute("aria-sort");
    }
    const shown = sorted(filtered(rows, wanted), wanted.sort);
    view.from = Math.min(...rows.map((one) => one.first ?? Infinity), Date.now() - 90 * DAY);
    view.until = Date.now();
    grid.setAttribute("aria-rowcount", shown.length + 1);
    grid.hidden = tools.hidden = !rows.length;
    table.show(wanted.group ? grouped(shown) : shown);
    showEmpty(shown.length);
  }

  function showEmpty(number) {
    empty.hidden = number > 0;
    if (number) return;
    if (rows.length) put(empty, h("p", null, t("overview.unmatched")));
    else {
      put(empty, h("h2", null, t("overview.nothing")), h("p", { class: "far" }, t("overview.begin")),
        h("a", { class: "main", href: `${link("add")}?market=binance:spot&symbol=BTCUSDT` }, icon("add"), t("overview.first")));
    }
  }

  function showMarkets() {
    const there = [...new Set(rows.map((one) => `${one.exchange}:${one.market}`))].sort();
    if (market.childElementCount === there.length + 1) return;
    put(market, h("option", { value: "" }, t("overview.market")),
      there.map((one) => h("option", { value: one }, one.replace(":", " "))));
    market.value = there.includes(wanted.market) ? wanted.market : "";
  }

  function showWrong(found, ready, failed) {
    const sentences = (ready.troubles ?? []).map((text) => sentence("bad", text));
    if (found.failing.length) {
      sentences.push(sentence("bad", t("wrong.failing", {
        count: found.failing.length, symbol: found.failing[0].symbol, reason: found.failing[0].error?.message ?? "",
      }), look("trouble")));
    }
    if (found.behind.length) sentences.push(sentence("warn", t("wrong.behind", { count: found.behind.length }), look("trouble")));
    if (found.incomplete.length) {
      sentences.push(sentence("warn", t("wrong.missing", { count: found.incomplete.length, minutes: found.missing }),
        look("missing"), h("button", { type: "button", onclick: (event) => repair(event.target, found.incomplete) }, t("wrong.fetch"))));
    }
    if (failed) sentences.push(sentence("warn", t("wrong.jobs", { count: failed }), h("a", { href: link("jobs") }, t("wrong.look"))));
    const text = sentences.map((one) => one.textContent).join("\n");
    if (wrong.dataset.text !== text) {
      wrong.dataset.text = text;
      put(wrong, sentences);
    }
  }

  const look = (name) => h("button", { type: "button", onclick: () => change({ state: name }) }, t("wrong.show"));

  async function repair(button, incomplete) {
    button.disabled = true;
    for (const one of incomplete) {
      await post("/api/sync", { symbol: one.symbol, exchange: one.exchange, market: one.market, wait: false }, signal);
    }
    announce(t("wrong.begun"));
    go(link("jobs"));
  }

  const stale = new Set(PARTS);
  const known = { ready: {}, failed: 0 };

  const reads = {
    async rows() {
      const first = await get("/api/overview", { limit: 1000 }, signal);
      if (first.next && !rows) {
        rows = rowsOf(first.series);
        draw();
      }
      rows = rowsOf([...first.series, ...(first.next ? await whole("/api/overview", "series", signal, first.next) : [])]);
    },
    async ready() {
      known.ready = await call("/health/ready", { anyStatus: true, signal });
    },
    async failed() {
      const { jobs } = await get("/api/jobs", { status: "failed", limit: 100 }, signal);
      known.failed = jobs.filter((one) => Date.now() - Date.parse(one.finished) < DAY).length;
    },
  };

  /** Which part of the screen a change makes stale; where something may have been missed, all of them. */
  function wakes(name, data) {
    if (name === "begin" || name === "lost") PARTS.forEach((one) => stale.add(one));
    const part = name === "job" ? isOver(data) && "failed" : { series: "rows", follow: "rows", health: "ready" }[name];
    if (part) stale.add(part);
    return Boolean(part);
  }

  again(async () => {
    const wanted = isLive() ? [...stale] : PARTS;
    stale.clear();
    try {
      await Promise.all(wanted.map((one) => reads[one]()));
    } catch (error) {
      PARTS.forEach((one) => stale.add(one));
      throw error;
    }
    const found = totals(rows);
    showMarkets();
    showWrong(found, known.ready, known.failed);
    summary.title = count(found.held);
    say(summary, rows.length ? t("overview.summary", {
      count: found.series, minutes: short(found.held), size: bytes(found.size),
    }) : "");
    draw();
    settled();
    return Math.max(5, rows.length / 100);
  }, signal, { wakes });
}

function sentence(kind, text, ...actions) {
  return h("p", { class: `sentence ${kind}`, role: "status" }, h("span", null, text), actions);
}

function choice(name, values, value, change) {
  const select = h("select", { "aria-label": t(name), onchange: () => change(select.value) },
    values.map((one) => h("option", { value: one }, t(`${name}.${one || "all"}`))));
  select.value = values.includes(value) ? value : "";
  return select;
}
