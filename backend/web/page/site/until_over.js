// A job, waited for.

import { get } from "./api.js";
import { pause } from "./live.js";

/** Ask for a job until it is over. */
export async function untilOver(id, signal) {
  for (;;) {
    const { job } = await get(`/api/jobs/${id}`, {}, signal);
    if (!["queued", "running"].includes(job.status)) return job;
    await pause(0.4, signal);
  }
}
