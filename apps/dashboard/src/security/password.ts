import { hash as digest, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { hashPassword, isPasswordOf } from '@wrapup/config';
import { clientAddress, digestOfSecret, isSecret, type Logger, networkOf } from '@wrapup/telemetry';
import type { Request } from 'express';
import { LoginThrottle, makeLogFailure } from './login-throttle.ts';
import { type Credentials, type FindLogin, type Login, type Principal, principalOf } from './principal.ts';

/** Resolves with the principal, or with undefined for a wrong user or password; up to two seconds later either way. */
export type CheckPassword = (request: Request, given: Credentials) => Promise<Principal | undefined>;

export interface PasswordCheckParts {
  findLogin: FindLogin;
  /** Whether there are logins of which only a hash is known: looking for an unknown user takes as long then. */
  hasHashes: () => boolean;
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
  hasHashes,
  log,
  throttle = new LoginThrottle(),
  wait = pause,
}: PasswordCheckParts): CheckPassword {
  const logFailure = makeLogFailure(log);
  const matches = makeMatch(hasHashes);
  return async (request, given) => {
    const network = networkOf(clientAddress(request));
    const login = findLogin(given.user);
    // Compared for an unknown user as well, so that the time does not tell who has a login.
    const isRight = (await matches(given.password, login)) && login !== undefined;
    if (!isRight) {
      throttle.failed(network);
      logFailure(request, 'wrong user or password');
    }
    const delay = throttle.delay(network);
    if (isRight) throttle.succeeded(network);
    if (delay > 0) await wait(delay);
    return isRight ? principalOf(login) : undefined;
  };
}

/** Too many passwords wait to be compared with hashes. */
export class TooManyGuesses extends Error {
  override name = 'TooManyGuesses';
  readonly status = 503;
}

/** Comparisons with hashes at once, each of 32 MB and a thread, and those that may wait for one. */
const AT_ONCE = 2;
const MAX_WAITING = 64;

/** Compares a password with that of a login, or with one that no one has. @throws TooManyGuesses */
function makeMatch(hasHashes: () => boolean): (password: string, login: Login | undefined) => Promise<boolean> {
  const unguessable = digestOfSecret(randomUUID());
  const salt = randomBytes(16).toString('hex');
  /** What was right before, so that HTTP Basic does not take a comparison for each request. */
  const proved = new Map<string, { hash: string; digest: string }>();
  let none: Promise<string> | undefined;
  let running = 0;
  const waiting: (() => void)[] = [];
  const inTurn = async (password: string, hash: string): Promise<boolean> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= MAX_WAITING) throw new TooManyGuesses('Too many sign-ins at once.');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await isPasswordOf(password, hash);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
  return async (password, login) => {
    if (login?.password !== undefined) return isSecret(password, digestOfSecret(login.password));
    if (!login && !hasHashes()) return isSecret(password, unguessable);
    none ??= hashPassword(randomUUID());
    const hash = login?.hash ?? (await none);
    const known = digest('sha256', `${salt}:${password}`);
    const before = login && proved.get(login.user);
    if (before?.hash === hash && isSecret(known, digestOfSecret(before.digest))) return true;
    const isRight = await inTurn(password, hash);
    if (isRight && login) proved.set(login.user, { hash, digest: known });
    return isRight;
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
