import { hash } from 'node:crypto';
import type { Store } from './store.ts';

/** Texts by path from the folder of wrapup.yaml. */
type Texts = Record<string, string>;

/** What a client's file and its mappings last said without an error, encrypted like everything that tells of a client. */
export class ClientFiles {
  readonly #store: Pick<Store, 'redis' | 'keys' | 'encryptor'>;

  constructor(store: Pick<Store, 'redis' | 'keys' | 'encryptor'>) {
    this.#store = store;
  }

  /** Undefined where nothing was ever kept. Rejects while Redis does not answer, or the key does not fit. */
  async read(client: string): Promise<Texts | undefined> {
    const { redis, keys, encryptor } = this.#store;
    const kept = await redis.getBuffer(keys.clientFiles(client));
    return kept ? (JSON.parse((await encryptor.decrypt(kept, placeOf(client))).toString()) as Texts) : undefined;
  }

  /** Keeps the good files of clients; only what has changed is written. */
  async keep(clients: ReadonlyMap<string, Texts>): Promise<void> {
    const { redis, keys, encryptor } = this.#store;
    const known = await redis.hgetall(keys.clientHashes);
    const keepOne = async ([client, texts]: [string, Texts]) => {
      const text = JSON.stringify(texts);
      // Which key encrypted it counts, so that it is read as long as it is needed.
      const now = `${hash('sha256', text, 'base64url')} ${encryptor.key ?? ''}`;
      if (known[client] === now) return;
      await redis
        .multi()
        .set(keys.clientFiles(client), encryptor.encrypt(Buffer.from(text), placeOf(client)))
        .hset(keys.clientHashes, client, now)
        .exec();
    };
    // Together: one after the other, each would wait for an fsync of its own.
    await Promise.all([...clients].map(keepOne));
  }

  /** Forgets the files of clients that have none any more. @param clients those whose files are there, good or not */
  async forgetOthers(clients: readonly string[]): Promise<void> {
    const { redis, keys } = this.#store;
    const there = new Set(clients);
    for (const client of await redis.hkeys(keys.clientHashes)) {
      if (there.has(client)) continue;
      await redis.multi().del(keys.clientFiles(client)).hdel(keys.clientHashes, client).exec();
    }
  }
}

/** Reads the files of one client over a connection of its own, for a process that has no store open. Rejects as `read` does. */
export async function readClientFiles(open: () => Store, client: string): Promise<Texts | undefined> {
  const store = open();
  try {
    await store.connected();
    return await new ClientFiles(store).read(client);
  } finally {
    await store.close();
  }
}

function placeOf(client: string): string {
  return `client-files:${client}`;
}
