// A job, waited for.

import { get } from "./api.js";
import { isLive, onChange } from "./changes.js";
import { pause } from "./pause.js";

const ASKED_SECONDS = 0.4;
const TOLD_SECONDS = 10;

export const isOver = (job) => !["queued", "running"].includes(job.status);

/** The job when it is over: as changes tell, or by asking where they do not. */
export async function untilOver(id, signal) {
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  let told = null;
  onChange((name, job) => {
    if (name === "job" && job.id === id && isOver(job)) {
      told = job;
      end.abort();
    }
  }, until);
  try {
    while (!told) {
      const { job } = await get(`/api/jobs/${id}`, {}, signal);
      if (isOver(job)) return job;
      await pause(isLive() ? TOLD_SECONDS : ASKED_SECONDS, until);
      if (signal.aborted) throw signal.reason;
    }
    return told;
  } finally {
    end.abort();
  }
}
