// What is there and what is not: years of days, a day's minutes, and every hole with its cause and a button.

import { get, post } from "./api.js";
import { daysMap } from "./days_map.js";
import { announce, h, put, say } from "./dom.js";
import { ago, past, time, utcClock, utcDay } from "./format.js";
import { minutesMap } from "./minutes_map.js";
import { guardButtons, told } from "./session.js";
import { untilOver } from "./until_over.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const MINUTE = 60_000;
const SHOWN = 60;

export function coveragePanel({ series, signal, chart, changed }) {
  const { exchange, market, symbol } = series;
  const which = { exchange, market };
  const path = encodeURIComponent(symbol);
  let day = null;
  let known = null;
  const legend = h("p", { class: "legend-of-map far" },
    ["held", "missing", "void", "none"].map((name) => h("span", null, h("i", { class: `swatch ${name}` }), t(`map.${name}`))));
  const days = daysMap({ signal, chosen: chooseDay });
  const minutes = minutesMap({ signal });
  const title = h("h2");
  const toChart = h("button", { type: "button", onclick: () => { chart.goTo(day); document.getElementById("main").scrollTo({ top: 0 }); } }, t("map.chart"));
  const whole = h("button", { type: "button", onclick: () => repair(whole, day, day + DAY - MINUTE, true) }, t("map.again.day"));
  const back = h("button", { type: "button", onclick: () => chooseDay(day - DAY), "aria-label": t("map.before") }, "‹");
  const forth = h("button", { type: "button", onclick: () => chooseDay(day + DAY), "aria-label": t("map.after") }, "›");
  const all = h("button", { type: "button", onclick: () => chooseDay(null) }, t("map.all"));
  const dayCard = h("section", { class: "card day", hidden: true },
    h("div", { class: "day-head" }, back, title, forth, h("span", { class: "grow" }), toChart, whole, all), minutes.element);
  const holesTitle = h("h2");
  const holes = h("ul", { class: "plain holes" });
  const element = h("div", { class: "coverage" }, h("section", { class: "card" }, legend, days.element), dayCard,
    h("section", { class: "card" }, holesTitle, holes));
  guardButtons(whole).catch(() => {});
  loadDays();

  async function loadDays() {
    const found = { open_time: [], held: [], missing: [], gone: [], before: [] };
    let start;
    do {
      const page = await get(`/api/map/${path}`, { ...which, interval: "1d", start_time: start }, signal);
      found.open_time.push(...page.open_time);
      found.held.push(...page.held);
      found.missing.push(...page.missing);
      found.gone.push(...page.no_data.map((one, place) => one + page.contradictory[place]));
      found.before.push(...page.before_listing);
      start = page.next;
    } while (start);
    days.show(found, symbol);
  }

  async function chooseDay(wanted) {
    day = wanted;
    days.choose(day);
    dayCard.hidden = day === null;
    if (day === null) {
      showHoles(known);
      return;
    }
    say(title, utcDay(day));
    announce(utcDay(day));
    const range = { ...which, start_time: day, end_time: day + DAY - MINUTE };
    const [map, inside] = await Promise.all([
      get(`/api/map/${path}`, { ...range, interval: "1m" }, signal), get(`/api/coverage/${path}`, range, signal),
    ]);
    minutes.show(day, map);
    showHoles(inside);
  }

  function showHoles(coverage) {
    if (!coverage) return;
    const found = [
      ...coverage.missing.map((one) => ({ ...one, reason: "missing" })),
      ...coverage.void.filter((one) => one.reason !== "before_listing"),
    ].sort((one, two) => (one.start_time < two.start_time ? 1 : -1));
    const cut = coverage.truncated || found.length > SHOWN;
    say(holesTitle, found.length ? t("holes.title", { count: found.length }) : t("holes.none"));
    const lines = found.slice(0, SHOWN).map(hole);
    const before = coverage.void.find((one) => one.reason === "before_listing");
    put(holes, lines, cut && h("li", { class: "far" }, t("holes.more")),
      day === null && before && h("li", { class: "far" }, t("hole.before_listing", { time: time(Date.parse(before.end_time) + MINUTE) })));
  }

  function hole(one) {
    const [start, last] = [Date.parse(one.start_time), Date.parse(one.end_time)];
    const isMissing = one.reason === "missing";
    const button = h("button", { type: "button", onclick: () => repair(button, start, last, !isMissing) },
      t(isMissing ? "hole.fetch" : "hole.again"));
    guardButtons(button).catch(() => {});
    const sentence = t(`hole.${one.reason}`, {
      confirmed: one.confirmed ? past(Date.parse(one.confirmed)) : "", again: Date.parse(one.ask_again) > Date.now() ? ago(Date.parse(one.ask_again)) : t("hole.soon"),
    });
    const told = start === last ? utcClock(start) : `${utcClock(start)} – ${utcClock(last)}`;
    return h("li", null, h("i", { class: `swatch ${isMissing ? "missing" : "void"}` }),
      h("div", { class: "hole" }, h("b", null, `${utcDay(start)} ${utcDay(start) === utcDay(last) ? told : `${utcClock(start)} – ${utcDay(last)} ${utcClock(last)}`} UTC`),
        h("span", { class: "far" }, ` · ${t("hole.minutes", { count: one.minutes })}`), h("br"), h("span", null, sentence)),
      h("div", { class: "hole-do" }, h("button", { type: "button", onclick: () => { chart.goTo(start); document.getElementById("main").scrollTo({ top: 0 }); } }, t("hole.show")), button));
  }

  /** Have a stretch fetched, or asked for anew, and tell what came of it. */
  async function repair(button, start, last, refresh) {
    const label = button.textContent;
    button.disabled = true;
    say(button, t("hole.working"));
    try {
      const body = { symbol, ...which, start_time: start, end_time: last, refresh, wait: false };
      const { job } = await post("/api/sync", body, signal);
      const over = await untilOver(job.id, signal);
      announce(over.error ? over.error.message : t("hole.came", { count: over.new_records }));
      say(button, over.error ? t("hole.failed") : t("hole.came", { count: over.new_records }));
      button.title = over.error?.message ?? "";
      changed();
      loadDays();
      if (day !== null) chooseDay(day);
    } catch (error) {
      if (signal.aborted) return;
      say(button, label);
      button.title = told(error);
      announce(told(error));
      button.disabled = false;
    }
  }

  return {
    element,
    renew: () => { loadDays(); if (day !== null) chooseDay(day); },
    known: (coverage) => {
      const text = JSON.stringify([coverage?.missing, coverage?.void]);
      if (known && text === JSON.stringify([known.missing, known.void])) return;
      const isFirst = known === null;
      known = coverage;
      if (day === null) showHoles(known);
      if (!isFirst) loadDays();
    },
  };
}
