// Waiting.

/** Resolves after so many seconds, or at once when `signal` ends. */
export function pause(seconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });
}

/** Resolves when `name` happens at `target`, or when `signal` ends. */
export function happening(name, signal, target = window) {
  return new Promise((done) => {
    target.addEventListener(name, done, { once: true, signal });
    signal?.addEventListener("abort", done, { once: true });
  });
}
