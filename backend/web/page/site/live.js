// Things that go on: asking again and again while somebody looks, and waiting.

/** Resolves after so many seconds, or at once when `signal` ends. */
export function pause(seconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });
}

/** Resolves when the page can be seen, or `signal` ends. */
function seen(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((done) => {
    document.addEventListener("visibilitychange", done, { once: true, signal });
    signal.addEventListener("abort", done, { once: true });
  });
}

/**
 * Do `task` now and again and again, for as long as `signal` and the reader's eye are on it. A task returns the
 * seconds until the next time; after an error, which `failed` is told, it is tried again later and later.
 * Gives a function that does it at once.
 */
export function again(task, signal, failed = () => {}) {
  let wake = new AbortController();
  const go = async () => {
    let failures = 0;
    while (!signal.aborted) {
      await seen(signal);
      if (signal.aborted) return;
      let seconds;
      try {
        seconds = await task();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        seconds = Math.min(1.5 ** failures, 20);
        failed(error);
      }
      wake = new AbortController();
      await pause(seconds, AbortSignal.any([signal, wake.signal]));
    }
  };
  go();
  return () => wake.abort();
}
