import { setTimeout as sleep } from 'node:timers/promises';
import { clientAddress, type Logger } from '@wrapup/telemetry';
import type { Request, Response } from 'express';

/** Name of whom the request comes from, for the log and the ledger. */
export function operatorOf(response: Response): string {
  return response.locals.identity?.principal.name ?? 'local user';
}

/**
 * Logs one line for what an operator did: user, address and action. `fields` hold no personal data of callers.
 */
export function noteAction(
  log: Logger,
  request: Request,
  response: Response,
  fields: { action: string } & Record<string, unknown>,
): void {
  const { action, ...rest } = fields;
  const { scope } = response.locals;
  const client = scope?.client === undefined ? {} : { client: scope.client };
  log.info(
    { action, user: operatorOf(response), address: clientAddress(request), ...client, ...rest },
    'an operator acted',
  );
}

/** Milliseconds that an answer waits for an action on many calls: a short one is done by then, a long one goes on behind it. */
const WITHIN_MS = 1_500;

/** What the work came to, or `late` when it takes longer than an answer should. */
export function orLate<Result>(work: Promise<Result>): Promise<Result | 'late'> {
  return Promise.race([work, sleep(WITHIN_MS, 'late' as const, { ref: false })]);
}
