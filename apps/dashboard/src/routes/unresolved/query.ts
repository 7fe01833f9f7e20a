/** How addresses and forms say which of what is parked or dead they mean. */
import { parseDuration } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import { reasonFilter, type UnresolvedFilter, type UnresolvedState } from '@wrapup/queue';
import type { Request } from 'express';
import { MAX_REASON_LENGTH } from '../../pages/actions.ts';
import type { UnresolvedQuery } from '../../pages/unresolved/query.ts';
import { readMoment, zoneOf } from '../../queries/time-range.ts';
import type { ClientScope } from '../../security/client-scope.ts';
import { fieldOf } from '../request.ts';

const NAMES = ['route', 'connection', 'source', 'code', 'reason', 'since', 'from', 'to'] as const;

export function readQuery(value: (name: string) => string | undefined): UnresolvedQuery {
  const query: UnresolvedQuery = {};
  for (const name of NAMES) {
    const given = value(name)?.trim();
    if (given) query[name] = given;
  }
  if (query.since !== undefined && parseDuration(query.since) === undefined) delete query.since;
  return query;
}

/**
 * @param seen epoch ms of the page that the filter was chosen on
 * @param zone in which its moments are read
 */
export function filterOf(
  { since, code, reason, from, to, ...places }: UnresolvedQuery,
  seen: number,
  { client }: Pick<ClientScope, 'client'>,
  zone: string,
): UnresolvedFilter {
  const ago = since === undefined ? undefined : parseDuration(since);
  const [first, last] = [readMoment(from, zone), readMoment(to, zone)];
  const begins = [ago === undefined ? undefined : seen - ago, first].filter((at) => at !== undefined);
  return {
    ...places,
    client,
    ...(reason === undefined ? {} : reasonFilter(reason)),
    ...(code === undefined ? {} : { codes: [code] }),
    until: last === undefined ? seen : Math.min(seen, last),
    ...(begins.length > 0 ? { since: Math.max(...begins) } : {}),
  };
}

/** When the page was made that a request comes from: what stopped later is not meant. Epoch ms; 0 where it does not say. */
export function seenAt(text: string | undefined): number {
  const seen = Number(text);
  return Number.isFinite(seen) && seen > 0 ? seen : 0;
}

/** The filter of a form. */
export function filterOfForm(request: Request, scope: ClientScope): UnresolvedFilter {
  const query = readQuery((name) => fieldOf(request, name));
  return filterOf(query, seenAt(fieldOf(request, 'seen')), scope, zoneOf(request));
}

/** The filter for the log: its reason is free text. */
export function filterNoted(request: Request): UnresolvedQuery {
  const query = readQuery((name) => fieldOf(request, name));
  return { ...query, ...(query.reason ? { reason: scrub(query.reason, MAX_REASON_LENGTH) } : {}) };
}

export function backTo(request: Request, state: UnresolvedState, further: Record<string, string | number>): string {
  const parameters = new URLSearchParams(Object.entries(readQuery((name) => fieldOf(request, name))));
  for (const [name, value] of Object.entries(further)) parameters.set(name, String(value));
  return `/${state}?${parameters}`;
}
