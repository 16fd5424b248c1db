// Addresses: each screen has its own, and the browser's back and forward work.

import { BASE } from "./api.js";

const ROOT = `${BASE}/ui/`;

/** The address of a screen: link("s", "binance", "spot", "BTCUSDT"). */
export const link = (...parts) => ROOT + parts.map(encodeURIComponent).join("/");
export const seriesLink = (one) => link("s", one.exchange, one.market, one.symbol);

/** Where the page is: the parts of the path, and the query. */
export function place() {
  const path = location.pathname.startsWith(ROOT) ? location.pathname.slice(ROOT.length) : "";
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(location.search) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function go(address) {
  history.pushState(null, "", address);
  window.dispatchEvent(new Event("place"));
}

/** Keep something of the screen in its address, without a step in the history. */
export function remember(values) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

/** Have links of ours lead to screens without loading the page anew. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const found = event.target instanceof Element && event.target.closest("a[href]");
    if (!found || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (found.origin !== location.origin || !found.pathname.startsWith(ROOT)) return;
    if (found.hasAttribute("download") || found.target) return;
    event.preventDefault();
    go(found.href);
  });
  window.addEventListener("popstate", () => window.dispatchEvent(new Event("place")));
}
