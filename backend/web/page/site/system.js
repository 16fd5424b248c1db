// How the service is, what it may spend at exchanges, and how this browser likes to be told.

import { address, ask, call, refusal } from "./api.js";
import { koreanColours } from "./chart.js";
import { h, put, say, settled } from "./dom.js";
import { bytes, count, duration, past, percent, setZone, time, zone, zones } from "./format.js";
import { askForKey } from "./key.js";
import { again } from "./live.js";
import { figures, single, sums } from "./metrics.js";
import { about, session } from "./session.js";
import { setTheme } from "./theming.js";
import { language, languages, setLanguage, t } from "./words.js";

const NAMES = { en: "English", es: "Español", ko: "한국어" };

export async function show(room, { signal }) {
  const service = h("dl");
  const troubles = h("div", { class: "wrongs" });
  const budgets = h("tbody");
  const sockets = h("tbody");
  const processes = h("tbody");
  const key = h("dl");
  put(room, h("header", { class: "top" }, h("h1", null, t("screen.system"))), troubles,
    h("div", { class: "panels" },
      panel("system.service", service),
      panel("system.browser", key, preferences(), h("div", { class: "buttons start" }, h("button", { type: "button", onclick: () => askForKey("") }, t("key.title")))),
      panel("system.sockets", table(["market", "open", "losses", "frames"], sockets)),
      h("div", { class: "stack" },
        panel("system.processes", table(["process", "does", "share", "egress"], processes)),
        panel("system.links", h("ul", { class: "plain links" }, [["/docs", "system.docs"], ["/openapi.json", "system.openapi"], ["/metrics", "system.metrics"]].map(
          ([path, name]) => h("li", null, h("a", { href: address(path), target: "_blank", rel: "noopener" }, path), h("span", { class: "far" }, ` ${t(name)}`))),
        h("li", { class: "far" }, t("system.grafana")))))),
    panel("system.budgets", table(["budget", "spent", "waits", "unit"], budgets), h("p", { class: "far" }, t("system.budgets.about"))));
  again(look, signal);

  async function look() {
    const [what, who, ready, text, fleet] = await Promise.all([
      about(), session(), call("/health/ready", { anyStatus: true, signal }), metrics(signal),
      call("/api/processes", { anyStatus: true, signal }),
    ]);
    const found = figures(text);
    put(troubles, (ready.troubles ?? []).map((one) => h("p", { class: "sentence bad", role: "status" }, h("span", null, one))));
    const began = single(found, "process_start_time_seconds");
    facts(service, {
      "system.version": what.version,
      "system.state": t(ready.status === "ready" ? "system.ready" : "system.notready"),
      "system.database": t(ready.database === "connected" ? "system.connected" : "system.disconnected"),
      "system.worker": t(`system.worker.${ready.worker}`),
      "system.since": began && past(began * 1000),
      "system.memory": single(found, "process_resident_memory_bytes") && bytes(single(found, "process_resident_memory_bytes")),
      "system.series": single(found, "market_data_series") !== null && count(single(found, "market_data_series")),
      "system.follows": [...sums(found, "market_data_follows", "state")].filter(([, value]) => value).map(([name, value]) => `${count(value)} ${t(`state.${name}`)}`).join(", ") || "0",
      "system.jobs": [...sums(found, "market_data_jobs", "status")].map(([name, value]) => `${count(value)} ${t(`jobs.status.${name}`)}`).join(", "),
    });
    facts(key, {
      "system.key.name": who.key ?? t("system.key.none"),
      "system.key.scopes": who.scopes.map((one) => t(`scope.${one}`)).join(", "),
      "system.key.until": who.until && time(Date.parse(who.until)),
    });
    if (fleet.success) showProcesses(fleet.processes);
    showBudgets(found);
    showSockets(found);
    settled();
    return 5;
  }

  function showProcesses(found) {
    put(processes, found.map((one) => h("tr", null,
      h("th", { scope: "row" }, processName(one.name), one.here && h("span", { class: "tag" }, t("system.here"))),
      h("td", null, one.works ? t("system.does", { jobs: one.jobs, follows: one.follows }) : t("system.answers")),
      h("td", { class: "far" }, percent(one.share)), h("td", { class: "far" }, one.egress || "–"))));
  }

  function showBudgets(found) {
    const waits = sums(found, "market_data_budget_waits_total", "budget");
    const seconds = sums(found, "market_data_budget_wait_seconds_total", "budget");
    const blocked = sums(found, "market_data_budget_blocked_seconds", "budget");
    put(budgets, (found.market_data_budget_used_ratio ?? []).map(({ labels, value }) => h("tr", null,
      h("th", { scope: "row" }, labels.budget),
      h("td", null, h("meter", { min: 0, max: 1, high: 0.9, value, "aria-label": labels.budget }), ` ${percent(value)}`),
      h("td", { class: "far" }, blocked.get(labels.budget) ? t("system.blocked", { time: duration(blocked.get(labels.budget)) })
        : `${count(waits.get(labels.budget) ?? 0)} · ${duration(seconds.get(labels.budget) ?? 0)}`),
      h("td", { class: "far" }, labels.unit))));
  }

  function showSockets(found) {
    const value = (name, labels) => (found[name] ?? []).find((one) => one.labels.exchange === labels.exchange && one.labels.market === labels.market)?.value ?? 0;
    put(sockets, (found.market_data_sockets_open ?? []).map(({ labels, value: open }) => h("tr", null,
      h("th", { scope: "row" }, `${labels.exchange} ${labels.market}`), h("td", null, count(open)),
      h("td", { class: "far" }, count(value("market_data_socket_losses_total", labels))),
      h("td", { class: "far" }, count(value("market_data_socket_frames_total", labels))))));
  }
}

/** "host/boot/namespace:12:random" for people: "host · 12". */
function processName(name) {
  const [place, number] = name.split(":");
  return number ? `${place.split("/")[0]} · ${number}` : name;
}

async function metrics(signal) {
  const answer = await ask("/metrics", { signal, headers: { Accept: "text/plain" } });
  if (!answer.ok) throw refusal(answer.status, (await answer.json()).error);
  return answer.text();
}

function panel(name, ...inside) {
  return h("section", { class: "card panel" }, h("h2", null, t(name)), inside);
}

function table(columns, body) {
  return h("div", { class: "scrolls", tabIndex: 0, role: "group", "aria-label": t(`column.of.${columns[0]}`) }, h("table", { class: "plain-table" }, h("thead", null, h("tr", null,
    columns.map((name) => h("th", { scope: "col" }, t(`column.of.${name}`))))), body));
}

/** Names and values, changed only where they differ. */
function facts(list, values) {
  const shown = Object.entries(values).filter(([, value]) => value);
  if (list.childElementCount !== shown.length * 2) {
    put(list, shown.map(([name]) => [h("dt", null, t(name)), h("dd")]));
  }
  shown.forEach(([, value], place) => say(list.children[place * 2 + 1], String(value)));
}

function preferences() {
  const field = (name, values, value, change) => {
    const select = h("select", { id: `choose-${name}`, onchange: () => change(select.value) },
      values.map(([one, text]) => h("option", { value: one }, text)));
    select.value = value;
    return h("div", { class: "field" }, h("label", { for: select.id }, t(`choose.${name}`)), select);
  };
  return h("div", { class: "fields" },
    field("language", languages().map((one) => [one, NAMES[one]]), language(), setLanguage),
    field("theme", ["system", "light", "dark"].map((one) => [one, t(`theme.${one}`)]), localStorage.getItem("theme") ?? "system", setTheme),
    field("zone", zones().map((one) => [one, one]), zones().includes(zone()) ? zone() : "UTC", setZone),
    field("rising", [["green", t("rising.green")], ["red", t("rising.red")]], koreanColours() ? "red" : "green", (value) => localStorage.setItem("rising", value)));
}
