// Dialogs: the browser's own, so that focus, Escape and screen readers are right by themselves.

import { h, icon } from "./dom.js";
import { t } from "./words.js";

/** Show a dialog with a title; gives the element, which leaves the page when it is closed. */
export function openDialog(title, ...children) {
  const heading = h("h2", { id: `dialog-${crypto.getRandomValues(new Uint32Array(1))[0]}` }, title);
  const dialog = h("dialog", { "aria-labelledby": heading.id },
    h("header", null, heading,
      h("button", { type: "button", class: "bare", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close"))),
    ...children);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask whether to go on; resolves to true only for the button that says so. */
export function confirmed(title, text, yes) {
  return new Promise((answer) => {
    let said = false;
    const dialog = openDialog(title, h("p", null, text), h("div", { class: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")),
      h("button", { type: "button", class: "danger", onclick: () => { said = true; dialog.close(); } }, yes)));
    dialog.addEventListener("close", () => answer(said));
  });
}
