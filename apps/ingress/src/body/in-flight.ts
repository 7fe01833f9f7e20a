/**
 * Bytes of bodies in memory, of all requests together, with limits, so that no burst can exhaust the process:
 *
 * all       every body together
 * large     bodies of 256 kB and more; the rest is a reserve for small ones that large ones cannot fill
 * unproved  bodies whose sender is not proved yet, of all addresses and of each
 * call      bodies of one call with a right signature, while they arrive
 *
 * Of one call one large body at a time is read and stored: the next one waits, unread, for `PLACE_MS`, and is then
 * answered 503. One captured signature can be sent with any number of bodies, but holds the room of one only. A sender
 * that repeats a webhook before its first attempt was answered loses nothing by it. This does not apply to senders that a
 * path token proved: only the platform has the token.
 *
 * Until a sender is proved, an honest one and an attacker look the same, except that the honest one is done within
 * milliseconds. So when there is no room, it is made: of the address that holds most, the unproved body that has been
 * arriving for the longest time is given up. A new body is refused only where no unproved one is left.
 */
import { HttpProblem } from '../http/http-problem.ts';
import { Turns } from './turns.ts';

/** Bytes from which on a body counts as large. */
export const SMALL_BODY_BYTES = 256 * 1024;

export interface InFlightLimits {
  all: number;
  large: number;
  unproved: number;
  /** Of one address, unproved. */
  address: number;
  /** Of one call, by signature, not complete and not large yet. */
  call: number;
}

/** Ms after which an unproved body that is not complete is given up. */
const UNPROVED_MS = 10_000;
/** Bytes a second, as sent, below which a body is given up: an unproved one earlier, a proved one later. */
const MIN_BYTES_PER_S = 16 * 1024;
const SLOW_UNPROVED_AFTER_MS = 5_000;
const SLOW_AFTER_MS = 10_000;
/** Ms that a large body waits for another one of its call. */
const PLACE_MS = 10_000;
/** How often bodies that are not complete are checked. */
const SWEEP_MS = 500;

/** What one body needs: a sender's proof may be at the end of the first MB. */
const MIN_UNPROVED_BYTES = 2 * 1024 ** 2;

/**
 * @param all bytes of every body together
 * @param largest body that is taken
 */
export function shareOut(all: number, largest: number): InFlightLimits {
  return {
    all,
    large: Math.max(all / 2, Math.min(largest, all)),
    unproved: Math.min(all, Math.max(all / 4, MIN_UNPROVED_BYTES)),
    address: Math.min(all, Math.max(all / 16, MIN_UNPROVED_BYTES)),
    call: Math.min(all, Math.max(all / 16, MIN_UNPROVED_BYTES)),
  };
}

export class InFlight {
  readonly limits: Readonly<InFlightLimits>;
  /** Unproved bodies given up for others, since the start. */
  givenUp = 0;
  #used = 0;
  #large = 0;
  #unproved = 0;
  /** Unproved bytes by address. */
  readonly #addresses = new Map<string, number>();
  /** Bodies that are not complete, the oldest first. */
  readonly #arriving = new Set<Share>();
  /** Of the large bodies of each call. */
  readonly #turns = new Map<string, Turns>();
  readonly #now: () => number;
  #sweep: NodeJS.Timeout | undefined;
  #checked = 0;

  /** @param now the clock, in ms */
  constructor(limits: Readonly<InFlightLimits>, now: () => number = () => performance.now()) {
    this.limits = limits;
    this.#now = now;
  }

  get used(): number {
    return this.#used;
  }

  get unproved(): number {
    return this.#unproved;
  }

  /** The share of one body that is about to arrive; the caller releases it. */
  open(address: string, proved: boolean): Share {
    const share = new Share(this, address, proved, this.#now());
    this.#arriving.add(share);
    if (!this.#sweep) {
      this.#checked = this.#now();
      this.#planSweep();
    }
    return share;
  }

  /** For shares only. @returns false when there is no room; nothing is taken then */
  admit(share: Share, bytes: number): boolean {
    const large =
      share.bytes >= SMALL_BODY_BYTES ? bytes : share.bytes + bytes >= SMALL_BODY_BYTES ? share.bytes + bytes : 0;
    if (!share.proved) {
      const { address } = share;
      while ((this.#addresses.get(address) ?? 0) + bytes > this.limits.address) {
        if (!this.#makeBackpressure(share, (other) => other.address === address)) return false;
      }
      while (this.#unproved + bytes > this.limits.unproved)
        if (!this.#makeBackpressure(share, this.#ofHeaviest())) return false;
    }
    const { call } = share;
    if (call !== undefined && large === 0) {
      while (this.#arrivingBytesOf(call) + bytes > this.limits.call) if (!this.#makeRoomOf(call, share)) return false;
    }
    while (this.#used + bytes > this.limits.all) if (!this.#makeBackpressure(share, this.#ofHeaviest())) return false;
    while (large > 0 && this.#large + large > this.limits.large) {
      if (!this.#makeBackpressure(share, (other) => other.bytes >= SMALL_BODY_BYTES)) return false;
    }
    this.#used += bytes;
    this.#large += large;
    if (!share.proved) this.#countUnproved(share.address, bytes);
    return true;
  }

  /** For shares only. */
  prove(share: Share): void {
    this.#countUnproved(share.address, -share.bytes);
  }

  /**
   * For shares only: the place of the one large body that a call may have.
   * @returns leaves it; must be called
   * @throws HttpProblem `busy` when it is not free within `PLACE_MS`
   */
  async place(call: string): Promise<() => void> {
    const turns = this.#turns.get(call) ?? new Turns('Another large body of this call is being received.');
    this.#turns.set(call, turns);
    const end = await turns.take(PLACE_MS);
    return () => {
      end();
      if (turns.idle) this.#turns.delete(call);
    };
  }

  /** For shares only. */
  arrived(share: Share): void {
    this.#arriving.delete(share);
  }

  /** For shares only. */
  giveBack(share: Share): void {
    this.#arriving.delete(share);
    this.#used -= share.bytes;
    if (share.bytes >= SMALL_BODY_BYTES) this.#large -= share.bytes;
    if (!share.proved) this.#countUnproved(share.address, -share.bytes);
  }

  #countUnproved(address: string, bytes: number): void {
    this.#unproved += bytes;
    const left = (this.#addresses.get(address) ?? 0) + bytes;
    if (left > 0) this.#addresses.set(address, left);
    else this.#addresses.delete(address);
  }

  /** Gives up the oldest unproved body that `of` selects. @returns false when there is none */
  #makeBackpressure(newcomer: Share, of: (share: Share) => boolean): boolean {
    for (const share of this.#arriving) {
      if (share === newcomer || share.proved || share.bytes === 0 || !of(share)) continue;
      this.givenUp += 1;
      share.giveUp(new HttpProblem('busy', 'Other bodies needed the room before this one was complete.'));
      return true;
    }
    return false;
  }

  #arrivingBytesOf(call: string): number {
    let bytes = 0;
    for (const share of this.#arriving) if (share.call === call && share.bytes < SMALL_BODY_BYTES) bytes += share.bytes;
    return bytes;
  }

  /** As `#makeBackpressure`, among the small bodies of one call, which are proved. */
  #makeRoomOf(call: string, newcomer: Share): boolean {
    for (const share of this.#arriving) {
      if (share === newcomer || share.call !== call || share.bytes === 0 || share.bytes >= SMALL_BODY_BYTES) continue;
      share.giveUp(
        new HttpProblem('busy', 'Other bodies of the same call needed the room before this one was complete.'),
      );
      return true;
    }
    return false;
  }

  #ofHeaviest(): (share: Share) => boolean {
    let most = 0;
    let heaviest: string | undefined;
    for (const [address, bytes] of this.#addresses) {
      if (bytes <= most) continue;
      most = bytes;
      heaviest = address;
    }
    return (share) => share.address === heaviest;
  }

  #planSweep(): void {
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      this.giveUpSlow();
      if (this.#arriving.size > 0) this.#planSweep();
    }, SWEEP_MS).unref();
  }

  /** Gives up bodies of slow senders. Time in which a sender waits for ingress does not count. */
  giveUpSlow(): void {
    const now = this.#now();
    const elapsed = now - this.#checked;
    this.#checked = now;
    // The event loop was late: bytes may wait to be read.
    const late = elapsed > 2 * SWEEP_MS;
    for (const share of this.#arriving) {
      if (late || !share.isAwaited()) {
        share.since += Math.min(elapsed, now - share.since);
        continue;
      }
      const ms = now - share.since;
      if (ms < SLOW_UNPROVED_AFTER_MS) continue;
      const slow = share.received() < (ms / 1000) * MIN_BYTES_PER_S;
      if (share.proved ? slow && ms >= SLOW_AFTER_MS : slow || ms >= UNPROVED_MS) {
        share.giveUp(new HttpProblem('too-slow'));
      }
    }
  }
}

/** What one request holds. It counts bytes that arrived, not bytes announced. */
export class Share {
  readonly address: string;
  /** Whether its sender was proved before the body, by a path token. */
  readonly token: boolean;
  /** When it was opened, in ms of the clock, plus the time for which its sender had to wait for ingress. */
  since: number;
  /** Source and id of the call whose signature proved the sender. */
  call: string | undefined;
  /** Bytes as sent, so far; set by the reader of the body. */
  received: () => number = () => 0;
  /** Whether all that arrived has been read; set by the reader of the body. */
  isAwaited: () => boolean = () => true;
  /** Ends the reading; set by the reader of the body. */
  onGivenUp: ((why: HttpProblem) => void) | undefined;
  readonly #all: InFlight;
  #bytes = 0;
  #proved: boolean;
  #ended: HttpProblem | true | undefined;
  #leave: (() => void) | undefined;

  constructor(all: InFlight, address: string, proved: boolean, since: number) {
    this.#all = all;
    this.address = address;
    this.token = proved;
    this.#proved = proved;
    this.since = since;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether its sender is proved. */
  get proved(): boolean {
    return this.#proved;
  }

  /**
   * Must be called before `take`. A body of a signed call that becomes large needs the place of its call, and has it until it
   * is released.
   * @returns undefined when it needs none; otherwise resolves when it has it
   * @throws HttpProblem `busy` by the promise
   */
  place(bytes: number): Promise<void> | undefined {
    if (this.call === undefined || this.#ended || this.#leave || this.#bytes + bytes < SMALL_BODY_BYTES)
      return undefined;
    return this.#all.place(this.call).then((leave) => {
      if (this.#ended) leave();
      else this.#leave = leave;
    });
  }

  /** @throws HttpProblem `busy` when there is no room, or why it was given up */
  take(bytes: number): void {
    if (this.#ended instanceof HttpProblem) throw this.#ended;
    if (!this.#all.admit(this, bytes)) throw new HttpProblem('busy');
    this.#bytes += bytes;
  }

  /**
   * From now on it is given up only for others of its call.
   * @param call source and id of the call that is signed
   */
  prove(call: string): void {
    if (this.#proved || this.#ended) return;
    this.#all.prove(this);
    this.#proved = true;
    this.call = call;
  }

  /** The body is complete. */
  arrived(): void {
    this.#all.arrived(this);
  }

  giveUp(why: HttpProblem): void {
    this.release();
    this.#ended = why;
    this.onGivenUp?.(why);
  }

  release(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#all.giveBack(this);
    this.#leave?.();
    this.#bytes = 0;
  }
}
