import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditedAction, AuditedOperator, Store } from '@wrapup/queue';
import { clientAddress, type Logger } from '@wrapup/telemetry';
import type { Request, Response } from 'express';
import { ask } from '../queries/ask-redis.ts';

/** Whom the request comes from, for ledger and audit. */
export function operatorOf(request: Request, response: Response): AuditedOperator {
  const { name = 'local user', client } = response.locals.identity?.principal ?? {};
  const from = clientAddress(request) ?? '';
  return { name, via: 'dashboard', from, ...(client === undefined ? {} : { client }) };
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
    { action, user: operatorOf(request, response).name, address: clientAddress(request), ...client, ...rest },
    'an operator acted',
  );
}

/**
 * Notes a look into a CRM or a payload, in the audit and in the log, before it is taken. @throws Unavailable when it cannot be noted: it is
 * not taken then
 */
export async function noteLook(
  { store, log }: { store: Store; log: Logger },
  request: Request,
  response: Response,
  what: Omit<AuditedAction, 'action'>,
  action: AuditedAction['action'] = 'look up',
): Promise<void> {
  await ask(store, () => store.audit.note(operatorOf(request, response), { action, ...what }));
  noteAction(log, request, response, { action, ...what });
}

/** Milliseconds that an answer waits for an action on many calls: a short one is done by then, a long one goes on behind it. */
const WITHIN_MS = 1_500;

/** What the work came to, or `late` when it takes longer than an answer should. */
export function orLate<Result>(work: Promise<Result>): Promise<Result | 'late'> {
  return Promise.race([work, sleep(WITHIN_MS, 'late' as const, { ref: false })]);
}
