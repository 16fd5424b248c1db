// Numbers, times and sizes as people of each language read them.

import { language } from "./words.js";

const kept = new Map();

function made(kind, options) {
  const name = language() + kind.name + JSON.stringify(options);
  if (!kept.has(name)) kept.set(name, new kind(language(), options));
  return kept.get(name);
}

export const count = (value) => made(Intl.NumberFormat, {}).format(value);
export const percent = (part) =>
  made(Intl.NumberFormat, { style: "percent", maximumFractionDigits: 2 }).format(floor(part));

/** What is nearly all is never shown as all. */
const floor = (part) => (part < 1 ? Math.min(part, 0.9999) : 1);

/** 1,234,567 as "1.2M". */
export const short = (value) =>
  made(Intl.NumberFormat, { notation: "compact", maximumFractionDigits: 1 }).format(value);

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export function bytes(value) {
  const power = value < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  return made(Intl.NumberFormat, {
    style: "unit", unit: UNITS[power], unitDisplay: "narrow", maximumFractionDigits: power < 2 ? 0 : 1,
  }).format(value / 1000 ** power);
}

/** A stretch of seconds in its largest unit, or two: "3 min", "2 h 5 min", "4 d". */
export function duration(seconds) {
  const unit = (value, name) =>
    made(Intl.NumberFormat, { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0 }).format(value);
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return unit(whole, "second");
  if (whole < 3600) return unit(Math.floor(whole / 60), "minute");
  if (whole < 86400) {
    const minutes = Math.floor((whole % 3600) / 60);
    return unit(Math.floor(whole / 3600), "hour") + (minutes ? ` ${unit(minutes, "minute")}` : "");
  }
  return unit(Math.floor(whole / 86400), "day");
}

/** The time zone that times are shown in. */
export function zone() {
  return localStorage.getItem("zone") || "UTC";
}

export function setZone(name) {
  localStorage.setItem("zone", name);
}

/** The zones to choose from: UTC, this machine's, and where many of us are. */
export function zones() {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set(["UTC", here, "Asia/Seoul", "Europe/Madrid", "America/Mexico_City", "America/New_York"])];
}

const DAY = { year: "numeric", month: "short", day: "numeric" };
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export const day = (moment) => made(Intl.DateTimeFormat, { ...DAY, timeZone: zone() }).format(moment);
export const utcDay = (moment) => made(Intl.DateTimeFormat, { ...DAY, timeZone: "UTC" }).format(moment);
export const clock = (moment) => made(Intl.DateTimeFormat, { ...CLOCK, timeZone: zone() }).format(moment);
export const utcClock = (moment) => made(Intl.DateTimeFormat, { ...CLOCK, timeZone: "UTC" }).format(moment);
export const time = (moment) => made(Intl.DateTimeFormat, { ...DAY, ...CLOCK, timeZone: zone() }).format(moment);
export const parts = (moment, options) => made(Intl.DateTimeFormat, { ...options, timeZone: zone() }).format(moment);

/** "3 minutes ago", "in 2 days". */
export function ago(moment, now = Date.now()) {
  const seconds = (moment - now) / 1000;
  const steps = [["second", 60], ["minute", 60], ["hour", 24], ["day", 365], ["year", Infinity]];
  let value = seconds;
  for (const [unit, most] of steps) {
    if (Math.abs(value) < most) {
      return made(Intl.RelativeTimeFormat, { numeric: "auto" }).format(Math.round(value), unit);
    }
    value /= most;
  }
  return "";
}

/** The same of what is over, also where our clock is behind the one that dated it. */
export const past = (moment) => ago(Math.min(moment, Date.now()));

/** A price with the decimals that it needs. */
export function price(value) {
  const size = Math.abs(value);
  const digits = size >= 1000 ? 2 : size >= 1 ? 4 : 8;
  return made(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);
}

/** A text as one word of a shell. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
