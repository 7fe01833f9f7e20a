import type { Context, RequestReport } from '../port/context.ts';

export interface RequestTimer {
  /** It has waited for its share of the quota, and goes out now. */
  sent(): void;
  /** Its whole answer is there. */
  answered(): void;
  /** Counts and logs what came of it, once. @param status of the answer, where one came @param retry_after ms that it asks to wait */
  note(result: RequestReport['result'], status?: number, retry_after?: number): void;
}

/**
 * Times one request from now, when it begins to wait for its share of the quota.
 * @param request what it does, without personal data
 * @param whom it asks, for the log: `HubSpot`
 */
export function timeRequest({ log, count, calls }: Context, request: string, whom: string): RequestTimer {
  const began = performance.now();
  let sentAt: number | undefined;
  let endedAt: number | undefined;
  return {
    sent() {
      sentAt = performance.now();
    },
    answered() {
      endedAt = performance.now();
    },
    note(result, status, retry_after) {
      const now = performance.now();
      const waited = (sentAt ?? now) - began;
      const took = sentAt === undefined ? undefined : (endedAt ?? now) - sentAt;
      const answer = {
        ...(status !== undefined && { status }),
        ...(retry_after !== undefined && { retry_after }),
      };
      count?.({ name: request, result, waited, ...(took !== undefined && { took }), ...answer });
      const times = { waited_ms: Math.round(waited), ...(took !== undefined && { ms: Math.round(took) }) };
      log.debug(
        { request, ...(calls && { calls }), result, ...answer, ...times },
        took === undefined ? `did not ask ${whom}` : `asked ${whom}`,
      );
    },
  };
}
