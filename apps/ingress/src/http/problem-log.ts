import { type Logger, LogThrottle } from '@wrapup/telemetry';
import type { HttpProblem } from './http-problem.ts';

export interface ProblemLog {
  note(route: string, source: string, problem: HttpProblem): void;
}

/**
 * Logs problems, at most one line a second of each kind, so that neither an outage nor an attack fills the disk. Metrics
 * count every one.
 */
export function logProblems(log: Logger): ProblemLog {
  const throttle = new LogThrottle(1_000);
  return {
    note(route, source, problem) {
      const left_out = throttle.admit(`${route} ${source} ${problem.code}`);
      if (left_out === undefined) return;
      const fields = {
        route,
        ...(source && { source }),
        code: problem.code,
        status: problem.status,
        ...(left_out > 0 && { left_out }),
        ...(problem.cause instanceof Error && { err: problem.cause }),
      };
      if (problem.status === 500) log.error(fields, problem.message);
      else log.warn(fields, problem.message);
    },
  };
}
