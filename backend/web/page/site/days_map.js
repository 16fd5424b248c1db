// Years of days on a canvas: a bar a day, rows of a year, half a year or a quarter, as there is room.

import { colour, h, onTheme, say, sized } from "./dom.js";
import { count, parts, utcDay } from "./format.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const HEIGHT = 26;
const GAP = 6;
const LABEL = 64;
const NARROWEST = 2.4;

/** `chosen(day)` is told when the reader chooses one, in ms UTC. */
export function daysMap({ signal, chosen }) {
  let found = null;
  let places = new Map();
  let rows = [];
  let months = 12;
  let cursor = null;
  let marked = null;
  const canvas = h("canvas", {
    tabIndex: 0, role: "img", class: "days-map", onclick: (event) => pick(dayAt(event)), onkeydown: onKey,
    onmousemove: (event) => tell(dayAt(event)), onmouseleave: () => tell(cursor), onfocus: () => { cursor ??= last(); draw(); },
  });
  const told = h("p", { class: "far told" });
  const element = h("div", null, canvas, told);
  new ResizeObserver(() => draw()).observe(element);
  onTheme(() => draw(), signal);

  const last = () => found?.open_time.at(-1) ?? null;

  function show(columns, symbol) {
    found = columns;
    places = new Map(columns.open_time.map((open, place) => [open, place]));
    const sum = (column) => column.reduce((total, one) => total + one, 0);
    canvas.setAttribute("aria-label", t("map.about", {
      symbol, days: columns.open_time.length, missing: sum(columns.missing), none: sum(columns.gone),
    }));
    say(told, t("map.hint"));
    draw();
  }

  function lay(width) {
    const room = width - LABEL;
    months = [12, 6, 3, 1].find((one) => room / (one * 31) >= NARROWEST) ?? 1;
    rows = [];
    const first = new Date(found.open_time[0]);
    let start = Date.UTC(first.getUTCFullYear(), Math.floor(first.getUTCMonth() / months) * months);
    while (start <= last()) {
      const date = new Date(start);
      const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months);
      rows.push({ start, end });
      start = end;
    }
  }

  const step = () => (element.clientWidth - LABEL) / (months === 12 ? 366 : months * 31);

  function draw() {
    const width = element.clientWidth;
    if (!found?.open_time.length || !width) return;
    lay(width);
    canvas.style.height = `${rows.length * (HEIGHT + GAP)}px`;
    const pen = sized(canvas, width, rows.length * (HEIGHT + GAP));
    const colours = Object.fromEntries(["held", "missing", "void", "soft", "far", "ink", "accent"].map((name) => [name, colour(name)]));
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    rows.forEach((row, number) => {
      const top = number * (HEIGHT + GAP);
      pen.fillStyle = colours.far;
      pen.fillText(labelOf(row), 0, top + HEIGHT / 2);
      for (let open = row.start; open < row.end; open += DAY) {
        drawDay(pen, LABEL + ((open - row.start) / DAY) * step(), top, open, colours);
      }
    });
    for (const [open, line] of [[marked, colours.ink], [document.activeElement === canvas ? cursor : null, colours.accent]]) frame(pen, open, line);
  }

  const labelOf = (row) => (months === 12 ? String(new Date(row.start).getUTCFullYear()) : monthName(row.start));

  function drawDay(pen, left, top, open, colours) {
    const width = Math.max(0.7, step() - (step() > 4 ? 1 : 0));
    const place = places.get(open);
    if (place === undefined) {
      pen.fillStyle = colours.soft;
      pen.fillRect(left, top + HEIGHT - 2, width, 2);
      return;
    }
    const [held, missing, gone] = [found.held[place], found.missing[place], found.gone[place]];
    const whole = held + missing + gone + found.before[place];
    if (!held && !missing && !gone) {
      pen.fillStyle = colours.soft;
      pen.fillRect(left, top + HEIGHT - 2, width, 2);
      return;
    }
    const low = missing ? Math.max(6, (missing / whole) * HEIGHT * (held ? 1 : 0.6)) : 0;
    const high = gone ? Math.max(6, (gone / whole) * HEIGHT) : 0;
    if (held) {
      pen.fillStyle = colours.held;
      pen.fillRect(left, top + high, width, Math.max(0, HEIGHT - high - low));
    }
    pen.fillStyle = colours.void;
    pen.fillRect(left, top, width, high);
    pen.fillStyle = colours.missing;
    pen.fillRect(left, top + HEIGHT - low, width, low);
  }

  function frame(pen, open, line) {
    const number = rows.findIndex((row) => open !== null && open >= row.start && open < row.end);
    if (number < 0) return;
    pen.strokeStyle = line;
    pen.lineWidth = 2;
    pen.strokeRect(LABEL + ((open - rows[number].start) / DAY) * step() - 1.5, number * (HEIGHT + GAP) - 1, step() + 2, HEIGHT + 2);
  }

  function dayAt(event) {
    const box = canvas.getBoundingClientRect();
    const row = rows[Math.floor((event.clientY - box.top) / (HEIGHT + GAP))];
    if (!row) return null;
    const open = row.start + Math.floor((event.clientX - box.left - LABEL) / step()) * DAY;
    return open >= row.start && open < row.end && places.has(open) ? open : null;
  }

  function tell(open) {
    if (open === null || !places.has(open)) {
      say(told, found ? t("map.hint") : "");
      return;
    }
    const place = places.get(open);
    say(told, t("map.day", {
      day: utcDay(open), held: count(found.held[place]), missing: count(found.missing[place]), none: count(found.gone[place]),
    }));
  }

  function pick(open) {
    if (open === null) return;
    cursor = open;
    chosen(open);
  }

  function onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: -30, PageDown: 30 };
    if (event.key === "Enter" || event.key === " ") pick(cursor ?? last());
    else if (event.key === "Home") cursor = found.open_time[0];
    else if (event.key === "End") cursor = last();
    else if (event.key in steps) cursor = Math.min(last(), Math.max(found.open_time[0], (cursor ?? last()) + steps[event.key] * DAY));
    else return;
    event.preventDefault();
    event.stopPropagation();
    tell(cursor);
    draw();
  }

  return { element, show, choose: (open) => { marked = open; draw(); } };
}

const monthName = (moment) => parts(moment + DAY / 2, { month: "short", year: "2-digit" });
