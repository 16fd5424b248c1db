// A strip of weeks: what is held, what is missing, what the exchange does not have.

import { get } from "./api.js";
import { colour, sized } from "./dom.js";

const AT_ONCE = 100;
const FRESH_MS = 60_000;
const WEEK = 7 * 86_400_000;

export const nameOf = (one) => `${one.exchange}:${one.market}:${one.symbol}`;

/** The strips of series that are looked at: asked for many at once, and kept for a minute. */
export class Strips {
  constructor(signal, changed) {
    this.known = new Map();
    this.wanted = new Set();
    this.signal = signal;
    this.changed = changed;
    this.timer = 0;
  }

  /** What is known of a series' weeks, {start, states}; null until it has come. */
  of(one) {
    const name = nameOf(one);
    const found = this.known.get(name);
    if (!found || Date.now() - found.at > FRESH_MS) this.want(name);
    return found?.weeks ?? null;
  }

  want(name) {
    this.wanted.add(name);
    if (!this.timer) this.timer = setTimeout(() => this.fetch(), 80);
  }

  async fetch() {
    const names = [...this.wanted].slice(-AT_ONCE);
    this.wanted.clear();
    for (const name of names) this.known.set(name, { at: Date.now(), weeks: this.known.get(name)?.weeks });
    try {
      const { weeks } = await get("/api/weeks", { series: names.join(",") }, this.signal);
      for (const one of weeks) this.known.set(one.series, { at: Date.now(), weeks: one });
      this.changed();
    } catch {
      for (const name of names) this.known.delete(name);
    } finally {
      this.timer = 0;
      if (this.wanted.size && !this.signal.aborted) this.timer = setTimeout(() => this.fetch(), 80);
    }
  }
}

/** The colours of weeks by state; to be read anew when the theme changes. */
export const stripColours = () => ({
  full: colour("held"), void: colour("void"), missing: colour("missing"), none: colour("soft"),
  held: colour("held"),
});

/** Draw weeks from one moment until another, side by side; missing ones are also cut low, for who does not see colours. */
export function drawStrip(canvas, weeks, { from, until, colours, size }) {
  const [width, height] = size;
  if (!width) return;
  const pen = sized(canvas, width, height);
  pen.fillStyle = colours.none;
  pen.fillRect(0, height - 2, width, 2);
  if (!weeks?.states) return;
  const scale = width / Math.max(1, until - from);
  const states = weeks.states;
  let place = 0;
  while (place < states.length) {
    const letter = states[place];
    const first = place;
    while (states[place] === letter) place += 1;
    const left = Math.max(0, (weeks.start + first * WEEK - from) * scale);
    const right = Math.min(width, (weeks.start + place * WEEK - from) * scale);
    drawRun(pen, letter, left, Math.max(1, right - left), height, colours);
  }
}

function drawRun(pen, letter, left, width, height, colours) {
  if (letter === "-") return;
  pen.fillStyle = { f: colours.full, v: colours.full, p: colours.held, m: colours.missing }[letter];
  pen.fillRect(left, letter === "m" ? height - 6 : 2, width, letter === "m" ? 6 : height - 2);
  if (letter === "v") {
    pen.fillStyle = colours.void;
    pen.fillRect(left, 2, Math.max(2, width), 5);
  } else if (letter === "p") {
    pen.fillStyle = colours.missing;
    pen.fillRect(left, height - 6, Math.max(2, width), 6);
  }
}
