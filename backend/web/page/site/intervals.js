// Intervals, and where their buckets open: UTC, weeks on Monday, months on the 1st.

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const MONDAY = 4 * DAY;

export const STEPS = {
  "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
  "1h": 60 * MINUTE, "2h": 120 * MINUTE, "4h": 240 * MINUTE, "6h": 360 * MINUTE, "8h": 480 * MINUTE,
  "12h": 720 * MINUTE, "1d": DAY, "3d": 3 * DAY, "1w": 7 * DAY, "1M": 30 * DAY,
};

/** Where the bucket of a moment opens. */
export function opening(interval, moment) {
  if (interval === "1M") {
    const date = new Date(moment);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  }
  const anchor = interval === "1w" ? MONDAY : 0;
  return moment - ((moment - anchor) % STEPS[interval]);
}

/** How many buckets are read in one go: fewer where each takes many minutes to add up. */
export function pageSize(interval) {
  const step = STEPS[interval];
  if (step <= 30 * MINUTE) return 1000;
  if (step < DAY) return Math.max(240, Math.floor((60 * DAY) / step));
  return Math.max(24, Math.floor((400 * DAY) / step));
}
