/**
 * Dictionaries that payloads are compressed with: one for each source, made of what its payloads say alike
 * (`build-dictionary.ts`), and one for all that have none yet (`skeleton.ts`).
 *
 *   dictionary:<source>:<id>  the bytes, encrypted like the payloads of the source
 *   dictionaries              hash: by source which one is in force and when it was made; `:since`, when this version came
 *
 * A dictionary is kept as long as the last payload that needs it: the scripts that compress a payload or set its end see to that,
 * by the id that the ledger notes of each revision.
 */
import { hash } from 'node:crypto';
import { Failure } from '@wrapup/destination';
import type { Encryptor } from '../encryption/encryptor.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { SKELETON } from './skeleton.ts';

export interface Dictionary {
  /** Eight hex digits. */
  id: string;
  bytes: Buffer;
}

/** When a source's dictionary was last made, or could not be made. */
export interface DictionaryNote {
  /** Epoch ms. */
  at: number;
  /** Absent where its payloads had too little in common. */
  id?: string;
}

/** For sources without one of their own; all processes have it. */
const SHARED: Dictionary = { id: '00000001', bytes: SKELETON };
/** How long what is in force is taken for granted. */
const KNOWN_MS = 60_000;
/** Dictionaries in memory, at most. */
const MAX_KNOWN = 200;
/** Processes of an earlier version cannot read what needs a dictionary: they have this long to be replaced. */
const AFTER_MS = 3_600_000;
const SINCE = ':since';
/** While nothing needs it, a dictionary ends after so many seconds. */
const UNUSED_S = 37 * 24 * 3600;

export class Dictionaries {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #encryptor: Encryptor;
  readonly #current = new Map<string, { dictionary: Dictionary | undefined; until: number }>();
  readonly #bytes = new Map<string, Buffer>();

  constructor(redis: RedisClient, keys: Keys, encryptor: Encryptor) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
  }

  /** The one to compress with; undefined while a process of an earlier version may still run. */
  async current(source: string): Promise<Dictionary | undefined> {
    const known = this.#current.get(source);
    if (known && known.until > Date.now()) return known.dictionary;
    const dictionary = await this.#readCurrent(source);
    limit(this.#current);
    this.#current.set(source, { dictionary, until: Date.now() + KNOWN_MS });
    return dictionary;
  }

  /** The one that all processes have: for a payload whose own one is gone. */
  get shared(): Dictionary {
    return SHARED;
  }

  async #readCurrent(source: string): Promise<Dictionary | undefined> {
    const [since, note] = await this.#redis.hmget(this.#keys.dictionaries, SINCE, source);
    if (!since || Date.now() - Number(since) < AFTER_MS) return undefined;
    const { id } = note ? (JSON.parse(note) as DictionaryNote) : {};
    if (id === undefined) return SHARED;
    // One that cannot be read is none to compress with.
    const bytes = await this.read(source, id).catch(() => undefined);
    return bytes ? { id, bytes } : SHARED;
  }

  /** @throws Failure when it is gone, or cannot be decrypted */
  async read(source: string, id: string): Promise<Buffer> {
    if (id === SHARED.id) return SHARED.bytes;
    const name = `${source}:${id}`;
    const known = this.#bytes.get(name);
    if (known) return known;
    const kept = await this.#redis.getBuffer(this.#keys.dictionary(source, id));
    if (!kept) {
      throw new Failure('internal', `The payload needs dictionary ${id} of source ${source}, which is gone.`, {
        hint: 'Another program removed it from Redis: restore it, or backfill the call.',
      });
    }
    const bytes = await this.#encryptor.decrypt(kept, placeOf(source, id));
    limit(this.#bytes);
    this.#bytes.set(name, bytes);
    return bytes;
  }

  /** What is known of the dictionaries of all sources. Notes that this version is here. */
  async notes(): Promise<Map<string, DictionaryNote>> {
    await this.#redis.hsetnx(this.#keys.dictionaries, SINCE, Date.now());
    const all = Object.entries(await this.#redis.hgetall(this.#keys.dictionaries));
    return new Map(all.flatMap(([source, note]) => (source === SINCE ? [] : [[source, JSON.parse(note)]])));
  }

  /**
   * Takes a dictionary into use; the one before is kept as long as payloads need it.
   * @param bytes undefined: there is none to be made
   */
  async put(source: string, bytes: Buffer | undefined, at: number): Promise<void> {
    const id = bytes && hash('sha256', bytes).slice(0, 8);
    if (bytes && id) {
      const kept = this.#encryptor.encrypt(bytes, placeOf(source, id));
      await this.#redis.set(this.#keys.dictionary(source, id), kept, 'EX', UNUSED_S);
    }
    const note: DictionaryNote = { at, ...(id === undefined ? {} : { id }) };
    await this.#redis.hset(this.#keys.dictionaries, source, JSON.stringify(note));
    this.#current.delete(source);
  }
}

function placeOf(source: string, id: string): string {
  return `dictionary:${source}:${id}`;
}

/** Makes room for one more: the one that came first goes. */
function limit(map: Map<string, unknown>): void {
  const [first] = map.keys();
  if (map.size >= MAX_KNOWN && first !== undefined) map.delete(first);
}
