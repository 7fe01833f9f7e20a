/**
 * Sessions of signed-in operators: a token in a cookie, signed with HMAC-SHA-256 (a JWT), nothing stored while it lasts.
 *
 * started   at sign-in, always under a new id: an id that a browser brought along is never taken over
 * renewed   a page that is asked for more than `RENEW_AFTER_MS` after the token was issued gets a new one
 * idle      `IDLE_MS` without a page: the token has expired
 * over      `LIFETIME_MS` after the sign-in, whatever was asked for meanwhile
 * ended     by signing out: the id is kept in Redis for as long as one of its tokens could still be valid
 *
 * The key is derived from user and password, so that a change of either ends every session of that user, no key has to be
 * stored, and a token says nothing of another user's password. Where only the hash of the password is known, it is taken with a
 * digest under the index key: who reads the hash alone can make no session.
 * A session of an identity provider says role and client itself, under a key of the installation and the provider.
 * scrypt makes each guess at the password expensive for the owner of a stolen token.
 */
import { randomUUID, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { type LoginRole, ROLES } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { decodeJwt, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { ask, Unavailable } from '../queries/ask-redis.ts';
import { type FindLogin, type Login, type OperatorSession, type Principal, principalOf } from './principal.ts';

/** NIST SP 800-63B-4 §2.2.3: an hour of inactivity, a day in all (AAL2). */
const IDLE_MS = 60 * 60_000;
const LIFETIME_MS = 24 * 60 * 60_000;
const RENEW_AFTER_MS = 5 * 60_000;

/** OWASP's parameters for scrypt: 32 MB and some 0.2 s of another thread, once. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 2 ** 20 };
const KEY_BYTES = 32;

const ISSUER = 'wrapup';
const AUDIENCE = 'wrapup-dashboard';
const CLAIMS = ['sub', 'sid', 'auth_time', 'iat', 'exp'];

export interface SessionToken {
  session: OperatorSession;
  token: string;
}

/** Digest of a password's hash under a key of the installation. @throws Unavailable while Redis does not say which */
export type DigestHash = (hash: string) => Promise<string>;

/** The ids of sessions that were ended before their time. */
export interface EndedSessions {
  add(id: string, forMs: number): Promise<unknown>;
  has(id: string): Promise<boolean>;
}

export class Sessions {
  readonly #findLogin: FindLogin;
  /** By user, each derived when its first session is started or read. */
  readonly #keys = new Map<string, { secret: string; key: Promise<Uint8Array> }>();
  readonly #ended: EndedSessions;
  readonly #digest: DigestHash;
  readonly #provider: string | undefined;
  readonly #now: () => number;

  /** @param now epoch ms @param provider whose sessions count, where there is one */
  constructor(
    findLogin: FindLogin,
    ended: EndedSessions,
    digest: DigestHash,
    now: () => number = Date.now,
    provider?: string,
  ) {
    this.#provider = provider;
    this.#findLogin = findLogin;
    this.#ended = ended;
    this.#digest = digest;
    this.#now = now;
  }

  /** Starts a session of a principal whose password was just checked. */
  start(principal: Principal): Promise<SessionToken> {
    return this.#issue(randomUUID(), principal, this.#now());
  }

  /** A new token of the same session, when its token is old enough to be worth one. */
  async renew({ id, principal, started_at, issued_at }: OperatorSession): Promise<SessionToken | undefined> {
    return this.#now() - issued_at < RENEW_AFTER_MS ? undefined : this.#issue(id, principal, started_at);
  }

  /**
   * The session of a token; undefined for one that is forged, expired, ended or signed under another password.
   * @throws Unavailable when Redis does not say whether it was ended
   */
  async read(token: string | undefined): Promise<OperatorSession | undefined> {
    const session = token === undefined ? undefined : await this.#verify(token);
    return session && !(await this.#ended.has(session.id)) ? session : undefined;
  }

  /** Ends it for all of its tokens. @throws Unavailable when Redis cannot note it */
  async end({ id, started_at }: OperatorSession): Promise<void> {
    await this.#ended.add(id, Math.max(1, started_at + LIFETIME_MS - this.#now()));
  }

  async #keyOf({ user, password, hash }: Login): Promise<Uint8Array> {
    const secret = password ?? (await this.#digest(hash));
    let known = this.#keys.get(user);
    if (known?.secret !== secret) {
      known = { secret, key: deriveKey(user, secret) };
      this.#keys.set(user, known);
    }
    return known.key;
  }

  /**
   * What sessions of a provider are signed with: one key of the installation, as there is no password. Not one for each name: until the
   * signature is checked the name is whatever the sender wrote, and each new one would cost a derivation and a place in memory.
   */
  #providerLogin(role: LoginRole): Login {
    const named = `provider ${this.#provider}`;
    return { user: named, role, hash: named };
  }

  async #issue(id: string, principal: Principal, started_at: number): Promise<SessionToken> {
    const { provider, role, client } = principal;
    const login = provider === undefined ? this.#findLogin(principal.name) : this.#providerLogin(role);
    if (!login) throw new Error('the login has just been removed');
    const issued_at = this.#now();
    const expires_at = Math.min(issued_at + IDLE_MS, started_at + LIFETIME_MS);
    const token = await new SignJWT({
      ...{ sid: id, auth_time: toSeconds(started_at) },
      // Of a login of this installation they are looked up each time.
      ...(provider === undefined ? {} : { provider, role, ...(client === undefined ? {} : { client }) }),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(principal.name)
      .setIssuedAt(toSeconds(issued_at))
      .setExpirationTime(toSeconds(expires_at))
      .sign(await this.#keyOf(login));
    return { token, session: { id, principal, started_at, issued_at, expires_at } };
  }

  async #verify(token: string): Promise<OperatorSession | undefined> {
    try {
      // Whose key it takes: proved by the signature.
      const claims = decodeJwt(token);
      const theirs = principalIn(claims, this.#provider);
      const login = theirs ? this.#providerLogin(theirs.role) : this.#findLogin(claims.sub ?? '');
      if (!login || ('provider' in claims && !theirs)) return undefined;
      const { payload } = await jwtVerify(token, await this.#keyOf(login), {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: CLAIMS,
        currentDate: new Date(this.#now()),
      });
      const { sub, sid, auth_time, iat, exp } = payload;
      if (typeof sub !== 'string' || typeof sid !== 'string' || typeof auth_time !== 'number') return undefined;
      if (typeof iat !== 'number' || typeof exp !== 'number') return undefined;
      const [started_at, issued_at, expires_at] = [auth_time * 1000, iat * 1000, exp * 1000];
      if (this.#now() >= started_at + LIFETIME_MS) return undefined;
      return { id: sid, principal: theirs ?? principalOf(login), started_at, issued_at, expires_at };
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      return undefined;
    }
  }
}

/** Whom a token of a provider's session names; undefined for other tokens, and those of another provider. Proved by the signature. */
function principalIn(
  { sub, provider, role: given, client }: JWTPayload,
  own: string | undefined,
): Principal | undefined {
  const role = ROLES.find((one) => one === given);
  if (own === undefined || provider !== own || sub === undefined || !role) return undefined;
  return { name: sub, role, provider: own, ...(typeof client === 'string' ? { client } : {}) };
}

/** Ended sessions in Redis, so that they stay ended after a restart and at every dashboard of the installation. */
export function endedSessionsOf(store: Store): EndedSessions {
  return {
    add: (id, forMs) => ask(store, () => store.redis.set(store.keys.endedSession(id), '1', 'PX', forMs)),
    has: async (id) => (await ask(store, () => store.redis.exists(store.keys.endedSession(id)))) === 1,
  };
}

/** With the index key of the installation, which is read once. */
export function digestHashesWith(store: Store): DigestHash {
  return (hash) => ask(store, async () => (await store.indexKey.load())('dashboard login', hash));
}

const derive = promisify<string, string, number, typeof SCRYPT, Buffer>(scrypt);

/** The user is part of the salt: a session is worth nothing after either has changed. */
function deriveKey(user: string, secret: string): Promise<Uint8Array> {
  return derive(secret, `wrapup dashboard session of ${user}`, KEY_BYTES, SCRYPT);
}

/** Whole seconds, as JWT has them. */
function toSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
