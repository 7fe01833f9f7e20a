import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Encryptor } from '../encryption/encryptor.ts';
import { packPayload } from '../ledger/scripts.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** First bytes of a zstd frame (RFC 8878 §3.1.1): no JSON text begins so, which is how they are distinguished. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** What decompression may yield; above any body that ingress takes by default. */
const MAX_BYTES = 256 * 1024 * 1024;
/** As small as higher levels, to a half percent, for a half of their CPU and less; lower ones are 3 to 15 % larger. */
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 7 };
/** Up to here a payload is compressed in this thread: handing it over to another and back takes longer, some 0.2 ms. */
const SMALL_BYTES = 16 * 1024;
/** Below this zstd gains nothing worth the CPU. */
const MIN_COMPRESSED_BYTES = 512;

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

  constructor(redis: RedisClient, keys: Keys, encryptor: Encryptor) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encryptor = encryptor;
  }

  /**
   * @returns undefined when it has expired or was forgotten
   * @throws Failure when it is encrypted and cannot be decrypted
   */
  async read(source: string, callId: string, revision: string): Promise<Buffer | undefined> {
    const bytes = await this.#readStored(source, callId, revision);
    if (!bytes || !isCompressed(bytes)) return bytes;
    const limit = { maxOutputLength: MAX_BYTES };
    if (bytes.length <= SMALL_BYTES) return zstdDecompressSync(bytes, limit);
    return (await decompress(bytes, limit)) as Buffer;
  }

  async #readStored(source: string, callId: string, revision: string): Promise<Buffer | undefined> {
    const kept = await this.#redis.getBuffer(this.#keys.payload(source, callId, revision));
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

  /** Replaces the bytes, where they are still there, by their compressed form; their time of expiry stays. */
  async compress(source: string, callId: string, revision: string): Promise<void> {
    const body = await this.#readStored(source, callId, revision);
    if (!body || body.length < MIN_COMPRESSED_BYTES || isCompressed(body)) return;
    // With the size given, zstd takes tables to match; without it those of this level are some 50 MB for each call under way.
    const options = { params: LEVEL, pledgedSrcSize: body.length };
    const packed =
      body.length <= SMALL_BYTES ? zstdCompressSync(body, options) : ((await compress(body, options)) as Buffer);
    if (packed.length >= body.length) return;
    const kept = this.#encryptor.encrypt(packed, placeOf(source, callId, revision));
    const keys = [this.#keys.payload(source, callId, revision), this.#keys.ledger(source, callId)];
    await packPayload(this.#redis, keys, [kept, revision]);
  }

  /** @returns how many there were */
  async remove(source: string, callId: string, revisions: string[]): Promise<number> {
    let removed = 0;
    for (const hash of revisions) removed += await this.#redis.del(this.#keys.payload(source, callId, hash));
    return removed;
  }

  /** @param seconds from now until it is forgotten */
  async expire(source: string, callId: string, revision: string, seconds: number): Promise<void> {
    await this.#redis.expire(this.#keys.payload(source, callId, revision), seconds);
  }
}

function isCompressed(bytes: Buffer): boolean {
  return bytes.subarray(0, ZSTD.length).equals(ZSTD);
}
