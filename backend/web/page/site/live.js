// Things that go on: asking again while somebody looks, when something changed; and waiting.

import { isLive, onChange } from "./changes.js";
import { happening, pause } from "./pause.js";

const AS_OFTEN = 5;
/** So many times as often as without changes is something asked for, at most. */

/** Resolves when the page can be seen, or `signal` ends. */
function seen(signal) {
  return document.hidden ? happening("visibilitychange", signal, document) : Promise.resolve();
}

/**
 * Do `task` now and again and again, for as long as `signal` and the reader's eye are on it. A task returns the
 * seconds until the next time; after an error, which `failed` is told, it is tried again later and later.
 * With `wakes(name, data)`, which says whether a change is a reason, it is done when there is one, and after seconds
 * only while changes are not told. Gives a function that does it at once.
 */
export function again(task, signal, { failed = () => {}, wakes = null } = {}) {
  let asked = new AbortController();
  let changed = new AbortController();
  if (wakes) onChange(hear, signal);

  function hear(name, data) {
    if (wakes(name, data) || name === "lost" || (name === "begin" && !data.resumed)) changed.abort();
  }

  async function rest(seconds) {
    await pause(wakes ? seconds / AS_OFTEN : seconds, AbortSignal.any([signal, asked.signal]));
    const end = performance.now() + seconds * 1000;
    const any = AbortSignal.any([signal, asked.signal, changed.signal]);
    while (wakes && !any.aborted && (isLive() || performance.now() < end)) await pause(1, any);
  }

  async function go() {
    let failures = 0;
    while (!signal.aborted) {
      await seen(signal);
      if (signal.aborted) return;
      [asked, changed] = [new AbortController(), new AbortController()];
      try {
        const seconds = await task();
        failures = 0;
        await rest(seconds);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        failed(error);
        if (error.status === 401) await happening("session", signal);
        await pause(Math.min(1.5 ** failures, 20), AbortSignal.any([signal, asked.signal]));
      }
    }
  }

  go();
  return () => asked.abort();
}
