// Light, dark, or what the system says.

const NEXT = { system: "light", light: "dark", dark: "system" };

const chosen = () => localStorage.getItem("theme") ?? "system";

/** The message that names the theme. */
export const themeName = () => `theme.${chosen()}`;

export function setTheme(name) {
  if (name === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", name);
    document.documentElement.dataset.theme = name;
  }
  window.dispatchEvent(new Event("theme"));
}

/** Take the next theme; gives the message that names it. */
export function nextTheme() {
  setTheme(NEXT[chosen()] ?? "system");
  return themeName();
}
