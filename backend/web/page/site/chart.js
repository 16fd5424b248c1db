// The chart: candles, volume, and gaps as wide as they lasted. The only module that knows the chart library.

import { FILES } from "./api.js";
import { colour, onTheme } from "./dom.js";
import { parts } from "./format.js";
import { language } from "./words.js";

const TICKS = [
  { year: "numeric" }, { month: "short" }, { month: "short", day: "numeric" },
  { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
];
const FULL = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

/** Whether rising candles are red and falling ones blue, as in Korea. */
export const koreanColours = () => (localStorage.getItem("rising") ?? (language() === "ko" ? "red" : "green")) === "red";

/**
 * A chart in `room`. `wants(side)` is called when the reader comes near an end of what is shown, "before" or "after";
 * `points(point)` with the candle under the cursor, null for none. Throws where the library is not there.
 */
export async function makeChart(room, { wants, points, signal }) {
  await import(`${FILES}lightweight-charts.js`);
  const library = window.LightweightCharts;
  const chart = library.createChart(room, { autoSize: true, layout: { attributionLogo: false } });
  const scaled = (name, top) => chart.priceScale(name).applyOptions({ scaleMargins: { top, bottom: 0 } });
  const quiet = { lastValueVisible: false, priceLineVisible: false };
  const gaps = chart.addSeries(library.HistogramSeries, { ...quiet, priceScaleId: "gaps" });
  const volume = chart.addSeries(library.HistogramSeries, { ...quiet, priceScaleId: "volume", priceFormat: { type: "volume" } });
  const candles = chart.addSeries(library.CandlestickSeries, quiet);
  const close = candles.createPriceLine({ price: 0, lineWidth: 1, lineStyle: 2, axisLabelVisible: true });
  scaled("gaps", 0);
  scaled("volume", 0.84);
  chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.06, bottom: 0.18 } });
  const marks = library.createSeriesMarkers(candles, []);
  const time = chart.timeScale();
  let shown = [];
  let byTime = new Map();
  let colours = {};
  style();
  onTheme(() => { style(); show(shown, []); }, signal);
  signal.addEventListener("abort", () => chart.remove(), { once: true });
  chart.subscribeCrosshairMove((move) => points(move.time === undefined ? null : byTime.get(move.time) ?? null));
  time.subscribeVisibleLogicalRangeChange((range) => {
    if (!range || !shown.length) return;
    if (range.from < 40) wants("before");
    if (range.to > shown.length - 5) wants("after");
  });

  function style() {
    const [up, down] = koreanColours() ? [colour("rising-korea"), colour("falling-korea")] : [colour("up"), colour("down")];
    colours = { up, down, paper: colour("paper"), missing: colour("missing-ground"), void: colour("void-ground"), volume: colour("volume"), accent: colour("accent") };
    const line = colour("line");
    chart.applyOptions({
      layout: { background: { color: colour("paper") }, textColor: colour("far"), fontFamily: "system-ui, sans-serif", fontSize: 12, panes: { separatorColor: line } },
      grid: { vertLines: { color: colour("grid") }, horzLines: { color: colour("grid") } },
      rightPriceScale: { borderColor: line },
      timeScale: {
        borderColor: line, timeVisible: true, secondsVisible: false, rightOffset: 4, minBarSpacing: 0.1,
        tickMarkFormatter: (at, kind) => parts(at * 1000, TICKS[kind] ?? TICKS[3]),
      },
      localization: { locale: language(), timeFormatter: (at) => parts(at * 1000, FULL) },
      crosshair: { mode: 0, vertLine: { labelBackgroundColor: colour("label") }, horzLine: { labelBackgroundColor: colour("label") } },
    });
    candles.applyOptions({ upColor: colour("paper"), downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down });
  }

  const asCandle = (one) => (one.close === undefined ? { time: one.time } : one);
  const asVolume = (one) => (one.close === undefined ? { time: one.time } : { time: one.time, value: one.volume, color: colours.volume });
  const asGap = (one) => (one.missing || one.void
    ? { time: one.time, value: 1, color: one.missing ? colours.missing : colours.void } : { time: one.time });

  /** Show points; revisions become marks on their candles. What the reader looks at stays where it is. */
  function show(found, revised) {
    const range = shown.length ? time.getVisibleRange() : null;
    shown = found;
    byTime = new Map(found.map((one) => [one.time, one]));
    const newest = found.filter((one) => one.close !== undefined).slice(-200);
    const precision = Math.min(8, Math.max(0, ...newest.map((one) => decimals(one.close))));
    candles.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
    gaps.setData(found.map(asGap));
    volume.setData(found.map(asVolume));
    candles.setData(found.map(asCandle));
    marks.setMarkers(revised.filter((at) => byTime.has(at)).map((at) => (
      { time: at, position: "aboveBar", shape: "circle", color: colours.accent, size: 0.7 })));
    showClose();
    if (range && found.length) time.setVisibleRange(range);
  }

  function showClose() {
    const last = shown.findLast((one) => one.close !== undefined);
    close.applyOptions({
      price: last?.close ?? 0, lineVisible: Boolean(last), axisLabelVisible: Boolean(last),
      color: last && last.close < last.open ? colours.down : colours.up, axisLabelTextColor: colours.paper,
    });
  }

  /** The newest candle, once more or as a new one. */
  function update(point) {
    const last = shown.at(-1);
    if (last && point.time < last.time) return;
    if (last?.time === point.time) shown[shown.length - 1] = point;
    else shown.push(point);
    byTime.set(point.time, point);
    gaps.update(asGap(point));
    volume.update(asVolume(point));
    candles.update(asCandle(point));
    showClose();
  }

  function zoom(factor) {
    time.applyOptions({ barSpacing: Math.max(0.2, Math.min(60, time.options().barSpacing * factor)) });
  }

  return {
    show, update, zoom,
    restyle: () => { style(); },
    pan: (bars) => time.scrollToPosition(time.scrollPosition() + bars, false),
    toEnd: () => time.scrollToRealTime(),
    newest: (bars) => time.setVisibleLogicalRange({ from: shown.length - bars, to: shown.length + 4 }),
    around: (at, bars) => {
      const place = shown.findIndex((one) => one.time >= at);
      if (place >= 0) time.setVisibleLogicalRange({ from: place - bars / 2, to: place + bars / 2 });
    },
    visible: () => {
      const range = time.getVisibleLogicalRange();
      return range ? shown.slice(Math.max(0, Math.floor(range.from)), Math.ceil(range.to) + 1) : [];
    },
  };
}

const decimals = (value) => (String(value).split(".")[1] ?? "").length;
