// What the overview shows, out of what the service tells. Pure.

import { nameOf } from "./strip.js";

/** The rows of the service, with what they are sorted and drawn by. */
export function rowsOf(series) {
  return series.map((one) => ({
    ...one, name: nameOf(one),
    first: one.first_record ? Date.parse(one.first_record) : null,
    last: one.last_record ? Date.parse(one.last_record) : null,
  }));
}

/** Words that a filter by state has, and whom it lets pass. */
export const STATES = {
  missing: (one) => one.missing_records > 0,
  trouble: (one) => one.state === "failing" || one.state === "behind",
  followed: (one) => one.state !== null,
  unfollowed: (one) => one.state === null,
};

export function filtered(rows, { text, market, state }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((one) => {
    const told = `${one.symbol} ${one.exchange} ${one.market}`.toLowerCase();
    return words.every((word) => told.includes(word))
      && (!market || market === `${one.exchange}:${one.market}`)
      && (!STATES[state] || STATES[state](one));
  });
}

const WORST_FIRST = { failing: 0, behind: 1, waiting: 2, live: 3, ended: 4, null: 5 };

const KEYS = {
  symbol: (one) => one.symbol,
  first: (one) => one.first ?? Infinity,
  last: (one) => one.last ?? 0,
  held: (one) => one.total_records,
  missing: (one) => one.missing_records,
  void: (one) => one.void_records,
  lag: (one) => WORST_FIRST[one.state] * 1e9 - (one.lag_minutes ?? 0),
  source: (one) => one.source ?? "",
  size: (one) => one.bytes_on_disk,
};

/** Ascending by a column, or descending with "-" before its name; equal ones by name. */
export function sorted(rows, sort) {
  const key = KEYS[sort.replace("-", "")] ?? KEYS.symbol;
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, two) => {
    const [a, b] = [key(one), key(two)];
    return (a < b ? -1 : a > b ? 1 : 0) * sign || (one.name < two.name ? -1 : 1);
  });
}

/** The same rows below a heading for each market. */
export function grouped(rows) {
  const groups = new Map();
  for (const one of rows) {
    const name = `${one.exchange} ${one.market}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups.entries()].sort().flatMap(([name, inside]) => [{ group: name, count: inside.length }, ...inside]);
}

export function totals(rows) {
  const sum = (name) => rows.reduce((total, one) => total + one[name], 0);
  return {
    series: rows.length, held: sum("total_records"), missing: sum("missing_records"), size: sum("bytes_on_disk"),
    incomplete: rows.filter(STATES.missing), failing: rows.filter((one) => one.state === "failing"),
    behind: rows.filter((one) => one.state === "behind"),
  };
}
