// What is being fetched, what waits, and how it ended.

import { get, remove } from "./api.js";
import { onChange } from "./changes.js";
import { announce, h, put, say, settled } from "./dom.js";
import { count, duration, past, percent, short, time } from "./format.js";
import { again } from "./live.js";
import { link, remember, seriesLink } from "./router.js";
import { guardButtons, told } from "./session.js";
import { isOver } from "./until_over.js";
import { t } from "./words.js";

const STATUSES = ["queued", "running", "done", "failed", "cancelled"];
const MOST = 200;
const DRAWN_MS = 250;
const TOLD_AGAIN_MS = 20_000;

export function show(room, { query, signal }) {
  let status = STATUSES.includes(query.get("status")) ? query.get("status") : "";
  const cards = new Map();
  const list = h("ul", { class: "cards", "aria-label": t("screen.jobs") });
  const cut = h("p", { class: "far", hidden: true }, t("jobs.cut", { count: MOST }));
  const empty = h("div", { class: "empty", hidden: true }, h("p", null, t("jobs.none")),
    h("a", { class: "main", href: link("add") }, t("jobs.begin")));
  const select = h("select", { "aria-label": t("jobs.status"), onchange: () => choose(select.value) },
    ["", ...STATUSES].map((one) => h("option", { value: one }, t(`jobs.status.${one || "all"}`))));
  select.value = status;
  put(room, h("header", { class: "top" }, h("h1", null, t("screen.jobs"))), h("div", { class: "tools" }, select), list, cut, empty);

  function choose(wanted) {
    status = wanted;
    remember({ status });
    now();
  }

  let known = new Map();
  const fresh = new Map();
  let timer = 0;
  const now = again(async () => {
    fresh.clear();
    const { jobs } = await get("/api/jobs", { limit: MOST, status }, signal);
    known = new Map(jobs.map((job) => [job.id, job]));
    for (const job of fresh.values()) keep(job);
    draw();
    settled();
    return jobs.some((one) => !isOver(one)) ? 1 : 5;
  }, signal, { wakes: () => false });
  onChange(hear, signal);
  const telling = setInterval(draw, TOLD_AGAIN_MS);
  signal.addEventListener("abort", () => clearInterval(telling), { once: true });

  function hear(name, job) {
    if (name !== "job") return;
    fresh.set(job.id, job);
    keep(job);
    timer ||= setTimeout(draw, DRAWN_MS);
  }

  function keep(job) {
    if (status && job.status !== status) known.delete(job.id);
    else known.set(job.id, job);
  }

  function draw() {
    clearTimeout(timer);
    timer = 0;
    if (signal.aborted) return;
    const jobs = [...known.values()].sort((one, two) => rank(one) - rank(two) || (one.created < two.created ? 1 : -1)).slice(0, MOST);
    known = new Map(jobs.map((job) => [job.id, job]));
    const seen = jobs.map((job) => {
      if (!cards.has(job.id)) cards.set(job.id, card(job.id));
      cards.get(job.id).fill(job);
      return cards.get(job.id).element;
    });
    for (const [place, element] of seen.entries()) {
      if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
    }
    while (list.children.length > seen.length) list.lastChild.remove();
    empty.hidden = jobs.length > 0;
    cut.hidden = jobs.length < MOST;
  }

  function card(id) {
    const dot = h("span", { class: "dot", "aria-hidden": "true" });
    const word = h("span", { class: "job-status" });
    const name = h("a", { class: "strong" });
    const market = h("span", { class: "far" });
    const range = h("span", { class: "far" });
    const bar = h("progress", { max: 1, "aria-label": t("jobs.progress") });
    const facts = h("p", { class: "far" });
    const reason = h("p", { class: "wrong", hidden: true });
    const notes = h("p", { class: "far", hidden: true });
    const cancel = h("button", { type: "button", onclick: () => stop(id, cancel) }, t("cancel"));
    guardButtons(cancel);
    const element = h("li", { class: "card job" },
      h("div", { class: "job-head" }, dot, word, name, market, range, cancel), bar, facts, reason, notes);
    return { element, fill };

    function fill(job) {
      dot.dataset.state = job.status;
      say(word, t(job.cancelling ? "jobs.cancelling" : `jobs.status.${job.status}`));
      say(name, job.symbol);
      name.href = seriesLink(job);
      say(market, `${job.exchange} ${job.market}`);
      say(range, rangeOf(job));
      cancel.hidden = isOver(job);
      bar.hidden = job.status !== "running";
      const part = job.minutes_total ? job.minutes_done / job.minutes_total : 0;
      if (!bar.hidden) bar.value = part;
      say(facts, (isOver(job) ? ended(job) : running(job, part)).filter(Boolean).join(" · "));
      reason.hidden = !job.error;
      say(reason, job.error ? job.error.message : "");
      notes.hidden = !job.notes.length;
      say(notes, job.notes.join(" "));
    }
  }

  async function stop(id, button) {
    button.disabled = true;
    try {
      await remove(`/api/jobs/${encodeURIComponent(id)}`, {}, signal);
      announce(t("jobs.cancelling"));
      now();
    } catch (error) {
      announce(told(error));
    } finally {
      button.disabled = false;
    }
  }
}

const rank = (job) => (job.status === "running" ? 0 : job.status === "queued" ? 1 : 2);

function rangeOf(job) {
  const end = job.end_time ? time(Date.parse(job.end_time)) : t("jobs.now");
  return job.start_time ? `${time(Date.parse(job.start_time))} – ${end}` : "";
}

function running(job, part) {
  if (job.status === "queued") return [t("jobs.waits", { ago: past(Date.parse(job.created)) })];
  return [
    job.minutes_total && `${percent(part)} · ${t("jobs.done", { done: short(job.minutes_done), total: short(job.minutes_total) })}`,
    job.candles_per_second && t("jobs.speed", { count: Math.round(job.candles_per_second) }),
    job.seconds_left !== null && t("jobs.left", { time: duration(job.seconds_left) }),
    limits(job),
  ];
}

function ended(job) {
  const took = job.started && job.finished ? (Date.parse(job.finished) - Date.parse(job.started)) / 1000 : null;
  return [
    t("jobs.new", { count: job.new_records }),
    job.revised_records && t("jobs.revised", { count: job.revised_records }),
    job.requests && t("jobs.requests", { count: job.requests }),
    limits(job),
    took !== null && t("jobs.took", { time: duration(took) }),
    job.finished && past(Date.parse(job.finished)),
  ];
}

const limits = (job) =>
  job.rate_limit_seconds >= 1 && t("jobs.limits", { count: count(job.rate_limit_waits), time: duration(job.rate_limit_seconds) });
