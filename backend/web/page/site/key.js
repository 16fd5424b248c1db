// The key, for services that want one: typed once, sent with every request, never part of an address.

import { key, setKey } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { t } from "./words.js";

let open = null;

/** Ask for a key; `reason` is the code of the refusal that made it necessary, "" for none. */
export function askForKey(reason) {
  if (open) return;
  const secret = h("input", {
    type: "password", name: "key", id: "key-field", autocomplete: "current-password", spellcheck: "false", required: true,
  });
  const kept = h("input", { type: "checkbox", id: "key-kept" });
  const forget = key() && h("button", { type: "button", onclick: () => leave("") }, t("key.forget"));
  const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); leave(secret.value.trim()); } },
    reason && h("p", { class: "wrong", role: "alert" }, t(`key.${reason}`)),
    h("p", { class: "far" }, t("key.about")),
    h("input", { type: "text", name: "username", autocomplete: "username", value: location.host, hidden: true }),
    h("label", { for: "key-field" }, t("key.field")), secret,
    h("label", { class: "check" }, kept, t("key.keep")),
    h("div", { class: "buttons" }, forget, h("button", { class: "main" }, t("key.use"))));
  open = openDialog(t("key.title"), form);
  open.addEventListener("close", () => { open = null; });
  secret.focus();

  function leave(value) {
    setKey(value, kept.checked);
    open.close();
    window.dispatchEvent(new Event("place"));
  }
}
