/** What is worth knowing about the connection and its mappings before anything is sent. Mistakes are found at load. */

import type { Finding } from '@wrapup/findings';
import type { CompiledMapping } from '@wrapup/mapping';
import { type HttpSettings, literalRefusal } from './endpoint/settings.ts';

export function checkEndpoint(connection: string, settings: HttpSettings, mappings: CompiledMapping[]): Finding[] {
  return [...checkUrl(connection, settings), ...mappings.flatMap(checkWriteModes)];
}

function checkUrl(connection: string, settings: HttpSettings): Finding[] {
  const where = `connections.${connection}.url`;
  const refused = literalRefusal(settings);
  if (refused)
    return [{ severity: 'error', code: 'private-address', message: `${where} ${refused.problem}`, hint: refused.hint }];
  if (settings.url.startsWith('https:') || settings.allow_private !== false) return [];
  const message = `${where}: what callers said goes over the network unencrypted`;
  return [{ severity: 'warning', code: 'plain-http', message, hint: 'use https://' }];
}

function checkWriteModes({ fields }: CompiledMapping): Finding[] {
  return fields
    .filter(({ use, write }) => use === 'write' && write !== undefined && write !== 'overwrite')
    .map(({ record, property, write, at }) => ({
      severity: 'warning',
      code: 'write-mode',
      message: `${record}.${property}: an endpoint has nothing that write: ${write} could look at; it is always sent`,
      hint: 'take write out',
      at,
    }));
}
