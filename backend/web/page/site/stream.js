// Server-sent events, resumed where they broke off; a refusal is told with its reason, which a browser's own
// EventSource does not give.

import { ask, refusal, state } from "./api.js";
import { happening, pause } from "./pause.js";

/** The service gives a sign of life every 15 seconds: where none comes, something between holds the stream back. */
const SILENT_MS = 40_000;
const QUIET = { forming_unavailable: "forming", invalid_last_event_id: "id" };

/**
 * Tell `hear(event, data, id)` what `path` streams until `signal` ends. A connection that breaks is made again and goes
 * on after the last event. What the service cannot give (forming candles where nothing is pushed) is left out.
 * It begins after the event `id`; `beat` is called for every sign of life, `lost` when there are none any more.
 */
export async function listen(path, query, hear, signal, { id = "", beat = () => {}, lost = () => {} } = {}) {
  const wanted = { ...query };
  let failures = 0;
  let isLocked = false;
  while (!signal.aborted) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENT_MS);
    try {
      const headers = { Accept: "text/event-stream", ...(id && { "Last-Event-ID": id }) };
      const answer = await ask(path, {
        query: wanted, headers, signal: AbortSignal.any([signal, silence.signal]), patience: 0,
      });
      if (!answer.ok) throw refusal(answer.status, (await answer.json()).error);
      failures = 0;
      await read(answer.body, () => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENT_MS);
        beat();
      }, (event) => {
        if (event.id) id = event.id;
        if (event.data) hear(event.name, JSON.parse(event.data), event.id);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (QUIET[error.code] === "forming" && wanted.forming) {
        delete wanted.forming;
        continue;
      }
      if (QUIET[error.code] === "id") id = "";
      failures += 1;
      isLocked = error.status === 401;
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    lost();
    if (isLocked) await happening("session", signal);
    isLocked = false;
    await pause(Math.min(1.5 ** failures, 20), AbortSignal.any([signal, back()]));
  }
}

/** Ends when the service answers again after it did not. */
function back() {
  const end = new AbortController();
  window.addEventListener("service", () => { if (!state.away) end.abort(); }, { signal: end.signal });
  return end.signal;
}

async function read(body, beat, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    beat();
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) take(eventOf(part));
  }
}

function eventOf(text) {
  const event = { name: "message", id: "", data: "" };
  for (const line of text.split("\n")) {
    const at = line.indexOf(": ");
    const [field, value] = [line.slice(0, at), line.slice(at + 2)];
    if (field === "event") event.name = value;
    else if (field === "id") event.id = value;
    else if (field === "data") event.data += value;
  }
  return event;
}
