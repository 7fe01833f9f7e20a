import type { Logger } from '@wrapup/telemetry';
import type { Refusal } from './refusal.ts';

export interface RefusalLog {
  note(route: string, source: string, refusal: Refusal): void;
}

/** Between two lines about the same thing, in ms. */
const EVERY = 1_000;

/**
 * Logs refusals, of each kind at most one line a second with the number of those left out: neither an outage nor a
 * stranger who knocks all day may fill the disk. Every one is in the metrics.
 */
export function logRefusals(log: Logger): RefusalLog {
  const last = new Map<string, { at: number; left_out: number }>();
  return {
    note(route, source, refusal) {
      const key = `${route} ${source} ${refusal.code}`;
      const now = performance.now();
      const before = last.get(key);
      if (before && now - before.at < EVERY) {
        before.left_out += 1;
        return;
      }
      last.set(key, { at: now, left_out: 0 });
      const fields = {
        route,
        ...(source && { source }),
        code: refusal.code,
        status: refusal.status,
        ...(before?.left_out && { left_out: before.left_out }),
        ...(refusal.cause instanceof Error && { err: refusal.cause }),
      };
      if (refusal.status === 500) log.error(fields, refusal.message);
      else log.warn(fields, refusal.message);
    },
  };
}
