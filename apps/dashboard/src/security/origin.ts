import type { RequestHandler } from 'express';
import type { Hosts } from './hosts.ts';

const READS = new Set(['GET', 'HEAD']);

/**
 * Refuses what would change something unless one of our own pages sent it. The browser sends the password with requests
 * from strangers' pages too, so it proves nothing; `Origin` and `Sec-Fetch-Site` are the browser's own word and no page
 * can set them.
 *
 * `Origin: null` (sandboxed frames, redirects across sites) is refused. A request with neither header comes from no
 * browser; it is refused as well, and a script that means it adds the header.
 */
export function requireOwnOrigin(hosts: Hosts, refuse: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (READS.has(request.method)) return next();
    const site = request.headers['sec-fetch-site'];
    const { origin, host } = request.headers;
    const own = origin === undefined ? site === 'same-origin' : isOwn(origin, host, hosts);
    return own && (site === undefined || site === 'same-origin') ? next() : refuse(request, response, next);
  };
}

/** Name and port must be those of the request; a proxy that rewrites them is allowed by its name. */
function isOwn(origin: string, host: string | undefined, hosts: Hosts): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: named, hostname } = new URL(origin);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  if (host !== undefined && URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === named) {
    return true;
  }
  return hosts.allowed(hostname);
}
