/**
 * The key of every digest that Redis holds for a phone number, an e-mail address or another value of a person: an
 * unkeyed hash of a number is found by trying all numbers.
 *
 * The key is kept for good, because digests made with another one find nothing: its fingerprint is in Redis, and a
 * process with another key refuses to start. Where `WRAPUP_INDEX_KEY` is not set, the first process that needs the key
 * makes it and keeps it in Redis (encrypted where `WRAPUP_ENCRYPTION_KEY` is set), so that all processes agree.
 */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { readKeyBytes } from '@wrapup/call';
import { defineScript, type RedisClient } from '../redis/client.ts';
import { InstallationError } from '../redis/data-version.ts';
import type { Keys } from '../redis/keys.ts';
import type { Encryptor } from './encryptor.ts';

/**
 * HMAC-SHA256 of a value, base64url, 43 characters.
 * @param kind what the value is (`phone`, `email`, `payload`, …): equal values of two kinds have unlike digests
 */
export type Digest = (kind: string, value: string) => string;

/** What the key in Redis is encrypted for. */
export const INDEX_KEY_PLACE = 'index-key';

/**
 * Agrees on the key: the first process that comes decides. Where no call has come before, no data of an earlier version is
 * there either, and the marks are set (`marks.ts`).
 * KEYS installation, ledger index. ARGV fingerprint, the key to keep or nothing where it is set in the environment, now,
 * `1` where values are encrypted. Answers the fingerprint in force and the key as it is kept.
 */
const agree = defineScript<[string, string | null]>(
  'wrapupIndexKey',
  `
if redis.call('HSETNX', KEYS[1], 'index_fingerprint', ARGV[1]) == 1 then
  if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'index_key', ARGV[2]) end
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('HSET', KEYS[1], 'names_moved', ARGV[3], 'calls_indexed', ARGV[3])
    if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'encrypted', ARGV[3]) end
  end
end
return redis.call('HMGET', KEYS[1], 'index_fingerprint', 'index_key')
`,
);

export class IndexKey {
  /** Whether `WRAPUP_INDEX_KEY` is set. */
  readonly given: boolean;
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #encryptor: Encryptor;
  readonly #bytes: Buffer | undefined;
  #loaded: Promise<Digest> | undefined;

  /**
   * @param text `WRAPUP_INDEX_KEY`: 32 bytes in base64 or hex
   * @throws Error that says what is wrong with it, without showing it
   */
  constructor(redis: RedisClient, keys: Keys, encryptor: Encryptor, text: string | undefined) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
    this.#bytes = text?.trim() ? readKeyBytes(text.trim(), 'WRAPUP_INDEX_KEY') : undefined;
    this.given = this.#bytes !== undefined;
  }

  /**
   * The digest function of this installation. Redis is asked once; afterwards it costs nothing.
   * @throws InstallationError when another key is in force; what Redis answers when it does not answer, and the next call asks
   * again
   */
  load(): Promise<Digest> {
    this.#loaded ??= this.#load().catch((error) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  /** The key that Redis keeps, base64; undefined where it is set in the environment. @throws as `load` */
  async kept(): Promise<string | undefined> {
    await this.load();
    const stored = await this.#redis.hget(this.#keys.installation, 'index_key');
    if (stored === null) return undefined;
    return (await this.#encryptor.decrypt(Buffer.from(stored, 'base64'), INDEX_KEY_PLACE)).toString('base64');
  }

  async #load(): Promise<Digest> {
    const bytes = this.#bytes ?? randomBytes(32);
    const own = fingerprintOf(bytes);
    const kept = this.given ? '' : this.#encryptor.encrypt(bytes, INDEX_KEY_PLACE).toString('base64');
    const [inForce, stored] = await agree(
      this.#redis,
      [this.#keys.installation, this.#keys.index],
      [own, kept, Date.now(), this.#encryptor.on ? '1' : ''],
    );
    if (inForce === own) return digestWith(bytes);
    if (this.given) throw another(own, inForce, stored !== null);
    if (stored === null) throw missing(inForce);
    return digestWith(await this.#encryptor.decrypt(Buffer.from(stored, 'base64'), INDEX_KEY_PLACE));
  }
}

function digestWith(key: Buffer): Digest {
  // Of bytes, Node makes such an object for each digest, which takes seven times as long as the digest.
  const secret = createSecretKey(key);
  return (kind, value) => createHmac('sha256', secret).update(`${kind}\0${value}`).digest('base64url');
}

/** 16 hex digits that say nothing about the key. */
function fingerprintOf(key: Buffer): string {
  return createHmac('sha256', key).update('wrapup index key').digest('hex').slice(0, 16);
}

function another(own: string, inForce: string, isKept: boolean): InstallationError {
  return new InstallationError(
    `WRAPUP_INDEX_KEY (fingerprint ${own}) is not the key of this installation (fingerprint ${inForce}).`,
    isKept
      ? 'This installation was started without the variable and keeps its key in Redis. Remove WRAPUP_INDEX_KEY, or set it to what `wrapup encryption index-key` prints without it.'
      : 'Set WRAPUP_INDEX_KEY to the value it had before; it belongs to the backup of Redis. With another key people and calls are not found again.',
  );
}

function missing(inForce: string): InstallationError {
  return new InstallationError(
    `WRAPUP_INDEX_KEY is not set, and this installation has an index key (fingerprint ${inForce}).`,
    'Give this process the same WRAPUP_INDEX_KEY as the others.',
  );
}
