// The only place that asks the service. What is wrong comes as an ApiError with the service's own sentence.

/** What stands before all addresses, such as "/candles"; often nothing. */
export const BASE = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
export const FILES = new URL(".", import.meta.url).pathname;

const SECONDS = 60;
const LARGEST_PAGE = 1000;

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Whether the service answers, and whether it wants a key: told to whoever listens for "service". */
export const state = { away: false, wantsKey: "" };

function tell(changes) {
  const before = JSON.stringify(state);
  Object.assign(state, changes);
  if (JSON.stringify(state) !== before) window.dispatchEvent(new Event("service"));
}

/** The key of this reader is a session from now on, or none any more: nothing needs to be typed. */
export function sessionChanged() {
  tell({ wantsKey: "" });
}

/** "/api/jobs" and {limit: 5} as an address; what is undefined is left out. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return BASE + path + (text ? `?${text}` : "");
}

/** Ask; the browser sends the session by itself. The answer as it comes. */
export async function ask(path, { method = "GET", query, body, headers, signal, patience = SECONDS } = {}) {
  const sent = { Accept: "application/json", ...headers };
  let content = body;
  if (body !== undefined && !(body instanceof Blob)) {
    sent["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  const limit = patience ? AbortSignal.timeout(patience * 1000) : undefined;
  const signals = [signal, limit].filter(Boolean);
  try {
    const answer = await fetch(address(path, query), {
      method, headers: sent, body: content, signal: AbortSignal.any(signals), credentials: "same-origin",
    });
    tell({ away: false });
    return answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    tell({ away: true });
    throw new ApiError(0, "unreachable", "");
  }
}

/** Ask for JSON; `{success: true, ...}` comes back, everything else is thrown. */
export async function call(path, options = {}) {
  const answer = await ask(path, options);
  let body;
  try {
    body = await answer.json();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(answer.status, "unreadable", `HTTP ${answer.status}`);
  }
  if (answer.ok || options.anyStatus) return body;
  throw refusal(answer.status, body?.error);
}

/** The error of an answer; a key that is needed or wrong is asked for. */
export function refusal(status, error) {
  const found = new ApiError(status, String(error?.code ?? status), String(error?.message ?? `HTTP ${status}`));
  if (status === 401 || found.code === "missing_scope") tell({ wantsKey: found.code });
  return found;
}

export const get = (path, query, signal) => call(path, { query, signal });
export const post = (path, body, signal) => call(path, { method: "POST", body, signal });
export const remove = (path, query, signal) => call(path, { method: "DELETE", query, signal });

/** All pages of a list that is told page by page, from `start` on. */
export async function whole(path, name, signal, start) {
  const found = [];
  do {
    const page = await get(path, { limit: LARGEST_PAGE, start }, signal);
    found.push(...page[name]);
    start = page.next;
  } while (start);
  return found;
}

/** Send a file, telling how far it is as a part of 1; the answer is as that of `call`. */
export function upload(path, query, file, progress, signal) {
  return new Promise((done, fail) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", address(path, query));
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    sending.onerror = () => {
      tell({ away: true });
      fail(new ApiError(0, "unreachable", ""));
    };
    sending.onload = () => {
      try {
        const body = JSON.parse(sending.responseText);
        if (body.success) done(body);
        else fail(refusal(sending.status, body.error));
      } catch {
        fail(new ApiError(sending.status, "unreadable", `HTTP ${sending.status}`));
      }
    };
    signal.addEventListener("abort", () => { sending.abort(); fail(signal.reason); }, { once: true });
    sending.send(file);
  });
}
