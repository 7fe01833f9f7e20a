/**
 * Who may do what. One table of rights, and one of the requests that take more than looking at pages: the server goes by them,
 * pages leave out the buttons that they refuse, the API names them in its document, and docs/guide/operating.md has the first.
 */
import { type LoginRole, ROLES } from '@wrapup/config';
import type { RequestHandler, Response } from 'express';

/** The least role for each right. */
export const RIGHTS = {
  /** Pages and lists. They hold nothing personal of callers. */
  read: 'viewer',
  /** Read people from a CRM, and payloads: the candidates of a call, what it would change, what was said in it. */
  look_up: 'operator',
  replay: 'operator',
  drop: 'operator',
  /** Say whom an ambiguous call is about. */
  decide: 'operator',
  /** Pause and resume connections. */
  pause: 'operator',
  /** Read what operators did. */
  audit: 'admin',
  /** Have fields made in the account of a connection. */
  provision: 'admin',
  /** Write a mapping into the folder of the configuration, where the installation allows it. */
  configure: 'admin',
} as const satisfies Record<string, LoginRole>;
export type Right = keyof typeof RIGHTS;

/** Requests of the pages that take another right than `read`. A write that is not among them is refused. */
export const PAGE_RIGHTS: readonly { method: 'GET' | 'POST'; path: RegExp; right: Right }[] = [
  { method: 'GET', path: /^\/audit$/, right: 'audit' },
  { method: 'POST', path: /^\/calls\/(of-person|names)$/, right: 'look_up' },
  { method: 'POST', path: /^\/calls\/[^/]+\/(transcript|preview)$/, right: 'look_up' },
  { method: 'POST', path: /^\/calls\/[^/]+\/replay$/, right: 'replay' },
  { method: 'POST', path: /^\/calls\/[^/]+\/drop$/, right: 'drop' },
  { method: 'POST', path: /^\/calls\/[^/]+\/choose$/, right: 'decide' },
  { method: 'GET', path: /^\/parked\/(decide|choose)$/, right: 'decide' },
  { method: 'POST', path: /^\/parked\/choose$/, right: 'decide' },
  { method: 'POST', path: /^\/(parked|dead)\/preview$/, right: 'look_up' },
  { method: 'POST', path: /^\/(parked|dead)\/replay$/, right: 'replay' },
  { method: 'POST', path: /^\/(parked|dead)\/drop$/, right: 'drop' },
  // Replays or drops: either takes the same role.
  { method: 'POST', path: /^\/(parked|dead)\/runs\/[^/]+$/, right: 'drop' },
  { method: 'POST', path: /^\/omissions\/[^/]+\/replay$/, right: 'replay' },
  { method: 'POST', path: /^\/connections\/[^/]+\/(pause|resume)$/, right: 'pause' },
  { method: 'POST', path: /^\/setup\/connections\/[^/]+\/(check|fields)$/, right: 'look_up' },
  { method: 'POST', path: /^\/setup\/connections\/[^/]+\/provision$/, right: 'provision' },
  // Nothing is stored; whether a CRM is asked is looked at there.
  { method: 'POST', path: /^\/playground$/, right: 'read' },
  { method: 'POST', path: /^\/playground\/call$/, right: 'look_up' },
  { method: 'POST', path: /^\/playground\/write$/, right: 'configure' },
];

/** The least role that a request of the pages takes; undefined where no role may. */
export function rightOf(method: string, path: string): Right | undefined {
  const known = PAGE_RIGHTS.find((one) => one.method === method && one.path.test(path));
  if (known) return known.right;
  return method === 'GET' || method === 'HEAD' ? 'read' : undefined;
}

export function hasRight(role: LoginRole, right: Right): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(RIGHTS[right]);
}

/** LoginRole of whom a request comes from. Where no password is configured, of local users: all of them may do everything. */
export function roleOf(response: Response): LoginRole {
  return response.locals.identity?.principal.role ?? 'admin';
}

/** Refuses what the role of the sender may not do. @param refuse answers, with the status set already */
export function enforceRights(refuse: RequestHandler): RequestHandler {
  return (request, response, next) => {
    const right = rightOf(request.method === 'HEAD' ? 'GET' : request.method, trimmed(request.path));
    if (right !== undefined && hasRight(roleOf(response), right)) return next();
    response.status(403);
    refuse(request, response, next);
  };
}

/** Routes take a slash at the end, and capitals, for the same. */
function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '').toLowerCase() : path;
}
