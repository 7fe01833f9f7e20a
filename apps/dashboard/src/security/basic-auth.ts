import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Logger } from '@wrapup/telemetry';
import type { Request, RequestHandler, Response } from 'express';
import type { Attempts } from './attempts.ts';

export interface Credentials {
  user: string;
  password: string;
}

/** What to answer somebody who may not come in, with a status of its own set already. */
export type Refuse = (request: Request, response: Response, why: string) => void;

/**
 * HTTP Basic (RFC 7617), compared in constant time. The browser asks once and sends it along from then on.
 */
export function requirePassword(
  { user, password }: Credentials,
  attempts: Attempts,
  log: Logger,
  refuse: Refuse,
): RequestHandler {
  const expected = [digest(user), digest(password)] as const;
  return (request, response, next) => {
    const address = addressOf(request);
    const given = readBasic(request.headers.authorization);
    if (!given) {
      response.status(401).set('www-authenticate', 'Basic realm="Wrapup", charset="UTF-8"');
      return refuse(request, response, 'The dashboard asks for a user and a password.');
    }
    const wait = attempts.wait(address);
    if (wait > 0) {
      response.status(429).set('retry-after', String(Math.ceil(wait / 1000)));
      return refuse(request, response, `Too many wrong passwords. Try again in ${Math.ceil(wait / 1000)} s.`);
    }
    // Both are compared whatever the first says, so that the time tells nothing about either.
    const userIsRight = timingSafeEqual(digest(given.user), expected[0]);
    const passwordIsRight = timingSafeEqual(digest(given.password), expected[1]);
    if (userIsRight && passwordIsRight) {
      attempts.succeeded(address);
      response.locals.user = user;
      return next();
    }
    attempts.failed(address);
    log.warn({ address: request.socket.remoteAddress }, 'wrong user or password');
    response.status(401).set('www-authenticate', 'Basic realm="Wrapup", charset="UTF-8"');
    refuse(request, response, 'User or password is wrong.');
  };
}

function readBasic(header: string | undefined): Credentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Who is counted: the address, or the /64 of it, which is what one customer of IPv6 has. */
function addressOf(request: Request): string {
  const address = request.socket.remoteAddress ?? '';
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  if (tail !== undefined) {
    const last = tail.split(':').filter(Boolean);
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return groups.slice(0, 4).join(':');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
