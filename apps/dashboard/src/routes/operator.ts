import { clientAddress, type Logger } from '@wrapup/telemetry';
import type { Request, Response } from 'express';

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
  const user = response.locals.identity?.principal.name ?? 'local user';
  log.info({ action, user, address: clientAddress(request), ...rest }, 'an operator acted');
}
