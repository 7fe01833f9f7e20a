import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Share } from './in-flight.ts';
import { Refusal } from './refusal.ts';
import { formatBytes } from './sizes.ts';

/** The sender went away before its body was complete: there is nobody to answer. */
export class Aborted extends Error {
  override name = 'Aborted';
}

const DECOMPRESSORS: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** What a body of unknown length begins with. */
const FIRST_GUESS = 16 * 1024;

/**
 * Reads the body, decompressed, into one buffer of the announced length: a body that came in one piece is not copied at
 * all, any other one once. It grows only when no length was announced or the body is compressed.
 *
 * @param limit bytes after decompression
 * @param share what this request holds of the bytes in flight; the caller releases it
 * @param signal aborted when nobody waits for the body any more: a request that was answered ends without an event
 * @throws Refusal `too-large`, `busy`, `unknown-encoding`, `bad-encoding`
 * @throws Aborted
 */
export function collectBody(
  request: IncomingMessage,
  limit: number,
  share: Share,
  signal?: AbortSignal,
): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  const decompress = encoding === undefined || encoding === 'identity' ? undefined : DECOMPRESSORS[encoding];
  if (encoding !== undefined && encoding !== 'identity' && !decompress) throw new Refusal('unknown-encoding');

  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  // Nothing that is compressed gets smaller by being decompressed, so this holds for both.
  if (announced > limit) throw tooLarge(limit);

  return new Promise((resolve, reject) => {
    const decompressor = decompress?.();
    const source: Readable = decompressor ? request.pipe(decompressor) : request;
    const into = new Collected(decompressor ? Number.NaN : announced, limit, share);

    const settle = (act: () => void) => {
      source.off('data', onData).off('end', onEnd).off('error', onError);
      request.off('error', onGone).off('close', onGone);
      signal?.removeEventListener('abort', onAbort);
      // Something may still come from a stream that is being given up.
      source.on('error', ignore);
      request.on('error', ignore);
      if (decompressor) {
        request.unpipe(decompressor);
        decompressor.destroy();
      }
      act();
    };
    const onData = (chunk: Buffer) => {
      try {
        into.add(chunk);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onEnd = () => settle(() => resolve(into.bytes()));
    const onError = (error: Error) => settle(() => reject(decompressor ? new Refusal('bad-encoding') : gone(error)));
    const onGone = (error?: Error) => {
      // `close` also follows a body that came whole, while the decompressor is still at work.
      if (error || !request.complete) settle(() => reject(gone(error)));
    };
    const onAbort = () => settle(() => reject(gone(signal?.reason)));
    signal?.addEventListener('abort', onAbort, { once: true });
    source.on('data', onData).on('end', onEnd).on('error', onError);
    request.on('close', onGone);
    if (decompressor) request.on('error', onGone);
  });
}

/** One buffer that bytes are added to. */
class Collected {
  readonly #limit: number;
  readonly #share: Share;
  readonly #announced: number;
  #buffer: Buffer | undefined;
  #length = 0;

  constructor(announced: number, limit: number, share: Share) {
    this.#announced = announced;
    this.#limit = limit;
    this.#share = share;
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#limit) throw tooLarge(this.#limit);
    if (!this.#share.take(chunk.length)) throw new Refusal('busy');
    if (this.#buffer === undefined) {
      if (chunk.length === this.#announced) {
        this.#buffer = chunk;
        this.#length = length;
        return;
      }
      this.#buffer = allocate(this.#announced || Math.max(FIRST_GUESS, chunk.length));
    } else if (length > this.#buffer.length) {
      const larger = allocate(Math.min(this.#limit, Math.max(length, this.#buffer.length * 2)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  bytes(): Buffer {
    return this.#buffer?.subarray(0, this.#length) ?? Buffer.alloc(0);
  }
}

function allocate(bytes: number): Buffer {
  try {
    return Buffer.allocUnsafe(bytes);
  } catch (error) {
    throw new Refusal('busy', undefined, error);
  }
}

function tooLarge(limit: number): Refusal {
  return new Refusal('too-large', `The limit is ${formatBytes(limit)} after decompression.`);
}

function gone(error?: Error): Aborted {
  return new Aborted('the sender went away', error ? { cause: error } : undefined);
}

function ignore(): void {}
