// The 1,440 minutes of a day on a canvas: an hour a row.

import { colour, h, onTheme, say, sized } from "./dom.js";
import { utcClock } from "./format.js";
import { t } from "./words.js";

const MINUTE = 60_000;
const HEIGHT = 11;
const GAP = 3;
const LABEL = 44;

export function minutesMap({ signal }) {
  let day = 0;
  let states = [];
  const canvas = h("canvas", { role: "img", class: "minutes-map", onmousemove: point, onmouseleave: () => say(told, " ") });
  const told = h("p", { class: "far told" }, " ");
  const element = h("div", null, canvas, told);
  new ResizeObserver(() => draw()).observe(element);
  onTheme(() => draw(), signal);

  function show(start, map) {
    day = start;
    states = new Array(1440).fill("none");
    map.open_time.forEach((open, place) => {
      const gone = map.no_data[place] || map.contradictory[place];
      states[(open - day) / MINUTE] = map.held[place] ? "held" : map.missing[place] ? "missing" : gone ? "void" : "none";
    });
    const number = (name) => states.filter((one) => one === name).length;
    canvas.setAttribute("aria-label", t("strip.about", { held: number("held"), missing: number("missing"), none: number("void") }));
    draw();
  }

  function draw() {
    const width = element.clientWidth;
    if (!width || !states.length) return;
    const high = 24 * (HEIGHT + GAP);
    canvas.style.height = `${high}px`;
    const pen = sized(canvas, width, high);
    const colours = Object.fromEntries(["held", "missing", "void", "soft", "far"].map((name) => [name, colour(name)]));
    const step = (width - LABEL) / 60;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    states.forEach((state, number) => {
      const [hour, minute] = [Math.floor(number / 60), number % 60];
      const top = hour * (HEIGHT + GAP);
      if (!minute) {
        pen.fillStyle = colours.far;
        pen.fillText(utcClock(day + number * MINUTE), 0, top + HEIGHT / 2);
      }
      const cut = { held: 0, void: 0, missing: HEIGHT * 0.4, none: HEIGHT - 2 }[state];
      pen.fillStyle = state === "none" ? colours.soft : colours[state];
      pen.fillRect(LABEL + minute * step, top + cut, Math.max(1, step - 1), (state === "void" ? HEIGHT * 0.5 : HEIGHT) - cut);
    });
  }

  function point(event) {
    const box = canvas.getBoundingClientRect();
    const hour = Math.floor((event.clientY - box.top) / (HEIGHT + GAP));
    const minute = Math.floor(((event.clientX - box.left - LABEL) * 60) / (box.width - LABEL));
    const number = hour * 60 + minute;
    if (minute < 0 || !(number in states)) return;
    say(told, `${utcClock(day + number * MINUTE)} UTC · ${t(`map.${states[number]}`)}`);
  }

  return { element, show };
}
