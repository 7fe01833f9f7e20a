import { clientAddress, type Logger } from '@wrapup/telemetry';
import type { Request, Response } from 'express';

/**
 * One line in the log for what an operator did: who, from which address, and what. `fields` hold no personal data of
 * callers.
 */
export function noteAction(
  log: Logger,
  request: Request,
  response: Response,
  fields: { action: string } & Record<string, unknown>,
): void {
  const { action, ...rest } = fields;
  const user = response.locals.identity?.principal.name ?? 'anybody on this machine';
  log.info({ action, user, address: clientAddress(request), ...rest }, 'an operator acted');
}
