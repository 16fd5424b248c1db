// What the service is and what this reader may do: asked for once, and again when the key changes.

import { get, key } from "./api.js";
import { t } from "./words.js";

let known = null;
let under = null;

/** {version, markets, key, scopes}. */
export function about() {
  if (!known || under !== key()) {
    under = key();
    known = get("/api/about").catch((error) => { known = null; throw error; });
  }
  return known;
}

/** Whether buttons that change something are of use; null while nobody knows. */
export async function mayWrite() {
  return (await about()).scopes.includes("write");
}

/** Buttons that change something are off where the key may read only, and say why. */
export async function guardButtons(...buttons) {
  if (await mayWrite()) return;
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
