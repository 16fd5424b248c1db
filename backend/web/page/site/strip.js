// A strip of weeks: what is held, what is missing, what the exchange does not have.

import { colour, sized } from "./dom.js";

const WEEK = 7 * 86_400_000;

export const nameOf = (one) => `${one.exchange}:${one.market}:${one.symbol}`;

/** The colours of weeks by state; to be read anew when the theme changes. */
export const stripColours = () => ({
  full: colour("held"), void: colour("void"), missing: colour("missing"), none: colour("soft"),
  held: colour("held"),
});

/** Draw the weeks of a row, {start, weeks}, from one moment until another, side by side; missing ones are also cut low, for who does not see colours. */
export function drawStrip(canvas, { start, weeks }, { from, until, colours, size }) {
  const [width, height] = size;
  if (!width) return;
  const pen = sized(canvas, width, height);
  pen.fillStyle = colours.none;
  pen.fillRect(0, height - 2, width, 2);
  if (start === null) return;
  const scale = width / Math.max(1, until - from);
  let place = 0;
  while (place < weeks.length) {
    const letter = weeks[place];
    const first = place;
    while (weeks[place] === letter) place += 1;
    const left = Math.max(0, (start + first * WEEK - from) * scale);
    const right = Math.min(width, (start + place * WEEK - from) * scale);
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
