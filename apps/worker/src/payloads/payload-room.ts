/**
 * Large payloads in hand, in bytes. A payload takes many times its size in memory while it is read and written, one of
 * many small values most of all, and fifty of them at once would end the process. So large ones share a number of bytes;
 * a job that finds no room comes again later, and its attempt is not counted. Small ones are not counted: as many as may be in
 * hand at once have room anyway.
 */
import { Failure } from '@wrapup/destination';

const MB = 1024 * 1024;
/** Bytes of large payloads in hand at once. One that is larger than this is let in alone. */
const ROOM_BYTES = 32 * MB;
/** Below this a payload is not counted, bytes. */
const SMALL_BYTES = MB / 4;
/** Bytes that a parsed value takes, in the order of an empty object with its place in a list. */
export const VALUE_BYTES = 64;
/** Milliseconds after which a job that found no room comes again, at least and at most. */
const FULL_WAIT_MS = [500, 2_500] as const;

export class PayloadRoom {
  #taken = 0;
  readonly #room: number;

  constructor(room = ROOM_BYTES) {
    this.#room = room;
  }

  /** Bytes of large payloads in hand now. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Does the work while the bytes are counted.
   * @param work is given what counts the values of a payload too, once they are known, which throws as this does; and what says
   * whether others may wait for the room that it takes
   * @throws Failure that waits, when there is no room for them now
   */
  async hold<Result>(
    bytes: number,
    work: (claim: (values: number) => void, isHolding: () => boolean) => Promise<Result>,
  ): Promise<Result> {
    let held = 0;
    const take = (wanted: number) => {
      if (wanted < SMALL_BYTES) return;
      const others = this.#taken - held;
      if (others > 0 && this.#taken + wanted > this.#room) {
        throw new Failure('busy', 'Other large payloads are being read; this one waits for its turn.', {
          retry_after: FULL_WAIT_MS[0] + Math.round(Math.random() * (FULL_WAIT_MS[1] - FULL_WAIT_MS[0])),
        });
      }
      held += wanted;
      this.#taken += wanted;
    };
    try {
      take(bytes);
      return await work(
        (values) => take(values * VALUE_BYTES),
        () => held > 0,
      );
    } finally {
      this.#taken -= held;
    }
  }
}

/** Bytes of these revisions together, before compression. Those of earlier versions, which do not say it, count as none. */
export function bytesOfRevisions(revisions: readonly { bytes?: number }[]): number {
  return revisions.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
