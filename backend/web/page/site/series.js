// One series: its candles, what is there and what is not, and buttons for it.

import { call, get, post, remove } from "./api.js";
import { confirmed } from "./dialogs.js";
import { announce, h, put, say, settled } from "./dom.js";
import { bytes, count, duration, time } from "./format.js";
import { again } from "./live.js";
import { chartPanel } from "./series_chart.js";
import { coveragePanel } from "./series_coverage.js";
import { exportPanel } from "./series_export.js";
import { revisionsPanel } from "./series_revisions.js";
import { go, link, remember } from "./router.js";
import { guardButtons, told } from "./session.js";
import { nameOf } from "./strip.js";
import { untilOver } from "./until_over.js";
import { t } from "./words.js";

/** So far behind is worth telling: less is what a minute takes to come. */
const LATE_SECONDS = 120;
const TABS = { coverage: coveragePanel, revisions: revisionsPanel, export: exportPanel };

export async function show(room, { parts, query, signal }) {
  const [exchange = "", market = "", symbol = ""] = parts;
  const series = { exchange, market, symbol };
  const path = encodeURIComponent(symbol);
  const which = { exchange, market };
  document.title = `${symbol} · ${exchange} ${market}`;
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const state = h("span", { role: "status" });
  const facts = h("p", { class: "far facts" });
  const result = h("p", { class: "result", role: "status" });
  const buttons = {
    sync: action("series.sync", sync), follow: action("series.follow", follow),
    verify: action("series.verify", verify), remove: action("series.remove", removeSeries),
  };
  buttons.remove.classList.add("danger");
  guardButtons(...Object.values(buttons)).catch(() => {});
  const body = h("div", { class: "series" });
  put(room, h("header", { class: "top" }, h("h1", null, symbol), h("span", { class: "far" }, `${exchange} ${market}`),
    h("span", { class: "state" }, dot, state), h("div", { class: "actions" }, Object.values(buttons))), facts, result, body);
  let standing = null;
  let known = null;
  let panels = [];
  const isMine = (name, data) => (name === "series" || name === "follow") && (data.more || data.series.includes(nameOf(series)));
  const now = again(look, signal, { wakes: isMine });

  async function look() {
    const [follows, coverage] = await Promise.all([
      get("/api/follow", { start: `${exchange}.${market}.${symbol}`, limit: 1 }, signal),
      call(`/api/coverage/${path}`, { query: which, anyStatus: true, signal }),
    ]);
    standing = follows.follows.find((one) => one.series === nameOf(series)) ?? null;
    showState();
    if (!coverage.success) {
      showNothing(coverage.error);
      return 3;
    }
    known = coverage;
    const { statistics } = await call(`/api/stats/${path}`, { query: which, anyStatus: true, signal });
    if (statistics) showFacts(statistics);
    if (!panels.length && statistics) fill();
    for (const panel of panels) panel.known?.(known);
    return 10;
  }

  function showState() {
    dot.dataset.state = standing?.state ?? "none";
    const lag = standing?.lag_seconds ?? 0;
    say(state, t(`state.${standing?.state ?? "none"}`) + (lag < LATE_SECONDS ? "" : ` · ${duration(lag)}`));
    say(buttons.follow, t(standing ? "series.unfollow" : "series.follow"));
    if (standing?.error) say(result, standing.error.message);
  }

  function showFacts(found) {
    say(facts, t("series.facts", {
      held: found.total_records, missing: found.missing_records, none: found.void_records, revised: found.revisions,
      first: time(Date.parse(found.first_record)), last: time(Date.parse(found.last_record)),
    }));
  }

  function showNothing(error) {
    settled();
    panels = [];
    put(body, h("div", { class: "empty" }, h("h2", null, t("series.nothing")), h("p", { class: "far" }, error.message),
      standing && h("p", null, t("series.waiting"))));
  }

  function fill() {
    const chart = chartPanel({ series, query, signal });
    const inside = h("div", { role: "tabpanel", id: "panel", tabIndex: 0 });
    const tabs = Object.keys(TABS).map((name) => h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", onclick: () => choose(name), onkeydown: onTabKey,
    }, t(`tab.${name}`)));
    put(body, chart.element, h("div", { class: "tabs", role: "tablist", "aria-label": t("tabs") }, tabs), inside);
    let leave = new AbortController();
    choose(query.get("tab") in TABS ? query.get("tab") : "coverage");

    function choose(name) {
      leave.abort();
      leave = new AbortController();
      for (const tab of tabs) {
        const isIt = tab.id === `tab-${name}`;
        tab.setAttribute("aria-selected", isIt);
        tab.tabIndex = isIt ? 0 : -1;
      }
      inside.setAttribute("aria-labelledby", `tab-${name}`);
      remember({ tab: name === "coverage" ? "" : name });
      const panel = TABS[name]({
        series, signal: AbortSignal.any([signal, leave.signal]), chart, changed: () => { chart.renew(); now(); },
      });
      panels = [chart, panel];
      put(inside, panel.element);
      panel.known?.(known);
    }

    function onTabKey(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
      next.click();
      next.focus();
    }
  }

  function action(name, task) {
    const button = h("button", { type: "button", onclick: () => act(button, task) }, t(name));
    return button;
  }

  async function act(button, task) {
    button.disabled = true;
    say(result, t("series.working"));
    try {
      say(result, (await task()) ?? "");
      for (const panel of panels) panel.renew?.();
      now();
    } catch (error) {
      if (signal.aborted) return;
      say(result, told(error));
    } finally {
      button.disabled = false;
    }
  }

  async function sync() {
    const { job } = await post("/api/sync", { symbol, ...which, wait: false }, signal);
    const over = await untilOver(job.id, signal);
    return over.error ? over.error.message : t("series.synced", { count: over.new_records });
  }

  async function follow() {
    if (standing) {
      await remove("/api/follow", { symbol, ...which }, signal);
      return t("series.unfollowed");
    }
    await post("/api/follow", { symbol, ...which }, signal);
    return t("series.followed");
  }

  async function verify() {
    const found = await post("/api/verify", { symbol, ...which }, signal);
    return found.drift
      ? t("series.drift", { lost: found.lost_records, unclaimed: found.unclaimed_records })
      : t("series.verified", { count: found.stored_records });
  }

  async function removeSeries() {
    const would = await remove(`/api/series/${path}`, { ...which, dry_run: true }, signal);
    const text = t("series.remove.about", {
      candles: would.candles, revised: would.revisions, follows: would.follows, size: bytes(would.bytes_on_disk),
    });
    if (!(await confirmed(t("series.remove.title", { symbol }), text, t("series.remove.do", { count: count(would.candles) })))) return "";
    await remove(`/api/series/${path}`, which, signal);
    announce(t("series.removed"));
    go(link());
    return "";
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "v" || event.ctrlKey || event.metaKey || event.target.closest?.("input, select, textarea, dialog")) return;
    if (!buttons.verify.disabled) buttons.verify.click();
  }, { signal });
}
