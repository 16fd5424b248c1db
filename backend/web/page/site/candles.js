// Candles of a stretch of time, with every bucket that was asked for: also those that are missing or void.

import { get } from "./api.js";
import { opening, pageSize, STEPS } from "./intervals.js";

const FIELDS = "open_time,open,high,low,close,volume";
const MOST_REVISIONS = 1000;

/** One contiguous stretch of buckets, which grows to both sides. */
export class Candles {
  /** `series` has exchange, market and symbol; `bounds` are the first and the last moment that there can be. */
  constructor(series, interval, bounds, signal) {
    Object.assign(this, { series, interval, bounds, signal });
    this.step = STEPS[interval];
    this.clear();
  }

  clear() {
    this.points = [];
    this.revisions = [];
    this.from = this.until = null;
    this.reading = null;
  }

  get isAtEnd() {
    return this.until !== null && this.until > this.bounds.last;
  }

  /** Read the page that ends with, or is around, a moment. */
  async begin(moment = null) {
    this.clear();
    const length = pageSize(this.interval) * this.step;
    const end = moment === null ? this.bounds.last + 1 : Math.min(this.bounds.last + 1, moment + length / 2);
    const from = opening(this.interval, Math.max(this.bounds.first, end - length));
    await this.add(from, end);
  }

  /** Read one page more before what is there; whether there was one. */
  earlier() {
    if (this.from === null || this.from <= this.bounds.first || this.reading) return false;
    const length = pageSize(this.interval) * this.step;
    return this.add(opening(this.interval, Math.max(this.bounds.first, this.from - length)), this.from);
  }

  later() {
    if (this.until === null || this.isAtEnd || this.reading) return false;
    return this.add(this.until, Math.min(this.bounds.last + 1, this.until + pageSize(this.interval) * this.step));
  }

  /** Read the newest buckets again, from `moment` on. */
  renew(moment) {
    return this.add(opening(this.interval, moment), this.bounds.last + 1);
  }

  async add(from, end) {
    if (this.reading) await this.reading;
    const done = this.read(from, end);
    this.reading = done.catch(() => {});
    try {
      const { points, revisions } = await done;
      const [first, after] = [from / 1000, end / 1000];
      this.points = [
        ...this.points.filter((one) => one.time < first), ...points, ...this.points.filter((one) => one.time >= after),
      ];
      this.revisions = [
        ...this.revisions.filter((one) => one.open_time < from || one.open_time >= end), ...revisions,
      ].sort((one, two) => one.open_time - two.open_time);
      this.from = Math.min(this.from ?? from, from);
      this.until = Math.max(this.until ?? end, end);
      return true;
    } finally {
      this.reading = null;
    }
  }

  async read(from, end) {
    const { symbol, exchange, market } = this.series;
    const range = { exchange, market, start_time: from, end_time: end - 1 };
    const whole = this.interval === "1m" ? "" : ",minutes,expected_minutes";
    const path = encodeURIComponent(symbol);
    const [columns, buckets, changed] = await Promise.all([
      get(`/api/data/${path}`, { ...range, interval: this.interval, format: "columns", fields: FIELDS + whole, forming: true }, this.signal),
      get(`/api/map/${path}`, { ...range, end_time: after(this.interval, end) - 1, interval: this.interval }, this.signal),
      get(`/api/revisions/${path}`, { ...range, end_time: after(this.interval, end) - 1, limit: MOST_REVISIONS }, this.signal),
    ]);
    return { points: merged(columns, buckets), revisions: changed.revisions };
  }
}

/** The end of the bucket that a stretch ends in. */
const after = (interval, end) => opening(interval, end - 1) + STEPS[interval];

/** A point for each bucket: a candle, or none; and how many of its minutes are missing or void. */
export function merged(columns, buckets) {
  const points = new Map();
  buckets.open_time.forEach((open, place) => {
    const gone = buckets.no_data[place] + buckets.contradictory[place];
    if (buckets.held[place] || buckets.missing[place] || gone) {
      points.set(open, { time: open / 1000, missing: buckets.missing[place], void: gone });
    }
  });
  columns.open_time.forEach((open, place) => {
    const point = points.get(open) ?? { time: open / 1000, missing: 0, void: 0 };
    for (const name of ["open", "high", "low", "close", "volume"]) point[name] = columns[name][place];
    if (columns.minutes) {
      point.minutes = columns.minutes[place];
      point.expected = columns.expected_minutes[place];
    }
    points.set(open, point);
  });
  return [...points.values()].sort((one, two) => one.time - two.time);
}
