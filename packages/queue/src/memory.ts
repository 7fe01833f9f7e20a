/**
 * `ctx.memory` in Redis. Names are made of phone numbers, addresses and keys, so Redis holds keyed digests of them only.
 * Values are encrypted like payloads: what an agent is told of a caller stands here too.
 *
 * Earlier versions wrote the names themselves. Such an entry is found and moved when it is asked for, until
 * `moveOldNames` has moved all of them and set its mark.
 */
import type { Memory } from '@wrapup/destination';
import type { ContextBase } from './context.ts';
import type { Digest, IndexKey } from './index-key.ts';
import type { Keys } from './keys.ts';
import { defineScript, type RedisClient, scanKeys } from './redis.ts';

/** Gives an entry its new name, with the rest of its time. What stands there already is younger and stays. KEYS old, new. */
const rename = defineScript<number>(
  'wrapupMoveMemory',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[2]) == 1 then return redis.call('DEL', KEYS[1]) end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
`,
);

export class RedisMemory implements Memory {
  readonly #base: ContextBase;
  readonly #connection: string;

  constructor(base: ContextBase, connection: string) {
    this.#base = base;
    this.#connection = connection;
  }

  async get(key: string): Promise<string | undefined> {
    const { redis, keys, encryptor, marks } = this.#base;
    const name = await this.#nameOf(key);
    let kept = await redis.getBuffer(name);
    if (!kept && (await marks.at('names_moved')) === undefined) {
      if (await rename(redis, [keys.oldMemory(this.#connection, key), name], [])) kept = await redis.getBuffer(name);
    }
    if (!kept) return undefined;
    try {
      return (await encryptor.decrypt(kept, placeOf(this.#connection, key))).toString();
    } catch {
      // Of another key than ours: as good as forgotten, since memory is never the truth.
      return undefined;
    }
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    const kept = this.#base.encryptor.encrypt(Buffer.from(value), placeOf(this.#connection, key));
    await this.#base.redis.set(await this.#nameOf(key), kept, 'PX', ttl);
  }

  async delete(key: string): Promise<void> {
    const { redis, keys } = this.#base;
    await redis.del(await this.#nameOf(key), keys.oldMemory(this.#connection, key));
  }

  async #nameOf(key: string): Promise<string> {
    return memoryName(this.#base.keys, await this.#base.indexKey.load(), this.#connection, key);
  }
}

/** Under which name of `ctx.memory` the answer about a caller stands. @param phone E.164 */
export function callerMemory(phone: string): string {
  return `inbound:${phone}`;
}

function memoryName(keys: Keys, digest: Digest, connection: string, key: string): string {
  return keys.memory(connection, digest('memory', key));
}

function placeOf(connection: string, key: string): string {
  return `memory:${connection}:${key}`;
}

/**
 * Gives every entry of an earlier version its new name.
 * @returns how many there were
 */
export async function moveOldNames(redis: RedisClient, keys: Keys, indexKey: IndexKey): Promise<number> {
  const digest = await indexKey.load();
  const prefix = keys.oldMemory('', '').slice(0, -1);
  let moved = 0;
  for await (const old of scanKeys(redis, `${escapeGlob(prefix)}*`)) {
    // Names of connections hold no colon.
    const rest = old.slice(prefix.length);
    const colon = rest.indexOf(':');
    const name = memoryName(keys, digest, rest.slice(0, colon), rest.slice(colon + 1));
    moved += await rename(redis, [old, name], []);
  }
  return moved;
}

/** A text that SCAN's MATCH takes as it is. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
