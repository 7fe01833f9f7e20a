import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Encryptor } from '../encryption/encryptor.ts';
import type { RevisionRef } from '../ledger/entry.ts';
import { expirePayload, packPayload } from '../ledger/scripts.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import type { Dictionaries } from './dictionaries.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** First bytes of a zstd frame (RFC 8878 §3.1.1): no JSON text begins so, which is how they are distinguished. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** First bytes of what was compressed with a dictionary, before its id and the frame: they begin no UTF-8 text either. */
const WITH_DICTIONARY = Buffer.from([0xc2, 0x57, 0x44, 0x01]);
const ID_BYTES = 4;
/** What decompression may yield; above any body that ingress takes by default. */
const MAX_BYTES = 256 * 1024 * 1024;
/** As small as higher levels, to a half percent, for a half of their CPU and less; lower ones are 3 to 15 % larger. */
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 7 };
/** Up to here a payload is compressed in this thread: handing it over to another and back takes longer, some 0.2 ms. */
const SMALL_BYTES = 16 * 1024;
/** Buffers of what is compressed are this large at least. */
const MIN_CHUNK_BYTES = 1024;
/** Below this zstd gains nothing worth the CPU. */
const MIN_COMPRESSED_BYTES = 512;

/** Stored bytes that are asked for at a guess. */
const PEEKED_BYTES = 64 * 1024;

/** A payload as it was read. */
export interface KeptPayload {
  body: Buffer;
  /** Whether it is stored compressed. */
  isCompressed: boolean;
}

/** The form in which a payload is to be kept. */
export interface CompressedPayload {
  /** Encrypted where a key is given. */
  bytes: Buffer;
  /** Id of its dictionary, where that is its source's own. */
  dictionary?: string;
}

/** What `peek` has found: nothing where there is none, or a large one. */
export interface Peeked {
  bytes?: Buffer;
}

/** sha256 of the raw bytes, hex: the name of a revision. */
export function revisionOf(body: Buffer): string {
  return hash('sha256', body);
}

/** What a payload is encrypted for: it is decrypted for this very revision only. */
export function placeOf(source: string, callId: string, revision: string): string {
  return `payload:${source}:${callId}:${revision}`;
}

/**
 * The bytes of each revision, stored once and referenced by jobs. Ingress stores them as they came, because the caller
 * waits; the worker compresses them afterwards. Where a key is given they are encrypted from the first moment on.
 */
export class Payloads {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #encryptor: Encryptor;
  readonly #dictionaries: Dictionaries;

  constructor(redis: RedisClient, keys: Keys, encryptor: Encryptor, dictionaries: Dictionaries) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
    this.#dictionaries = dictionaries;
  }

  /**
   * @returns undefined when it has expired or was forgotten
   * @throws Failure when it is encrypted and cannot be decrypted, or its dictionary is gone
   */
  async read(source: string, callId: string, revision: string): Promise<Buffer | undefined> {
    return (await this.readKept(source, callId, revision))?.body;
  }

  /**
   * As `read`, and whether it is compressed already.
   * @param begun the answer of `peek`, where it was asked for before
   */
  async readKept(source: string, callId: string, revision: string, begun?: Peeked): Promise<KeptPayload | undefined> {
    const bytes = await this.#readStored(source, callId, revision, begun);
    if (!bytes) return undefined;
    if (!isCompressed(bytes)) return { body: bytes, isCompressed: false };
    const frame = startsWith(bytes, ZSTD) ? bytes : bytes.subarray(WITH_DICTIONARY.length + ID_BYTES);
    const options = { maxOutputLength: MAX_BYTES, ...(await this.#dictionaryOf(source, bytes)) };
    const isSmall = bytes.length <= SMALL_BYTES;
    const body = isSmall ? zstdDecompressSync(frame, options) : ((await decompress(frame, options)) as Buffer);
    return { body, isCompressed: true };
  }

  /** The bytes as they are kept, of one that is small enough to be asked for before it is known whether it is needed. */
  async peek(source: string, callId: string, revision: string): Promise<Peeked> {
    const bytes = await this.#redis.getrangeBuffer(this.#keys.payload(source, callId, revision), 0, PEEKED_BYTES);
    return bytes.length > 0 && bytes.length <= PEEKED_BYTES ? { bytes } : {};
  }

  async #dictionaryOf(source: string, bytes: Buffer): Promise<{ dictionary?: Buffer }> {
    if (!startsWith(bytes, WITH_DICTIONARY)) return {};
    const id = bytes.subarray(WITH_DICTIONARY.length, WITH_DICTIONARY.length + ID_BYTES).toString('hex');
    return { dictionary: await this.#dictionaries.read(source, id) };
  }

  async #readStored(source: string, callId: string, revision: string, begun?: Peeked): Promise<Buffer | undefined> {
    const kept = begun?.bytes ?? (await this.#redis.getBuffer(this.#keys.payload(source, callId, revision)));
    return kept ? this.#encryptor.decrypt(kept, placeOf(source, callId, revision)) : undefined;
  }

  async has(source: string, callId: string, revision: string): Promise<boolean> {
    return (await this.#redis.exists(this.#keys.payload(source, callId, revision))) === 1;
  }

  /**
   * Puts bytes back that have expired or were removed; their revision is in the ledger.
   * @param seconds from now until they are forgotten again
   * @returns false when they are there
   */
  async restore(source: string, callId: string, body: Buffer, seconds: number): Promise<boolean> {
    const revision = revisionOf(body);
    const kept = this.#encryptor.encrypt(body, placeOf(source, callId, revision));
    return (await this.#redis.set(this.#keys.payload(source, callId, revision), kept, 'EX', seconds, 'NX')) === 'OK';
  }

  /**
   * Replaces the bytes, where they are still there, by their compressed form; their time of expiry stays.
   * @param read as they were read a moment ago, where they were
   */
  async compress(source: string, callId: string, revision: string, read?: KeptPayload): Promise<void> {
    const body = read ? read.body : await this.#readStored(source, callId, revision);
    if (!body || body.length < MIN_COMPRESSED_BYTES || (read?.isCompressed ?? isCompressed(body))) return;
    const keep = async (isShared: boolean) => {
      const made = await this.#compressed({ source, call_id: callId, revision }, body, isShared);
      if (!made) return 0;
      const keys = [this.#keys.payload(source, callId, revision), this.#keys.ledger(source, callId)];
      if (made.dictionary !== undefined) keys.push(this.#keys.dictionary(source, made.dictionary));
      return packPayload(this.#redis, keys, [made.bytes, revision, made.dictionary ?? '']);
    };
    // The client was removed and is here again, or Redis was emptied.
    if ((await keep(false)) === -1) await keep(true);
  }

  /**
   * What makes the form in which these bytes are to be kept; undefined where they stay as they are, or are so large that no one
   * should wait for it.
   * @returns for `Ledger.route`
   */
  compressing(
    { source, call_id, revision }: RevisionRef,
    { body, isCompressed }: KeptPayload,
  ): ((isShared: boolean) => Promise<CompressedPayload | undefined>) | undefined {
    if (isCompressed || body.length < MIN_COMPRESSED_BYTES || body.length > SMALL_BYTES) return undefined;
    return (isShared) => this.#compressed({ source, call_id, revision }, body, isShared);
  }

  /** @param isShared with the dictionary that all processes have @returns nothing where it would be no smaller */
  async #compressed(
    { source, call_id, revision }: RevisionRef,
    body: Buffer,
    isShared: boolean,
  ): Promise<CompressedPayload | undefined> {
    const { shared } = this.#dictionaries;
    const dictionary = isShared ? shared : await this.#dictionaries.current(source);
    // With the size given, zstd takes tables to match; without it those of this level are some 50 MB for each call under way.
    const options = {
      params: LEVEL,
      pledgedSrcSize: body.length,
      // Of what Node takes otherwise, 16 kB for each call, most stays empty.
      chunkSize: Math.max(MIN_CHUNK_BYTES, Math.ceil(body.length / 2)),
      ...(dictionary ? { dictionary: dictionary.bytes } : {}),
    };
    const frame =
      body.length <= SMALL_BYTES ? zstdCompressSync(body, options) : ((await compress(body, options)) as Buffer);
    const packed = dictionary ? Buffer.concat([WITH_DICTIONARY, Buffer.from(dictionary.id, 'hex'), frame]) : frame;
    if (packed.length >= body.length) return undefined;
    const bytes = this.#encryptor.encrypt(packed, placeOf(source, call_id, revision));
    return { bytes, ...(dictionary && dictionary !== shared ? { dictionary: dictionary.id } : {}) };
  }

  /** @returns how many there were */
  async remove(source: string, callId: string, revisions: string[]): Promise<number> {
    let removed = 0;
    for (const hash of revisions) removed += await this.#redis.del(this.#keys.payload(source, callId, hash));
    return removed;
  }

  /** @param seconds from now until it is forgotten */
  async expire(source: string, callId: string, revision: string, seconds: number): Promise<void> {
    await expirePayload(
      this.#redis,
      [
        this.#keys.payload(source, callId, revision),
        this.#keys.ledger(source, callId),
        this.#keys.dictionary(source, ''),
      ],
      [seconds, revision],
    );
  }
}

function isCompressed(bytes: Buffer): boolean {
  return startsWith(bytes, ZSTD) || startsWith(bytes, WITH_DICTIONARY);
}

function startsWith(bytes: Buffer, magic: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}
