// One row of the overview: made once, filled again and again.

import { h, say } from "./dom.js";
import { bytes, count, day, duration, short, time } from "./format.js";
import { seriesLink } from "./router.js";
import { drawStrip } from "./strip.js";
import { t } from "./words.js";

export const COLUMNS = ["symbol", "strip", "first", "last", "held", "missing", "void", "lag", "source", "size"];
export const SORTABLE = COLUMNS.filter((name) => name !== "strip");

/** So many minutes behind are worth telling: less is what a minute takes to come. */
const LATE = 2;

const cell = (name, ...children) => h("div", { class: `cell ${name}`, role: "cell" }, ...children);

/** `view` tells {colours, from, until, size} at the time of drawing; all strips are of one size, since to
    ask each for its own would have the browser lay the page out again and again. */
export function makeRow(view) {
  const link = h("a");
  const market = h("span", { class: "far" });
  const canvas = h("canvas", { role: "img" });
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const word = h("span");
  const lag = h("span", { class: "far" });
  const title = h("div", { class: "group-title", role: "cell", hidden: true });
  const cells = {
    symbol: cell("symbol", link, market), strip: cell("strip", canvas), first: cell("first"), last: cell("last"),
    held: cell("held number"), missing: cell("missing number"), void: cell("void number"),
    lag: cell("lag", dot, word, lag), source: cell("source"), size: cell("size number"),
  };
  const element = h("div", { class: "row", role: "row" }, title, Object.values(cells));

  function fill(one) {
    const isGroup = one.group !== undefined;
    element.classList.toggle("group", isGroup);
    title.hidden = !isGroup;
    for (const found of Object.values(cells)) found.hidden = isGroup;
    if (isGroup) {
      say(title, `${one.group} · ${count(one.count)}`);
      return;
    }
    say(link, one.symbol);
    link.href = seriesLink(one);
    say(market, `${one.exchange} ${one.market}`);
    say(cells.first, one.first === null ? "–" : day(one.first));
    say(cells.last, one.last === null ? "–" : time(one.last));
    say(cells.held, short(one.total_records));
    cells.held.title = count(one.total_records);
    say(cells.missing, one.missing_records ? short(one.missing_records) : "0");
    cells.missing.title = count(one.missing_records);
    cells.missing.classList.toggle("some", one.missing_records > 0);
    say(cells.void, short(one.void_records));
    cells.void.title = count(one.void_records);
    dot.dataset.state = one.state ?? "none";
    say(word, t(`state.${one.state ?? "none"}`));
    say(lag, one.lag_minutes >= LATE ? duration(one.lag_minutes * 60) : "");
    say(cells.source, one.source ? t(`source.${one.source}`) : "–");
    say(cells.size, bytes(one.bytes_on_disk));
    draw(one);
  }

  function draw(one) {
    canvas.setAttribute("aria-label", t("strip.about", {
      held: one.total_records, missing: one.missing_records, none: one.void_records,
    }));
    if (!view.size[0]) view.size = [canvas.clientWidth, canvas.clientHeight];
    drawStrip(canvas, one, view);
  }

  return { element, fill };
}
