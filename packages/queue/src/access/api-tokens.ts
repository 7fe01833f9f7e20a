/**
 * Tokens of the HTTP API: `wrapup_<id>_<secret>`. Only a hash of the secret is kept, so that a token is shown once. 256 random bits
 * need no slow hash: there is nothing to guess.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Audit } from '../audit/audit.ts';
import type { AuditedOperator } from '../audit/audit-entry.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

export interface ApiToken {
  id: string;
  /** What it is for; names it in the audit. */
  name: string;
  /** As logins have them. */
  role: string;
  /** Client that it is bound to; absent: the whole installation. */
  client?: string;
  /** Epoch ms. */
  created_at: number;
  expires_at: number;
  /** Name of who made it. */
  by: string;
  /** Epoch ms, within an hour; absent before the first use. */
  used_at?: number;
}

interface KeptToken extends ApiToken {
  /** sha256 of the secret, hex. */
  secret: string;
}

const TOKEN = /^wrapup_([0-9a-f]{12})_([\w-]{43})$/;
/** How often its use is noted. */
const NOTE_EVERY_MS = 3_600_000;

export class ApiTokens {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #audit: Audit;

  constructor(redis: RedisClient, keys: Keys, audit: Audit) {
    this.#redis = redis;
    this.#keys = keys;
    this.#audit = audit;
  }

  /** Makes one. @returns it, and its text, which is kept nowhere */
  async add(
    given: Pick<ApiToken, 'name' | 'role' | 'client' | 'expires_at'>,
    by: AuditedOperator,
  ): Promise<{ token: ApiToken; text: string }> {
    const id = randomBytes(6).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const token: ApiToken = { id, ...given, created_at: Date.now(), by: by.name };
    const kept: KeptToken = { ...token, secret: digestOf(secret) };
    const changes = this.#redis.multi().hset(this.#keys.apiTokens, id, JSON.stringify(kept));
    await this.#commit(changes, by, token, `added as ${given.role}`);
    return { token, text: `wrapup_${id}_${secret}` };
  }

  /** All of them, the latest first, expired ones included. */
  async list(): Promise<ApiToken[]> {
    const [kept, used] = await Promise.all([
      this.#redis.hvals(this.#keys.apiTokens),
      this.#redis.hgetall(this.#keys.apiTokensUsed),
    ]);
    const tokens = kept.map((text) => {
      const { secret: _, ...token } = JSON.parse(text) as KeptToken;
      const at = used[token.id];
      return at === undefined ? token : { ...token, used_at: Number(at) };
    });
    return tokens.sort((a, b) => b.created_at - a.created_at);
  }

  /** @returns the one that was revoked; undefined where there is none */
  async revoke(id: string, by: AuditedOperator): Promise<ApiToken | undefined> {
    const token = (await this.list()).find((one) => one.id === id);
    if (!token) return undefined;
    const changes = this.#redis.multi().hdel(this.#keys.apiTokens, id).hdel(this.#keys.apiTokensUsed, id);
    await this.#commit(changes, by, token, 'revoked');
    return token;
  }

  /** The token of a text; undefined for one that is unknown, expired or revoked. */
  async verify(text: string, now = Date.now()): Promise<ApiToken | undefined> {
    const [, id, given = ''] = TOKEN.exec(text) ?? [];
    const [kept, used] =
      id === undefined
        ? [undefined, undefined]
        : await Promise.all([
            this.#redis.hget(this.#keys.apiTokens, id),
            this.#redis.hget(this.#keys.apiTokensUsed, id),
          ]);
    if (id === undefined || !kept) return undefined;
    const { secret, ...token } = JSON.parse(kept) as KeptToken;
    if (!timingSafeEqual(Buffer.from(digestOf(given)), Buffer.from(secret)) || now >= token.expires_at)
      return undefined;
    if (now - Number(used ?? 0) > NOTE_EVERY_MS) await this.#redis.hset(this.#keys.apiTokensUsed, id, now);
    return token;
  }

  async #commit(
    changes: ReturnType<RedisClient['multi']>,
    by: AuditedOperator,
    { id, name, client }: ApiToken,
    reason: string,
  ): Promise<void> {
    const what = { action: 'change access' as const, target: `token ${name} (${id})`, reason };
    this.#audit.noteIn(changes, by, { ...what, ...(client === undefined ? {} : { client }) });
    for (const [error] of (await changes.exec()) ?? []) if (error) throw error;
  }
}

function digestOf(secret: string): string {
  return hash('sha256', secret);
}
