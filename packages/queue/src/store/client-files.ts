import { hash } from 'node:crypto';
import type { IndexKey } from '../encryption/index-key.ts';
import type { Store } from './store.ts';

/** Texts by path from the folder of wrapup.yaml. */
type Texts = Record<string, string>;

/** A file that a process has in force as it is, with its mappings. */
export interface FileInForce {
  /** Of the texts. */
  hash: string;
  texts: Texts;
  /** What its sources share with no other file, secrets among it. */
  claims: string;
}

/** What the clients' files are kept on: a `Store`. */
type Base = Pick<Store, 'redis' | 'keys' | 'encryptor'> & { indexKey: Pick<IndexKey, 'load'> };

/** Where wrapup.yaml stands among the files of clients. */
const ROOT = '';

/**
 * What a client's file and its mappings last said without an error, encrypted like everything that tells of a client, and
 * which files ingress has settled.
 *
 * Two files may claim one secret, and only ingress reads secrets. What it has in force it settles here: as the hash of the
 * text and a keyed digest of what is claimed. Nothing is kept as good that ingress has not settled, so that a process which
 * starts falls back on no file that ingress would refuse, and finds out which of two was there before.
 */
export class ClientFiles {
  readonly #base: Base;

  constructor(base: Base) {
    this.#base = base;
  }

  /** Undefined where nothing was ever kept. Rejects while Redis does not answer, or the key does not fit. */
  async read(client: string): Promise<Texts | undefined> {
    const { redis, keys, encryptor } = this.#base;
    const kept = await redis.getBuffer(keys.clientFiles(client));
    return kept ? (JSON.parse((await encryptor.decrypt(kept, placeOf(client))).toString()) as Texts) : undefined;
  }

  /**
   * Keeps the good files of clients that ingress has settled; only what has changed is written.
   * @returns clients whose files ingress has not settled yet, or refuses: the last ones that it settled stay
   */
  async keep(files: ReadonlyMap<string, FileInForce>): Promise<string[]> {
    const { redis, keys, encryptor } = this.#base;
    const [known, settled] = await Promise.all([redis.hgetall(keys.clientHashes), redis.hgetall(keys.clientSettled)]);
    const unsettled: string[] = [];
    const keepOne = async ([client, { texts, hash: own }]: [string, FileInForce]) => {
      if (client === ROOT) return;
      const text = JSON.stringify(texts);
      // Which key encrypted it counts, so that it is read as long as it is needed.
      const now = `${hash('sha256', text, 'base64url')} ${encryptor.key ?? ''}`;
      if (known[client] === now) return;
      if (!settled[client]?.startsWith(`${own} `)) return void unsettled.push(client);
      await redis
        .multi()
        .set(keys.clientFiles(client), encryptor.encrypt(Buffer.from(text), placeOf(client)))
        .hset(keys.clientHashes, client, now)
        .exec();
    };
    // Together: one after the other, each would wait for an fsync of its own.
    await Promise.all([...files].map(keepOne));
    return unsettled;
  }

  /** Forgets the files of clients that have none any more. @param clients those whose files are there, good or not */
  async forgetOthers(clients: readonly string[]): Promise<void> {
    const { redis, keys } = this.#base;
    const there = new Set(clients);
    for (const client of await redis.hkeys(keys.clientHashes)) {
      if (there.has(client)) continue;
      await redis.multi().del(keys.clientFiles(client)).hdel(keys.clientHashes, client).exec();
    }
  }

  /**
   * Says for ingress what it has in force. Of a client whose file has errors, what was said last stays.
   * @param clients those whose files are there, good or not
   */
  async settle(files: ReadonlyMap<string, FileInForce>, clients: readonly string[]): Promise<void> {
    const { redis, keys, indexKey } = this.#base;
    const digest = await indexKey.load();
    const there = new Set([ROOT, ...clients]);
    const noted = await redis.hgetall(keys.clientSettled);
    const commands = redis.multi();
    for (const [name, { hash: own, claims }] of files) {
      const now = `${own} ${digest('claims', claims)}`;
      if (noted[name] !== now) commands.hset(keys.clientSettled, name, now);
    }
    for (const name of Object.keys(noted)) if (!there.has(name)) commands.hdel(keys.clientSettled, name);
    if (commands.length > 0) await commands.exec();
  }

  /**
   * What ingress settled; undefined where it never did. Rejects as `read` does.
   * @returns whether a file with this hash, and these claims where they are given, is the one that it has in force
   */
  async settled(): Promise<((name: string, hash: string, claims?: string) => boolean) | undefined> {
    const { redis, keys, indexKey } = this.#base;
    const noted = await redis.hgetall(keys.clientSettled);
    if (Object.keys(noted).length === 0) return undefined;
    const digest = await indexKey.load();
    return (name, own, claims) => {
      const note = noted[name];
      return claims === undefined
        ? note?.startsWith(`${own} `) === true
        : note === `${own} ${digest('claims', claims)}`;
    };
  }
}

/** Asks about clients' files over a connection of its own, for a process that has no store open. Rejects as `read` does. */
export async function askClientFiles<Answer>(
  open: () => Store,
  question: (files: ClientFiles) => Promise<Answer>,
): Promise<Answer> {
  const store = open();
  try {
    await store.connected();
    return await question(new ClientFiles(store));
  } finally {
    await store.close();
  }
}

function placeOf(client: string): string {
  return `client-files:${client}`;
}
