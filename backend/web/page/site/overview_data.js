// What the overview shows, out of what the service tells. Pure.

import { nameOf } from "./strip.js";

/** One row a series: what is stored of it, and how its follow stands. Follows without a candle have one too. */
export function rowsOf(series, follows) {
  const standing = new Map(follows.map((one) => [one.series, one]));
  const rows = series.map((one) => {
    const name = nameOf(one);
    const follow = standing.get(name) ?? null;
    standing.delete(name);
    return row(name, one, follow);
  });
  const nothing = {
    first_record: null, last_record: null, total_records: 0, missing_records: 0, void_records: 0, bytes_on_disk: 0,
  };
  for (const [name, follow] of standing) rows.push(row(name, { ...nothing, ...only(follow) }, follow));
  return rows;
}

const only = ({ exchange, market, symbol }) => ({ exchange, market, symbol });

function row(name, one, follow) {
  return {
    name, ...one, follow,
    first: one.first_record ? Date.parse(one.first_record) : null,
    last: one.last_record ? Date.parse(one.last_record) : null,
    state: follow?.state ?? "none",
    lag: follow?.lag_seconds ?? null,
    source: follow?.source ?? "",
  };
}

/** Words that a filter by state has, and whom it lets pass. */
export const STATES = {
  missing: (one) => one.missing_records > 0,
  trouble: (one) => one.state === "failing" || one.state === "behind",
  followed: (one) => one.follow !== null,
  unfollowed: (one) => one.follow === null,
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

const WORST_FIRST = { failing: 0, behind: 1, waiting: 2, live: 3, ended: 4, none: 5 };

const KEYS = {
  symbol: (one) => one.symbol,
  first: (one) => one.first ?? Infinity,
  last: (one) => one.last ?? 0,
  held: (one) => one.total_records,
  missing: (one) => one.missing_records,
  void: (one) => one.void_records,
  lag: (one) => WORST_FIRST[one.state] * 1e9 - (one.lag ?? 0),
  source: (one) => one.source,
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
