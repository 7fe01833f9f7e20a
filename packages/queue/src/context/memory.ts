/**
 * `ctx.memory` in Redis. Names are made of phone numbers, addresses and keys, so Redis holds keyed digests of them only.
 * Values are encrypted like payloads: what ingress tells an agent of a caller is among them.
 *
 * Earlier versions wrote the names themselves. Such an entry is found and moved when it is asked for, until
 * `renameOldMemories` has moved all of them and set its mark.
 */
import type { Memory } from '@wrapup/destination';
import type { Digest } from '../encryption/index-key.ts';
import type { InstallationParts } from '../redis/check-installation.ts';
import { scanKeys } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { msOfDays } from '../redis/spans.ts';

/** The default of `retention.ledger`. */
const LEDGER_DAYS = 90;

export class RedisMemory implements Memory {
  readonly #base: InstallationParts;
  readonly #connection: string;
  readonly #ledgerMs: number;

  /** @param ledgerDays `retention.ledger` of the connection's client, for one that notes something. Default 90 */
  constructor(base: InstallationParts, connection: string, ledgerDays = LEDGER_DAYS) {
    this.#base = base;
    this.#connection = connection;
    this.#ledgerMs = msOfDays(ledgerDays);
  }

  async get(key: string): Promise<string | undefined> {
    const { redis, encryptor, marks } = this.#base;
    const name = await this.#nameOf(key);
    let kept = await redis.getBuffer(name);
    if (!kept && (await marks.at('names_moved')) === undefined) {
      if (await move(this.#base, this.#connection, key)) kept = await redis.getBuffer(name);
    }
    if (!kept) return undefined;
    try {
      return (await encryptor.decrypt(kept, placeOf(this.#base.keys, name))).toString();
    } catch {
      // Encrypted with another key: treated as forgotten, since memory is never the truth.
      return undefined;
    }
  }

  async set(key: string, value: string, ttl: number | 'ledger'): Promise<void> {
    const { redis, keys, encryptor } = this.#base;
    const name = await this.#nameOf(key);
    await redis.set(
      name,
      encryptor.encrypt(Buffer.from(value), placeOf(keys, name)),
      'PX',
      ttl === 'ledger' ? this.#ledgerMs : ttl,
    );
  }

  async delete(key: string): Promise<void> {
    const { redis, keys } = this.#base;
    await redis.del(await this.#nameOf(key), keys.oldMemory(this.#connection, key));
  }

  async digester(): Promise<(value: string) => string> {
    const digest = await this.#base.indexKey.load();
    return (value) => digest('written', value);
  }

  async #nameOf(key: string): Promise<string> {
    return memoryName(this.#base.keys, await this.#base.indexKey.load(), this.#connection, key);
  }
}

/** The name in `ctx.memory` of the answer about a caller. @param phone E.164 */
export function callerMemory(phone: string): string {
  return `inbound:${phone}`;
}

function memoryName(keys: Keys, digest: Digest, connection: string, key: string): string {
  return keys.memory(connection, digest('memory', key));
}

/** What a value is encrypted for: its name in Redis, so that a migration needs to know no more than that. */
function placeOf(keys: Keys, name: string): string {
  return name.slice(keys.prefix.length + 1);
}

/**
 * Gives an entry of an earlier version its new name, with the rest of its time. A value under the new name is younger and
 * stays; what cannot be decrypted is as good as forgotten.
 * @returns whether there was one
 */
async function move(base: InstallationParts, connection: string, key: string): Promise<boolean> {
  const { redis, keys, encryptor, indexKey } = base;
  const old = keys.oldMemory(connection, key);
  const [kept, ttl] = await Promise.all([redis.getBuffer(old), redis.pttl(old)]);
  if (!kept) return false;
  const bytes = await encryptor.decrypt(kept, `memory:${connection}:${key}`).catch(() => undefined);
  if (bytes && ttl > 0) {
    const name = memoryName(keys, await indexKey.load(), connection, key);
    await redis.set(name, encryptor.encrypt(bytes, placeOf(keys, name)), 'PX', ttl, 'NX');
  }
  await redis.del(old);
  return true;
}

/**
 * Gives every entry of an earlier version its new name.
 * @returns how many there were
 */
export async function renameOldMemories(base: InstallationParts): Promise<number> {
  const prefix = base.keys.oldMemory('', '').slice(0, -1);
  let moved = 0;
  for await (const old of scanKeys(base.redis, `${escapeGlob(prefix)}*`)) {
    // Names of connections hold no colon.
    const rest = old.slice(prefix.length);
    const colon = rest.indexOf(':');
    if (await move(base, rest.slice(0, colon), rest.slice(colon + 1))) moved += 1;
  }
  return moved;
}

/** A text that SCAN's MATCH takes as it is. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
