// Figures that the service tells Prometheus, for people. Pure.

const LINE = /^([a-z_]+)(?:\{([^}]*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** {name: [{labels, value}]} of Prometheus' text. */
export function figures(text) {
  const found = {};
  for (const line of text.split("\n")) {
    const parts = line.startsWith("#") ? null : LINE.exec(line);
    if (!parts) continue;
    const labels = Object.fromEntries([...(parts[2] ?? "").matchAll(LABEL)].map((one) => [one[1], one[2]]));
    (found[parts[1]] ??= []).push({ labels, value: Number(parts[3]) });
  }
  return found;
}

/** The value of a figure without labels. */
export const single = (found, name) => found[name]?.[0]?.value ?? null;

/** The sum of a figure over all labels but some. */
export function sums(found, name, label) {
  const totals = new Map();
  for (const { labels, value } of found[name] ?? []) totals.set(labels[label], (totals.get(labels[label]) ?? 0) + value);
  return totals;
}
