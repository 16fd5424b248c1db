// Choose symbols of a market, and have them fetched, once or from now on.

import { get, post } from "./api.js";
import { announce, h, put, say, settled } from "./dom.js";
import { count, quoted } from "./format.js";
import { go, link, remember } from "./router.js";
import { about, guardButtons, told } from "./session.js";
import { VirtualRows } from "./virtual.js";
import { t } from "./words.js";

const AT_ONCE = 500;

export async function show(room, { query, signal }) {
  const chosen = new Set((query.get("symbol") ?? "").split(",").filter(Boolean));
  let listed = [];
  let wantedMarket = query.get("market") ?? "binance:spot";
  const market = h("select", { id: "add-market", onchange: () => { chosen.clear(); load(market.value); } });
  const search = h("input", { type: "search", id: "add-search", placeholder: t("add.search"), oninput: draw });
  const follow = h("input", { type: "radio", name: "way", checked: true, onchange: draw });
  const once = h("input", { type: "radio", name: "way", onchange: draw });
  const since = h("input", { type: "date", id: "add-since", onchange: draw });
  const number = h("p", { class: "far", role: "status" });
  const shown = h("p", { class: "chips" });
  const curl = h("pre", { tabIndex: 0, "aria-label": "curl" });
  const button = h("button", { type: "submit", class: "main" });
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const scroller = h("div", { class: "pick-list", tabIndex: 0, role: "group", "aria-label": t("add.symbols") });
  const rows = new VirtualRows(scroller, makeRow, signal);
  rows.body.setAttribute("role", "list");
  scroller.append(rows.body);
  put(room, h("header", { class: "top" }, h("h1", null, t("screen.add"))),
    h("form", { class: "add", onsubmit: send },
      h("section", { class: "card" },
        h("div", { class: "field" }, h("label", { for: "add-market" }, t("add.market")), market),
        h("div", { class: "field" }, h("label", { for: "add-search" }, t("add.symbols")), search), number, scroller),
      h("section", { class: "card" },
        h("h2", null, t("add.what")), shown,
        h("label", { class: "check" }, follow, h("span", null, t("add.follow"), h("br"), h("span", { class: "far" }, t("add.follow.about")))),
        h("label", { class: "check" }, once, h("span", null, t("add.once"), h("br"), h("span", { class: "far" }, t("add.once.about")))),
        h("div", { class: "field" }, h("label", { for: "add-since" }, t("add.since")), since, h("p", { class: "far" }, t("add.since.about"))),
        wrong, h("div", { class: "buttons" }, button),
        h("details", null, h("summary", null, t("add.curl")), curl))));
  guardButtons(button).catch(() => {});

  function makeRow() {
    const box = h("input", { type: "checkbox", onchange: () => pick(box.value, box.checked) });
    const name = h("span", { class: "strong" });
    const status = h("span", { class: "far" });
    const label = h("label", { class: "check" }, box, name, status);
    return { element: h("div", { class: "row pick", role: "listitem" }, label), fill };

    function fill(one) {
      box.value = one.symbol;
      box.checked = chosen.has(one.symbol);
      say(name, one.symbol);
      say(status, one.stored ? `${t("add.stored")} · ${one.status}` : one.status);
    }
  }

  function pick(symbol, isWanted) {
    if (isWanted) chosen.add(symbol);
    else chosen.delete(symbol);
    draw();
  }

  function requests() {
    const [exchange, name] = wantedMarket.split(":");
    const path = follow.checked ? "/api/follow" : "/api/sync";
    const symbols = [...chosen];
    const found = [];
    for (let first = 0; first < symbols.length; first += AT_ONCE) {
      const body = { symbols: symbols.slice(first, first + AT_ONCE), exchange, market: name };
      if (since.value) body[follow.checked ? "since" : "start_time"] = since.value;
      if (once.checked) body.wait = false;
      found.push([path, body]);
    }
    return found;
  }

  function draw() {
    const words = search.value.toUpperCase().split(/[\s/]+/).filter(Boolean);
    const fitting = listed.filter((one) => words.every((word) => `${one.symbol} ${one.base} ${one.quote}`.includes(word)));
    rows.show(fitting);
    say(number, t("add.found", { count: fitting.length }));
    put(shown, [...chosen].slice(0, 60).map((symbol) => h("button", {
      type: "button", class: "chip", onclick: () => pick(symbol, false), "aria-label": t("add.drop", { symbol }),
    }, symbol, " ×")), chosen.size > 60 && h("span", { class: "far" }, `+ ${count(chosen.size - 60)}`),
    !chosen.size && h("span", { class: "far" }, t("add.nothing")));
    say(button, t(follow.checked ? "add.do.follow" : "add.do.once", { count: chosen.size }));
    button.disabled = !chosen.size || button.title !== "";
    say(curl, requests().map(([path, body]) =>
      `curl -X POST ${location.origin}${link().replace(/\/ui\/$/, "")}${path} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`).join("\n"));
  }

  async function load(name) {
    wantedMarket = name;
    remember({ market: name, symbol: "" });
    listed = [];
    draw();
    say(number, t("add.loading"));
    const [exchange, which] = name.split(":");
    try {
      const { symbols } = await get("/api/symbols", { exchange, market: which }, signal);
      if (wantedMarket !== name) return;
      listed = symbols;
      for (const symbol of chosen) {
        if (!listed.some((one) => one.symbol === symbol)) {
          listed.push({ symbol, base: "", quote: "", status: t("add.unlisted"), stored: false });
        }
      }
      listed.sort((one, two) => chosen.has(two.symbol) - chosen.has(one.symbol));
      draw();
    } catch (error) {
      if (signal.aborted) return;
      draw();
      say(number, told(error));
    }
    settled();
  }

  async function send(event) {
    event.preventDefault();
    button.disabled = true;
    wrong.hidden = true;
    try {
      for (const [path, body] of requests()) await post(path, body, signal);
      announce(t("add.sent"));
      go(follow.checked ? link() : link("jobs"));
    } catch (error) {
      if (signal.aborted) return;
      wrong.hidden = false;
      say(wrong, told(error));
      button.disabled = false;
    }
  }

  draw();
  try {
    const { markets } = await about();
    put(market, markets.map((one) => h("option", { value: `${one.exchange}:${one.market}` }, `${one.exchange} ${one.market}`)));
    market.value = markets.some((one) => `${one.exchange}:${one.market}` === wantedMarket) ? wantedMarket : market.value;
    load(market.value);
  } catch (error) {
    if (!signal.aborted) say(number, told(error));
  }
}
