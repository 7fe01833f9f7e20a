/**
 * Tokens of one connection, shared by every process that reaches this Redis: workers, ingress, dashboard, commands. Kept
 * encrypted, until their end; one process renews, the others wait for what it got.
 */
import { Failure, type Secret, type Secrets } from '@wrapup/destination';
import { type Encryptor, keyIdOf } from '../encryption/encryptor.ts';
import type { InstallationParts } from '../redis/check-installation.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { RedisLease } from '../redis/lease.ts';

/** A secret is renewed this long before its end. */
const RENEW_EARLY_MS = 60_000;
/** How long one process may take to refresh while the others wait. */
const REFRESH_MS = 20_000;

/** The secrets of one connection, in an open store. */
export function makeSecrets(
  base: Pick<InstallationParts, 'redis' | 'keys' | 'encryptor'>,
  connection: string,
): Secrets {
  return new RedisSecrets(base, connection);
}

const isFresh = (secret: Secret | undefined): secret is Secret =>
  secret !== undefined && secret.expires_at - RENEW_EARLY_MS > Date.now();

class RedisSecrets implements Secrets {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #connection: string;
  readonly #lease: RedisLease;
  readonly #encryptor: Encryptor;

  constructor({ redis, keys, encryptor }: Pick<InstallationParts, 'redis' | 'keys' | 'encryptor'>, connection: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
    this.#connection = connection;
    this.#lease = new RedisLease(redis, keys);
  }

  get encrypted(): boolean {
    return this.#encryptor.keysAt(this.#placeOf('')).length > 0;
  }

  async get(name: string, refresh: () => Promise<Secret>): Promise<string> {
    const until = Date.now() + REFRESH_MS;
    while (Date.now() < until) {
      const known = await this.#read(name);
      if (isFresh(known)) return known.value;
      const held = await this.#ask(() => this.#lease.take([`secret:${this.#connection}:${name}`], REFRESH_MS));
      if (held) {
        try {
          // Another process may have renewed it before this one had the lease.
          const renewed = await this.#read(name);
          if (isFresh(renewed)) return renewed.value;
          const fresh = await refresh();
          await this.keep(name, fresh);
          return fresh.value;
        } finally {
          await held.release();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Failure('timeout', `The secret ${name} of connection ${this.#connection} was not refreshed in time.`);
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#read(name))?.value;
  }

  async keep(name: string, secret: Secret): Promise<void> {
    const ttl = Math.max(1, Math.round(secret.expires_at - Date.now()));
    const kept = this.#encryptor.encrypt(Buffer.from(JSON.stringify(secret)), this.#placeOf(name));
    await this.#ask(() => this.#redis.set(this.#keys.secret(this.#connection, name), kept, 'PX', ttl));
  }

  async drop(name: string): Promise<void> {
    await this.#ask(() => this.#redis.del(this.#keys.secret(this.#connection, name)));
  }

  async #read(name: string): Promise<Secret | undefined> {
    const kept = await this.#ask(() => this.#redis.getBuffer(this.#keys.secret(this.#connection, name)));
    if (!kept) return undefined;
    const secret = JSON.parse((await this.#encryptor.decrypt(kept, this.#placeOf(name))).toString()) as Secret;
    // So that a key which is rotated out encrypts nothing any more, however long the secret lives.
    if (keyIdOf(kept) !== this.#encryptor.keysAt(this.#placeOf(name))[0]) await this.keep(name, secret);
    return secret;
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (cause) {
      throw new Failure(
        'unavailable',
        `Redis, which keeps the tokens of connection ${this.#connection}, does not answer.`,
        {
          next: 'throttle',
          retry_after: 1_000,
          hint: 'Nothing to do once Redis is back: it goes on by itself.',
          cause,
        },
      );
    }
  }

  #placeOf(name: string): string {
    return `secret:${this.#connection}:${name}`;
  }
}
