// Elements out of plain calls. Text from outside is only ever text: nothing here takes markup.

const AS_PROPERTY = new Set(["value", "checked", "disabled", "indeterminate", "hidden", "tabIndex"]);

/** h("a", {href, class, onclick}, "text", otherElement): an element with its children. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  put(element, ...children);
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "class") element.className = value;
  else if (AS_PROPERTY.has(name)) element[name] = value;
  else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
}

/** Replace what is in `element` by `children`; what is null or false is left out. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/** Change a text only where it differs, so that screen readers and selections are left in peace. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SHAPES = {
  overview: "M4 6h16M4 12h16M4 18h10",
  jobs: "M12 7v5l3 2M12 3a9 9 0 1 0 9 9",
  add: "M12 5v14M5 12h14",
  import: "M12 4v11m-4-4 4 4 4-4M5 20h14",
  system: "M4 7h10m4 0h2M4 17h4m4 0h8M16 5v4M10 15v4",
  search: "M11 5a6 6 0 1 0 0 12a6 6 0 0 0 0-12m4.5 10.5L20 20",
  close: "M6 6l12 12M18 6L6 18",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  key: "M14 10a4 4 0 1 0-3.5 4L13 16.5h2V19h2.5v-2.5L14 13z",
  sync: "M5 12a7 7 0 0 1 12-5l2 2M19 4v5h-5M19 12a7 7 0 0 1-12 5l-2-2M5 20v-5h5",
  keys: "M4 7h16v10H4zM8 14h8M7 10.5h.01M11 10.5h.01M15 10.5h.01",
};

/** A drawing of ours, which says nothing to screen readers. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A colour of the style sheet as canvases want it. */
export function colour(name) {
  const probe = document.getElementById("probe") ?? document.body.appendChild(h("i", { id: "probe", hidden: true }));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** Size a canvas to its place in real pixels; gives its context, scaled to CSS pixels. */
export function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Call `task` whenever the theme changes, until `signal` ends. */
export function onTheme(task, signal) {
  window.addEventListener("theme", task, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", task, { signal });
}

/** A screen shows what it was opened for: nobody need wait any longer. */
export function settled() {
  document.getElementById("main")?.removeAttribute("aria-busy");
}

/** Tell screen readers something that just happened. */
export function announce(text) {
  const place = document.getElementById("spoken");
  if (place) place.textContent = text;
}
