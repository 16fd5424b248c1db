// What the page says, in the reader's language. A message is a text with {names}, or its plural forms.

import { EN } from "./words_en.js";
import { ES } from "./words_es.js";
import { KO } from "./words_ko.js";

export const LANGUAGES = { en: EN, es: ES, ko: KO };

let chosen = "en";
let numbers = new Intl.NumberFormat(chosen);
let plurals = new Intl.PluralRules(chosen);

/** The languages that there are. */
export const languages = () => Object.keys(LANGUAGES);
export const language = () => chosen;

/** Take the language that was chosen here, or the first of the browser's that we speak. */
export function chooseLanguage() {
  const wanted = [localStorage.getItem("language") ?? "", ...navigator.languages].map((one) => one.slice(0, 2));
  chosen = wanted.find((one) => one in LANGUAGES) ?? "en";
  numbers = new Intl.NumberFormat(chosen);
  plurals = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen;
}

/** Take another language from now on. */
export function setLanguage(name) {
  localStorage.setItem("language", name);
  chooseLanguage();
  window.dispatchEvent(new Event("language"));
}

/** The message `name` with its values filled in; `count` chooses the plural form. */
export function t(name, values = {}) {
  let message = LANGUAGES[chosen][name] ?? EN[name] ?? name;
  if (typeof message !== "string") {
    message = message[plurals.select(values.count)] ?? message.other;
  }
  return message.replaceAll(/\{([a-z]+)\}/g, (_, one) => {
    const value = values[one] ?? "";
    return typeof value === "number" ? numbers.format(value) : String(value);
  });
}
