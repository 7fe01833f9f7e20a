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
  const { identity, scope } = response.locals;
  const user = identity?.principal.name ?? 'local user';
  const client = scope?.client === undefined ? {} : { client: scope.client };
  log.info({ action, user, address: clientAddress(request), ...client, ...rest }, 'an operator acted');
}
