// The key, for services that want one: typed once, sent once, and never kept by the page.

import { openDialog } from "./dialogs.js";
import { h, say } from "./dom.js";
import { begin, end, session, told } from "./session.js";
import { t } from "./words.js";

const KNOWN = ["invalid_key", "too_many_attempts"];
let open = null;

/** Ask for a key; `reason` is the code of the refusal that made it necessary, "" for none. */
export async function askForKey(reason) {
  if (open) return;
  const secret = h("input", {
    type: "password", name: "key", id: "key-field", autocomplete: "current-password", spellcheck: "false", required: true,
  });
  const kept = h("input", { type: "checkbox", id: "key-kept" });
  const wrong = h("p", { class: reason === "missing_key" ? "" : "wrong", role: "alert" }, reason && t(`key.${reason}`));
  const forget = h("button", { type: "button", hidden: true, onclick: () => leave(end()) }, t("key.forget"));
  const use = h("button", { class: "main" }, t("key.use"));
  const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); leave(begin(secret.value.trim(), kept.checked)); } },
    wrong,
    h("p", { class: "far" }, t("key.about")),
    h("input", { type: "text", name: "username", autocomplete: "username", value: location.host, hidden: true }),
    h("label", { for: "key-field" }, t("key.field")), secret,
    h("label", { class: "check" }, kept, t("key.keep")),
    h("div", { class: "buttons" }, forget, use));
  const dialog = open = openDialog(t("key.title"), form);
  const closed = new AbortController();
  dialog.addEventListener("close", left);
  window.addEventListener("session", left, { signal: closed.signal });
  secret.focus();
  forget.hidden = (await session().catch(() => null))?.until == null;

  /** A tab that nobody sees is told of its dialog's end only when somebody does: so nothing waits for that. */
  function left() {
    closed.abort();
    dialog.remove();
    if (open === dialog) open = null;
  }

  async function leave(asked) {
    use.disabled = forget.disabled = true;
    say(wrong, "");
    try {
      await asked;
    } catch (error) {
      wrong.className = "wrong";
      say(wrong, KNOWN.includes(error.code) ? t(`key.${error.code}`) : told(error));
      secret.select();
    } finally {
      use.disabled = forget.disabled = false;
    }
  }
}
