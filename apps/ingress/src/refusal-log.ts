import { type Logger, LogThrottle } from '@wrapup/telemetry';
import type { Refusal } from './refusal.ts';

export interface RefusalLog {
  note(route: string, source: string, refusal: Refusal): void;
}

/**
 * Logs refusals, of each kind at most one line a second: neither an outage nor a stranger who knocks all day may fill
 * the disk. Every one is in the metrics.
 */
export function logRefusals(log: Logger): RefusalLog {
  const throttle = new LogThrottle(1_000);
  return {
    note(route, source, refusal) {
      const left_out = throttle.admit(`${route} ${source} ${refusal.code}`);
      if (left_out === undefined) return;
      const fields = {
        route,
        ...(source && { source }),
        code: refusal.code,
        status: refusal.status,
        ...(left_out > 0 && { left_out }),
        ...(refusal.cause instanceof Error && { err: refusal.cause }),
      };
      if (refusal.status === 500) log.error(fields, refusal.message);
      else log.warn(fields, refusal.message);
    },
  };
}
