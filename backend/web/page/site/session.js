// Who this reader is to the service, and what he may do: asked for once, and again when that changes.

import { get, post, remove, sessionChanged } from "./api.js";
import { t } from "./words.js";

const channel = new BroadcastChannel(new URL("session", import.meta.url).pathname);
let who = null;
let known = null;

channel.addEventListener("message", changed);

function changed() {
  forget();
  sessionChanged();
  window.dispatchEvent(new Event("session"));
}

/** Ask anew at the next time: the service says that something is not as it was. */
export function forget() {
  who = known = null;
}

/** {key, scopes, until}: the name of the key, null for none. */
export function session() {
  who ??= get("/api/session").catch((error) => { who = null; throw error; });
  return who;
}

/** Have a key stand for this browser: until it is closed, or for as long as the service says where it is `kept`. */
export const begin = (key, kept) => now(post("/api/session", { key, keep: kept }));
export const end = () => now(remove("/api/session"));

async function now(asked) {
  await asked;
  channel.postMessage("");
  changed();
}

/** {version, markets, key, scopes}. */
export function about() {
  known ??= get("/api/about").catch((error) => { known = null; throw error; });
  return known;
}

/** Whether this reader may "read", or "write". */
export async function may(scope) {
  return (await session()).scopes.includes(scope);
}

/** Buttons that change something are off where the key may read only, and say why. */
export async function guardButtons(...buttons) {
  if (await may("write")) return;
  for (const button of buttons) {
    button.disabled = true;
    button.title = t("key.missing_scope");
  }
}

/** What went wrong, in a sentence. */
export function told(error) {
  if (error.code === "unreachable") return t("error.unreachable");
  return error.message;
}
