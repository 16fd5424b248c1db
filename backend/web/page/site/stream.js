// Server-sent events with a key, which a browser's own EventSource cannot send; resumed where they broke off.

import { ask, refusal } from "./api.js";
import { pause } from "./live.js";

const QUIET = { forming_unavailable: "forming", invalid_last_event_id: "id" };

/**
 * Tell `hear(event, data)` what `path` streams until `signal` ends. A connection that breaks is made again and goes
 * on after the last event. What the service cannot give (forming candles where nothing is pushed) is left out.
 */
export async function listen(path, query, hear, signal) {
  const wanted = { ...query };
  let id = "";
  let failures = 0;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", ...(id && { "Last-Event-ID": id }) };
      const answer = await ask(path, { query: wanted, headers, signal, patience: 0 });
      if (!answer.ok) throw refusal(answer.status, (await answer.json()).error);
      failures = 0;
      await read(answer.body, (event) => {
        if (event.id) id = event.id;
        if (event.data) hear(event.name, JSON.parse(event.data));
      });
    } catch (error) {
      if (signal.aborted) return;
      if (QUIET[error.code] === "forming" && wanted.forming) {
        delete wanted.forming;
        continue;
      }
      if (QUIET[error.code] === "id") id = "";
      failures += 1;
    }
    await pause(Math.min(1.5 ** failures, 20), signal);
  }
}

async function read(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
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
