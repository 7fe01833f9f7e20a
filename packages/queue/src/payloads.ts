import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** First bytes of a zstd frame (RFC 8878 §3.1.1): no JSON text begins so, which is how the two are told apart. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** What decompression may yield; above any body that ingress takes by default. */
const MAX_BYTES = 256 * 1024 * 1024;
/** Below this zstd gains nothing worth the CPU. */
const WORTH_COMPRESSING = 512;

/** sha256 of the raw bytes, hex: the name of a revision. */
export function revisionOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

/**
 * The bytes of each revision, stored once and referenced by jobs. Ingress stores them as they came, because the caller
 * waits; the worker compresses them afterwards.
 */
export class Payloads {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @returns undefined when it has expired or was forgotten */
  async read(source: string, callId: string, revision: string): Promise<Buffer | undefined> {
    const bytes = await this.#redis.getBuffer(this.#keys.payload(source, callId, revision));
    if (!bytes) return undefined;
    if (!bytes.subarray(0, 4).equals(ZSTD)) return bytes;
    return (await decompress(bytes, { maxOutputLength: MAX_BYTES })) as Buffer;
  }

  /** Replaces the bytes by their compressed form; its end of life stays. */
  async compress(source: string, callId: string, revision: string, body: Buffer): Promise<void> {
    if (body.length < WORTH_COMPRESSING) return;
    const packed = (await compress(body)) as Buffer;
    if (packed.length >= body.length) return;
    await this.#redis.set(this.#keys.payload(source, callId, revision), packed, 'KEEPTTL', 'XX');
  }

  /** @param seconds from now until it is forgotten */
  async expire(source: string, callId: string, revision: string, seconds: number): Promise<void> {
    await this.#redis.expire(this.#keys.payload(source, callId, revision), seconds);
  }
}
