// The candles as a file, and the same as lines to copy.

import { address } from "./api.js";
import { announce, h, put, say } from "./dom.js";
import { quoted } from "./format.js";
import { STEPS } from "./intervals.js";
import { session } from "./session.js";
import { t } from "./words.js";

const FORMATS = ["csv", "parquet", "feather", "arrow", "json", "ndjson"];

export function exportPanel({ series, signal, chart }) {
  const { exchange, market, symbol } = series;
  const select = (id, values, value) => {
    const made = h("select", { id, onchange: draw }, values.map((one) => h("option", { value: one }, one)));
    made.value = value;
    return made;
  };
  const interval = select("export-interval", Object.keys(STEPS), chart.interval());
  const format = select("export-format", FORMATS, "csv");
  const from = h("input", { type: "date", id: "export-from", onchange: draw });
  const until = h("input", { type: "date", id: "export-until", onchange: draw });
  const link = h("a", { class: "main", download: "" }, t("export.save"));
  let hasKey = false;
  const lines = h("div", { class: "lines" });
  const field = (name, input) => h("div", { class: "field" }, h("label", { for: input.id }, t(`export.${name}`)), input);
  const element = h("section", { class: "card export" },
    h("div", { class: "fields" }, field("interval", interval), field("format", format), field("from", from), field("until", until), link), lines);
  draw();
  session().then(({ key }) => { hasKey = key !== null; draw(); }, () => {});

  function query() {
    return {
      exchange, market, interval: interval.value, format: format.value, start_time: from.value,
      end_time: until.value && `${until.value}T23:59:59Z`,
    };
  }

  function draw() {
    const path = `/api/data/${encodeURIComponent(symbol)}`;
    link.href = address(path, query());
    const url = location.origin + address(path, query());
    const parquet = location.origin + address(path, { ...query(), format: "parquet" });
    const withKey = hasKey ? " -H \"X-Api-Key: $KEY\"" : "";
    const text = JSON.stringify(parquet);
    show({
      curl: `curl${withKey} -o ${quoted(fileName())} ${quoted(url)}`,
      pandas: `import pandas\n\ncandles = pandas.read_parquet(${text}${hasKey ? ", storage_options={\"X-Api-Key\": KEY}" : ""})`,
      polars: `import polars\n\ncandles = polars.read_parquet(${text}${hasKey ? ", storage_options={\"X-Api-Key\": KEY}" : ""})`,
      ...(ccxt() && { ccxt: ccxt() }),
    });
  }

  function fileName() {
    return `${exchange}.${market}.${symbol}-${interval.value}.${format.value}`.replaceAll(/[^\w.-]/g, "_");
  }

  /** The same candles by the exchange's own interface, which this service speaks; where it does. */
  function ccxt() {
    const here = JSON.stringify(location.origin + address(`/${exchange}`));
    const urls = {
      binance: market === "spot" ? `exchange.urls["api"]["public"] = ${here} + "/api/v3"` : `exchange.urls["api"]["fapiPublic"] = ${here} + "/fapi/v1"`,
      bitget: `exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], ${here})`,
      bingx: `exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], ${here} + "/openApi")`,
    }[exchange];
    const pair = /^(\w+)(USDT|USDC|USD|BTC|ETH)$/.exec(symbol);
    if (!urls || !pair) return "";
    const name = `${pair[1]}/${pair[2]}${market === "perpetual" ? `:${pair[2]}` : ""}`;
    return `import ccxt\n\nexchange = ccxt.${exchange}({"enableRateLimit": False})\n${urls}\ncandles = exchange.fetch_ohlcv(${JSON.stringify(name)}, ${JSON.stringify(interval.value)})`;
  }

  function show(found) {
    put(lines, Object.entries(found).map(([name, text]) => {
      const copy = h("button", { type: "button", onclick: () => copied(copy, text) }, t("export.copy"));
      return h("figure", null, h("figcaption", null, h("b", null, name), copy), h("pre", { tabIndex: 0, "aria-label": name }, text));
    }));
  }

  async function copied(button, text) {
    try {
      await navigator.clipboard.writeText(text);
      say(button, t("export.copied"));
      announce(t("export.copied"));
    } catch {
      say(button, t("export.select"));
    }
  }

  return { element };
}
