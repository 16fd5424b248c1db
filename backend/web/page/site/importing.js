// Files of candles, dropped on the page: each is checked as a whole by the service, and told what came of it.

import { upload } from "./api.js";
import { announce, h, put, say, settled } from "./dom.js";
import { bytes, count } from "./format.js";
import { seriesLink } from "./router.js";
import { about, guardButtons, told } from "./session.js";
import { t } from "./words.js";

export async function show(room, { signal }) {
  const waiting = [];
  let isBusy = false;
  const market = h("select", { id: "import-market" });
  const symbol = h("input", { type: "text", id: "import-symbol", placeholder: "BTCUSDT", autocomplete: "off", spellcheck: "false" });
  const files = h("input", { type: "file", multiple: true, accept: ".zip,.csv", id: "import-files", onchange: () => { take(files.files); files.value = ""; } });
  const button = h("button", { type: "button", class: "main", onclick: () => files.click() }, t("import.choose"));
  const zone = h("div", { class: "drop card" }, h("h2", null, t("import.drop")), h("p", { class: "far" }, t("import.about")), button, files);
  const list = h("ul", { class: "cards", "aria-label": t("import.files") });
  files.hidden = true;
  put(room, h("header", { class: "top" }, h("h1", null, t("screen.import"))),
    h("div", { class: "tools" },
      h("div", { class: "field" }, h("label", { for: "import-market" }, t("add.market")), market),
      h("div", { class: "field" }, h("label", { for: "import-symbol" }, t("import.symbol")), symbol)),
    zone, list);
  guardButtons(button).catch(() => {});
  window.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); }, { signal });
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) zone.classList.remove("over"); }, { signal });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (!button.disabled) take(event.dataTransfer.files);
  }, { signal });
  const { markets } = await about();
  put(market, markets.filter((one) => one.imported).map((one) => h("option", { value: `${one.exchange}:${one.market}` }, `${one.exchange} ${one.market}`)));
  settled();

  function take(chosen) {
    const [exchange, name] = market.value.split(":");
    for (const file of chosen) {
      const line = card(file);
      list.append(line.element);
      waiting.push({ file, line, exchange, market: name, symbol: symbol.value.trim() });
    }
    work();
  }

  /** One file after the other: the service keeps a whole file in memory while it checks it. */
  async function work() {
    if (isBusy) return;
    isBusy = true;
    while (waiting.length && !signal.aborted) await send(waiting.shift());
    isBusy = false;
  }

  async function send({ file, line, ...where }) {
    try {
      const query = { name: file.name, ...where };
      const found = await upload("/api/import", query, file, line.progress, signal);
      line.done(found);
      announce(`${file.name}: ${t("import.done", { count: found.new_records })}`);
    } catch (error) {
      if (signal.aborted) return;
      line.failed(told(error));
      announce(`${file.name}: ${told(error)}`);
    }
  }
}

function card(file) {
  const dot = h("span", { class: "dot", "data-state": "queued", "aria-hidden": "true" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
  const result = h("p", { class: "far" }, t("import.waits"));
  const element = h("li", { class: "card job" },
    h("div", { class: "job-head" }, dot, h("span", { class: "strong" }, file.name), h("span", { class: "far" }, bytes(file.size))), bar, result);
  const end = (state) => { dot.dataset.state = state; bar.hidden = true; };
  return {
    element,
    progress: (part) => {
      dot.dataset.state = "running";
      bar.value = part;
      say(result, t(part < 1 ? "import.sending" : "import.checking"));
    },
    done: (found) => {
      end("done");
      put(result, h("a", { href: seriesLink(found) }, `${found.exchange} ${found.market} ${found.symbol}`), ": ",
        t("import.done", { count: found.new_records }), found.held_before ? `, ${t("import.held", { count: found.held_before })}` : "",
        found.candles === found.new_records ? "" : ` (${t("import.candles", { count: count(found.candles) })})`,
        found.remark ? `. ${found.remark}` : "");
    },
    failed: (text) => {
      end("failed");
      result.className = "wrong";
      say(result, text);
    },
  };
}
