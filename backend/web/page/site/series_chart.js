// The chart with its tools: intervals, zone, dates, the candle under the cursor, and what is coming in.

import { Candles } from "./candles.js";
import { makeChart } from "./chart.js";
import { announce, h, put, say, settled } from "./dom.js";
import { price, setZone, short, time, zone, zones } from "./format.js";
import { STEPS } from "./intervals.js";
import { remember } from "./router.js";
import { about, told } from "./session.js";
import { nameOf } from "./strip.js";
import { listen } from "./stream.js";
import { t } from "./words.js";

const BARS = 160;
const KEYS = { 1: "1m", 3: "3m", 5: "5m", h: "1h", d: "1d", w: "1w" };
const MOST_ROWS = 100;

export function chartPanel({ series, query, signal }) {
  let interval = query.get("i") in STEPS ? query.get("i") : "1h";
  let chart = null;
  let candles = null;
  let known = null;
  let live = new AbortController();
  const place = h("div", { class: "chart", role: "img", "aria-label": t("chart.loading") });
  const legend = h("p", { class: "legend" });
  const note = h("span", { role: "status" });
  const buttons = Object.keys(STEPS).map((name) => h("button", {
    type: "button", "aria-pressed": String(name === interval), onclick: () => choose(name),
  }, name));
  const zoneSelect = h("select", { "aria-label": t("chart.zone"), onchange: () => { setZone(zoneSelect.value); chart?.restyle(); showLast(); } },
    zones().map((name) => h("option", { value: name }, name)));
  zoneSelect.value = zones().includes(zone()) ? zone() : "UTC";
  const date = h("input", { type: "date", "aria-label": t("chart.date"), onchange: () => date.value && goTo(Date.parse(`${date.value}T00:00Z`)) });
  const end = h("button", { type: "button", onclick: toEnd }, t("chart.end"));
  const table = h("div", { class: "table-of-candles", hidden: true, tabIndex: 0, role: "group", "aria-label": t("chart.table") });
  const asTable = h("button", { type: "button", "aria-expanded": "false", onclick: toggleTable }, t("chart.table"));
  const element = h("section", { class: "card chart-card", "aria-label": t("chart.title") },
    h("div", { class: "chart-tools" }, h("div", { class: "segments", role: "group", "aria-label": t("chart.interval") }, buttons),
      date, end, zoneSelect),
    legend, place, h("div", { class: "chart-foot" }, asTable, note, h("span", null, t("chart.by"), " ",
      h("a", { href: "https://www.tradingview.com/", target: "_blank", rel: "noopener noreferrer" }, "TradingView"),
      " Lightweight Charts™, © 2025 TradingView, Inc.")), table);
  const ready = start();

  async function start() {
    try {
      chart = await makeChart(place, { wants, points, signal });
    } catch {
      place.hidden = true;
    }
  }

  async function load(moment = null) {
    live.abort();
    live = new AbortController();
    const bounds = {
      first: Date.parse(known.first_candle && known.first_candle > known.since ? known.first_candle : known.since),
      last: Date.parse(known.until),
    };
    candles = new Candles(series, interval, bounds, AbortSignal.any([signal, live.signal]));
    say(note, t("chart.loading"));
    try {
      await candles.begin(moment);
      draw();
      settled();
      if (moment === null) chart?.newest(BARS);
      else chart?.around(moment / 1000, BARS);
      say(note, chart ? "" : t("chart.none"));
      showLast();
      follow(AbortSignal.any([signal, live.signal]));
    } catch (error) {
      if (!signal.aborted) say(note, told(error));
    }
  }

  function draw() {
    const step = STEPS[interval];
    const revised = [...new Set(candles.revisions.map((one) => Math.floor(one.open_time / step) * step / 1000))];
    chart?.show([...candles.points], revised);
    const last = candles.points.findLast((one) => one.close !== undefined);
    place.setAttribute("aria-label", t("chart.about", {
      symbol: series.symbol, interval, count: candles.points.length, close: last ? price(last.close) : "–",
    }));
  }

  async function wants(side) {
    try {
      const more = side === "before" ? candles?.earlier() : candles?.later();
      if (more && (await more)) draw();
    } catch (error) {
      if (!signal.aborted) say(note, told(error));
    }
  }

  async function follow(until) {
    const { markets } = await about();
    const isPushed = markets.some((one) => one.exchange === series.exchange && one.market === series.market && one.pushed);
    const from = candles.points.findLast((one) => one.close !== undefined)?.time;
    if (!from || !candles.isAtEnd) return;
    listen("/api/stream", { series: nameOf(series), interval, since: from * 1000, forming: isPushed || undefined }, (event, data) => {
      if (event !== "candle" && event !== "forming") return;
      const point = { time: data.open_time / 1000, missing: 0, void: 0, minutes: data.minutes, expected: data.expected_minutes };
      for (const name of ["open", "high", "low", "close", "volume"]) point[name] = data[name];
      point.forming = event === "forming";
      const last = candles.points.at(-1);
      if (last && point.time > last.time + candles.step / 1000 && interval !== "1M") renew(last.time * 1000);
      if (last && last.time === point.time) candles.points[candles.points.length - 1] = point;
      else if (!last || point.time > last.time) candles.points.push(point);
      else return;
      candles.bounds.last = Math.max(candles.bounds.last, data.open_time);
      candles.until = Math.max(candles.until, data.open_time + 1);
      chart?.update({ ...point });
      showLast();
    }, until);
  }

  /** Read the newest part again, as after a repair; all of it where `moment` is not told. */
  async function renew(moment = candles?.from) {
    if (!candles || candles.from === null) return;
    try {
      await candles.renew(moment);
      draw();
    } catch (error) {
      if (!signal.aborted) say(note, told(error));
    }
  }

  function points(point) {
    if (point) showPoint(point);
    else showLast();
  }

  function showLast() {
    const last = candles?.points.findLast((one) => one.close !== undefined);
    if (last) showPoint(last);
  }

  function showPoint(point) {
    const parts = [h("b", null, time(point.time * 1000))];
    if (point.close !== undefined) {
      for (const name of ["open", "high", "low", "close"]) parts.push(h("span", null, `${t(`chart.${name}`)} `, h("b", null, price(point[name]))));
      parts.push(h("span", null, `${t("chart.volume")} `, h("b", null, short(point.volume))));
    }
    if (point.forming) parts.push(h("span", { class: "tag" }, forming(point)));
    else if (point.minutes < point.expected) parts.push(h("span", { class: "tag" }, t("chart.part", { minutes: point.minutes, total: point.expected })));
    if (point.missing) parts.push(h("span", { class: "tag bad" }, t("chart.missing", { count: point.missing })));
    if (point.void) parts.push(h("span", { class: "tag" }, t("chart.void", { count: point.void })));
    for (const one of revisionsOf(point)) parts.push(h("span", { class: "tag" }, one));
    put(legend, parts);
  }

  const forming = (point) => (point.expected > 1
    ? t("chart.forming", { minutes: point.minutes, total: point.expected }) : t("chart.forming.minute"));

  function revisionsOf(point) {
    const [from, until] = [point.time * 1000, point.time * 1000 + candles.step];
    const found = candles.revisions.filter((one) => one.open_time >= from && one.open_time < until);
    return found.slice(0, 3).map((one) => Object.keys(one.after).filter((name) => one.before[name] !== one.after[name]).slice(0, 2).map((name) =>
      t("chart.revised", { name, before: one.before[name], after: one.after[name] })).join(", "));
  }

  async function choose(name) {
    if (!(name in STEPS) || !known) return;
    const seen = chart?.visible() ?? [];
    const middle = seen.length && !candles?.isAtEnd ? seen[Math.floor(seen.length / 2)].time * 1000 : null;
    interval = name;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === name));
    remember({ i: name === "1h" ? "" : name });
    chart?.show([], []);
    await load(middle);
  }

  async function goTo(moment) {
    announce(time(moment));
    await load(moment);
  }

  async function toEnd() {
    if (candles?.isAtEnd) chart?.newest(BARS);
    else await load();
  }

  function toggleTable() {
    table.hidden = !table.hidden;
    asTable.setAttribute("aria-expanded", String(!table.hidden));
    if (!table.hidden) showTable();
  }

  function showTable() {
    const rows = (chart?.visible() ?? candles?.points ?? []).slice(-MOST_ROWS).reverse();
    put(table, h("table", null, h("caption", { class: "unseen" }, t("chart.table")),
      h("thead", null, h("tr", null, ["time", "open", "high", "low", "close", "volume"].map((name) => h("th", { scope: "col" }, t(`chart.${name}`))))),
      h("tbody", null, rows.map((one) => h("tr", null, h("th", { scope: "row" }, time(one.time * 1000)),
        one.close === undefined ? h("td", { colspan: 5, class: "far" }, t(one.missing ? "chart.missing" : "chart.void", { count: one.missing || one.void }))
          : ["open", "high", "low", "close", "volume"].map((name) => h("td", null, name === "volume" ? short(one[name]) : price(one[name]))))))));
  }

  /** Go to the nearest hole before or after the middle of what is seen. */
  function toHole(side) {
    const holes = [...known.missing, ...known.void.filter((one) => one.reason !== "before_listing")].map((one) => Date.parse(one.start_time)).sort((a, b) => a - b);
    const seen = chart?.visible() ?? [];
    const middle = seen.length ? seen[Math.floor(seen.length / 2)].time * 1000 : Date.now();
    const slack = STEPS[interval];
    const found = side < 0 ? holes.findLast((one) => one < middle - slack) : holes.find((one) => one > middle + slack);
    if (found) goTo(found);
    else announce(t("chart.nohole"));
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog, [role=tab], canvas")) return;
    const task = {
      ArrowLeft: () => chart?.pan(-20), ArrowRight: () => chart?.pan(20), "+": () => chart?.zoom(1.3), "-": () => chart?.zoom(1 / 1.3),
      End: toEnd, "[": () => toHole(-1), "]": () => toHole(1), g: () => { date.focus(); date.showPicker?.(); },
    }[event.key] ?? (KEYS[event.key] && (() => choose(KEYS[event.key])));
    if (!task) return;
    event.preventDefault();
    task();
  }, { signal });

  return {
    element, renew, goTo,
    interval: () => interval,
    known: (coverage) => {
      const isFirst = known === null;
      known = coverage;
      if (isFirst) ready.then(() => load());
    },
  };
}
