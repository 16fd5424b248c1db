// What changes at the service, told once for all tabs of this browser: one of them listens and tells the others.

import { happening } from "./pause.js";
import { may } from "./session.js";
import { listen } from "./stream.js";

const FRESH_MS = 40_000;
const BEAT_MS = 5_000;
const NAME = new URL("changes", import.meta.url).pathname;

const channel = new BroadcastChannel(NAME);
const hearers = new Set();
/** Browsers let tabs agree on one that listens only where nobody can listen in: with TLS, or on this machine. */
const isAlone = !navigator.locks;
let heard = -Infinity;
let beaten = -Infinity;
let leads = false;
let id = "";

/** Whether changes are told. Where they are not, whoever wants to know has to ask. */
export const isLive = () => performance.now() - heard < FRESH_MS;

/**
 * Tell `hear(name, data)` what changes until `signal` ends: "job", "series", "follow", "health" as the service has
 * them. After "begin" that was not resumed, and after "lost", something may have been missed.
 */
export function onChange(hear, signal) {
  hearers.add(hear);
  signal.addEventListener("abort", () => hearers.delete(hear), { once: true });
}

/** Listen from now on, or hear from the tab that does. */
export function start() {
  if (isAlone) {
    lead();
    return;
  }
  channel.addEventListener("message", ({ data }) => (data.name === "who" ? answer() : take(data)));
  channel.postMessage({ name: "who" });
  navigator.locks.request(NAME, lead);
}

function answer() {
  if (leads && isLive()) channel.postMessage({ name: "beat" });
}

function take({ name, data, at }) {
  heard = name === "lost" ? -Infinity : performance.now();
  if (at) id = at;
  if (name !== "beat") for (const hear of hearers) hear(name, data);
}

function tell(message) {
  take(message);
  if (!isAlone) channel.postMessage(message);
}

function beat() {
  heard = performance.now();
  if (heard - beaten < BEAT_MS) return;
  beaten = heard;
  tell({ name: "beat" });
}

async function lead() {
  leads = true;
  for (;;) {
    await sight();
    if (!(await may("read").catch(() => true))) await happening("session");
    await listen("/api/changes", {}, (name, data, at) => tell({ name, data, at }), over(), {
      id, beat, lost: () => tell({ name: "lost" }),
    });
  }
}

/** Ends when this reader becomes another one; where tabs cannot share, also when nobody sees this one. */
function over() {
  const end = new AbortController();
  window.addEventListener("session", () => end.abort(), { once: true, signal: end.signal });
  if (isAlone) document.addEventListener("visibilitychange", () => document.hidden && end.abort(), { signal: end.signal });
  return end.signal;
}

async function sight() {
  while (isAlone && document.hidden) await happening("visibilitychange", undefined, document);
}
