import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Request, RequestHandler } from 'express';

/**
 * Which names this dashboard has. A foreign page can make its own name point at this machine (DNS rebinding)
 * and would then be read as if it were ours; it cannot make the browser say one of these names.
 */
export interface Hosts {
  /** Whether the request was made to one of our names. */
  knows(request: Request): boolean;
  /** Whether a name was allowed by the operator, not only known. */
  allowed(name: string): boolean;
}

/** All interfaces: not a name in a Host header. */
const ANY = new Set(['0.0.0.0', '::']);

/**
 * @param allowed `DASHBOARD_ALLOWED_HOSTS`, without ports
 * @param bound address or name that the dashboard binds, if it is not all of them
 */
export function makeHosts(allowed: readonly string[] = [], bound?: string): Hosts {
  const given = new Set(allowed.map((name) => name.toLowerCase()));
  const own = new Set([...given, hostname().toLowerCase(), ...(bound && !ANY.has(bound) ? [bound.toLowerCase()] : [])]);
  return {
    knows(request) {
      const name = hostOf(request);
      if (name === undefined) return false;
      return isLoopback(name) || own.has(name) || (isIP(name) !== 0 && name === localAddress(request));
    },
    allowed: (name) => given.has(name.toLowerCase()),
  };
}

/** Refuses requests made to a name that is not ours. */
export function requireKnownHost(hosts: Hosts, refuse: RequestHandler): RequestHandler {
  return (request, response, next) => (hosts.knows(request) ? next() : refuse(request, response, next));
}

/** Name or address in the Host header, lower case, without port and brackets; undefined when it cannot be read. */
export function hostOf(request: Request): string | undefined {
  const header = request.headers.host;
  if (!header || !/^[\w.:[\]-]+$/.test(header) || !URL.canParse(`http://${header}`)) return undefined;
  return new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '');
}

/** Names under `localhost` are the browser's own machine (RFC 6761 §6.3). */
export function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The address of this machine that was really spoken to. */
function localAddress(request: Request): string | undefined {
  return request.socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '').toLowerCase();
}
