import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { clientAddress, digestOfSecret, isSecret, type Logger, LogThrottle, networkOf } from '@wrapup/telemetry';
import type { Request } from 'express';
import { LoginThrottle } from './login-throttle.ts';
import { type Credentials, type FindLogin, type Principal, principalOf } from './principal.ts';

/** Least distance of two log lines on one address, which an attacker would otherwise make by the thousand. */
const LOG_EVERY_MS = 1_000;

/** Resolves with the principal, or with undefined for a wrong user or password; up to two seconds later either way. */
export type CheckPassword = (request: Request, given: Credentials) => Promise<Principal | undefined>;

export interface PasswordCheckParts {
  findLogin: FindLogin;
  log: Logger;
  throttle?: LoginThrottle;
  /** Waits for the given milliseconds. */
  wait?: (ms: number) => Promise<unknown>;
}

/**
 * Compares the password in constant time, that of an unknown user too. What is wrong counts at once, before its answer waits, so that attempts
 * which come together do not share one count.
 */
export function makePasswordCheck({
  findLogin,
  log,
  throttle = new LoginThrottle(),
  wait = pause,
}: PasswordCheckParts): CheckPassword {
  const logThrottle = new LogThrottle(LOG_EVERY_MS);
  const unguessable = randomUUID();
  return async (request, given) => {
    const address = clientAddress(request);
    const network = networkOf(address);
    const login = findLogin(given.user);
    // Compared for an unknown user as well, so that the time does not tell who has a login.
    const isRight = isSecret(given.password, digestOfSecret(login?.password ?? unguessable)) && login !== undefined;
    if (!isRight) {
      throttle.failed(network);
      const left_out = logThrottle.admit(network);
      if (left_out !== undefined) log.warn({ address, ...(left_out > 0 && { left_out }) }, 'wrong user or password');
    }
    const delay = throttle.delay(network);
    if (isRight) throttle.succeeded(network);
    if (delay > 0) await wait(delay);
    return isRight ? principalOf(login) : undefined;
  };
}

/** User and password of HTTP Basic (RFC 7617); undefined when the header holds none. */
export function readBasic(request: Request): Credentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
