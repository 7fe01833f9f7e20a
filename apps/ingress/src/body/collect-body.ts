import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Aborted, HttpProblem } from '../http/http-problem.ts';
import type { Share } from './in-flight.ts';
import { formatBytes } from './parse-size.ts';

/** Limits of a body whose sender is not proved. */
export const UNPROVED = {
  /** Bytes after decompression. */
  body: 1024 ** 2,
  /** How many times its own size a compressed body may become, once it has become `ratioFrom` bytes. */
  ratio: 10,
  ratioFrom: 64 * 1024,
} as const;

/**
 * What is inflated of a sender that is proved by a signature: a captured signature can be sent with any body. Transcripts
 * and the JSON around them become five to twenty times smaller; only a decompression bomb becomes a thousand times smaller.
 */
const SIGNED = { ratio: 100, ratioFrom: 1024 ** 2 } as const;

const DECOMPRESSORS: Record<string, () => Transform & { readonly bytesWritten: number }> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** Bytes that a decompressor holds by itself: its window and its buffers. */
const DECOMPRESSOR_BYTES = 64 * 1024;

/** Bytes that a buffer begins with, at most, whatever was announced. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Bytes from which on the announced length is reserved; no unproved sender gets this far. */
const RESERVED_FROM_BYTES = UNPROVED.body;

export interface BodyReading {
  /** Bytes after decompression that are read of a proved sender. */
  limit: number;
  /** What this request holds of the bytes in flight, and whether its sender is proved; the caller releases it. */
  share: Share;
  /** Reads what has arrived so far, which may prove the sender. @throws HttpProblem to end the reading */
  examine?: (bytes: Buffer, end: number) => void;
  /** Aborted when the body is no longer needed: a request that was answered ends without an event. */
  signal?: AbortSignal;
}

/**
 * Reads the body, decompressed, into one buffer: a body that came in one piece is not copied at all.
 *
 * @throws HttpProblem `too-large`, `too-large-unproved`, `too-slow`, `busy`, `unknown-encoding`, `bad-encoding`
 * @throws Aborted
 */
export function collectBody(request: IncomingMessage, { limit, share, examine, signal }: BodyReading): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  const decompress = encoding === undefined || encoding === 'identity' ? undefined : DECOMPRESSORS[encoding];
  if (encoding !== undefined && encoding !== 'identity' && !decompress) throw new HttpProblem('unknown-encoding');

  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  // Compressed or not: a compressed body is longer once decompressed, but for a few bytes of a header.
  if (announced > limit) throw tooLarge(limit);
  if (decompress) share.take(DECOMPRESSOR_BYTES);

  return new Promise((resolve, reject) => {
    const decompressor = decompress?.();
    const source: Readable = decompressor ? request.pipe(decompressor) : request;
    const into = new Collected(decompressor ? Number.NaN : announced, limit);

    const settle = (act: () => void) => {
      settled = true;
      source.off('data', onData).off('end', onEnd).off('error', onError);
      request.off('error', onGone).off('close', onGone);
      signal?.removeEventListener('abort', onAbort);
      share.onGivenUp = undefined;
      // A stream that is given up may still emit an error.
      source.on('error', ignore);
      request.on('error', ignore);
      if (decompressor) {
        request.unpipe(decompressor);
        decompressor.destroy();
      }
      act();
    };
    /** A chunk waits for its place; reading is paused meanwhile, and the end may arrive. */
    let waiting = false;
    let ended = false;
    let settled = false;
    const fail = (error: unknown) => settle(() => reject(error));
    const add = (chunk: Buffer) => {
      share.take(chunk.length);
      into.add(chunk);
      examine?.(into.buffer, into.length);
      if (!share.proved) requireLittle(into.length, decompressor?.bytesWritten);
      else if (!share.token) requireRatio(into.length, decompressor?.bytesWritten, SIGNED);
    };
    const continueWith = (place: Promise<void>, act: () => void) => {
      waiting = true;
      source.pause();
      place
        .then(() => {
          waiting = false;
          if (settled) return;
          act();
          if (ended) onEnd();
          else source.resume();
        })
        .catch(fail);
    };
    const onData = (chunk: Buffer) => {
      try {
        if (into.length + chunk.length > limit) throw tooLarge(limit);
        const place = share.place(chunk.length);
        if (place) continueWith(place, () => add(chunk));
        else add(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = () => {
      ended = true;
      if (waiting) return;
      // Its last bytes may have proved its sender.
      const place = share.place(0);
      if (place) return continueWith(place, ignore);
      share.arrived();
      settle(() => resolve(into.bytes()));
    };
    const onError = (error: Error) =>
      settle(() => reject(decompressor ? new HttpProblem('bad-encoding') : gone(error)));
    const onGone = (error?: Error) => {
      // `close` also follows a complete body, while the decompressor is still at work.
      if (error || !request.complete) settle(() => reject(gone(error)));
    };
    const onAbort = () => settle(() => reject(gone(signal?.reason)));
    share.received = () => decompressor?.bytesWritten ?? into.length;
    share.isAwaited = () =>
      !waiting &&
      !request.complete &&
      request.readableLength === 0 &&
      (decompressor ? decompressor.writableLength + decompressor.readableLength === 0 : true);
    share.onGivenUp = (why) => settle(() => reject(why));
    signal?.addEventListener('abort', onAbort, { once: true });
    source.on('data', onData).on('end', onEnd).on('error', onError);
    request.on('close', onGone);
    if (decompressor) request.on('error', onGone);
  });
}

/**
 * One buffer that bytes are added to. It grows as bytes arrive, so that announcing many costs nothing, up to the size from
 * which on the whole announced length is reserved at once: pages that were not written to take no memory, and buffers that
 * are outgrown do.
 */
class Collected {
  readonly #limit: number;
  readonly #announced: number;
  #buffer: Buffer | undefined;
  #length = 0;

  constructor(announced: number, limit: number) {
    this.#announced = announced;
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  get buffer(): Buffer {
    return this.#buffer ?? Buffer.alloc(0);
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#buffer === undefined) {
      if (chunk.length === this.#announced) {
        this.#buffer = chunk;
        this.#length = length;
        return;
      }
      this.#buffer = allocate(
        Math.max(chunk.length, Math.min(FIRST_BUFFER_BYTES, this.#announced || FIRST_BUFFER_BYTES)),
      );
    } else if (length > this.#buffer.length) {
      const isKnown = this.#announced >= length;
      const most = isKnown ? this.#announced : this.#limit;
      const wanted = isKnown && length > RESERVED_FROM_BYTES ? most : Math.max(length, this.#buffer.length * 2);
      const larger = allocate(Math.min(most, wanted));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.#length);
  }
}

/** @throws HttpProblem `too-large-unproved` */
function requireLittle(length: number, compressed: number | undefined): void {
  if (length > UNPROVED.body) {
    throw new HttpProblem(
      'too-large-unproved',
      `The limit is ${formatBytes(UNPROVED.body)} until the sender is proved.`,
    );
  }
  requireRatio(length, compressed, UNPROVED);
}

/** @throws HttpProblem `too-large-unproved` until the sender is proved, then `too-large` */
function requireRatio(
  length: number,
  compressed: number | undefined,
  { ratio, ratioFrom }: { ratio: number; ratioFrom: number },
): void {
  if (compressed === undefined || length <= ratioFrom || length <= compressed * ratio) return;
  const detail = `The body becomes more than ${ratio} times as large when it is decompressed, which is the limit from ${formatBytes(ratioFrom)} on`;
  if (ratio === UNPROVED.ratio) throw new HttpProblem('too-large-unproved', `${detail} until the sender is proved.`);
  throw new HttpProblem(
    'too-large',
    `${detail} for a sender that is proved by its signature. A path token has no such limit.`,
  );
}

function allocate(bytes: number): Buffer {
  try {
    return Buffer.allocUnsafe(bytes);
  } catch (error) {
    throw new HttpProblem('busy', undefined, error);
  }
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem('too-large', `The limit is ${formatBytes(limit)} after decompression.`);
}

function gone(error?: Error): Aborted {
  return new Aborted('the sender went away', error ? { cause: error } : undefined);
}

function ignore(): void {}
