/**
 * Bytes of bodies in memory, of all requests together, with limits, so that no burst can exhaust the process:
 *
 * all       every body together
 * large     bodies of 256 kB and more; what is left is a reserve for small ones that large ones cannot fill
 * unproved  bodies whose sender has proved nothing yet, of all addresses and of each
 *
 * call      bodies of one call whose signature was found right, while they come
 *
 * Of one call one large body at a time is read and stored: the next one waits, unread, for `PLACE_MS`, and is then
 * answered 503. One signature, captured once, is good for any number of bodies, but for the room of one only. A sender
 * that repeats itself before its first try was answered loses nothing by it. Not so where a path token proved the
 * sender: what holds the token is the platform.
 *
 * Until a sender is proved, an honest one and an attacker look the same. Only that the honest one is done within
 * milliseconds tells them apart. So when there is no room, it is made: the unproved body that has been coming for the
 * longest time is given up, of the address that holds most. A newcomer is refused only where nothing unproved is left.
 */
import { Refusal } from './refusal.ts';
import { Turns } from './turns.ts';

/** Bytes from which on a body counts as large. */
export const SMALL_BODY = 256 * 1024;

export interface InFlightLimits {
  all: number;
  large: number;
  unproved: number;
  /** Of one address, unproved. */
  address: number;
  /** Of one call, by signature, still coming and not large yet. */
  call: number;
}

/** Ms after which an unproved body that still comes is given up. */
const UNPROVED_MS = 10_000;
/** Bytes a second, as sent, below which a body is given up: an unproved one after some seconds, any other one later. */
const LEAST_SPEED = 16 * 1024;
const LEAST_SPEED_UNPROVED_AFTER_MS = 5_000;
const LEAST_SPEED_AFTER_MS = 10_000;
/** Ms that a large body waits for another one of its call. */
const PLACE_MS = 10_000;
/** How often the bodies that still come are looked at. */
const SWEEP_MS = 500;

/** What a body needs at least: a sender's proof may be at the end of the first MB. */
const LEAST_UNPROVED = 2 * 1024 ** 2;

/**
 * @param all bytes of every body together
 * @param largest body that is taken
 */
export function shareOut(all: number, largest: number): InFlightLimits {
  return {
    all,
    large: Math.max(all / 2, Math.min(largest, all)),
    unproved: Math.min(all, Math.max(all / 4, LEAST_UNPROVED)),
    address: Math.min(all, Math.max(all / 16, LEAST_UNPROVED)),
    call: Math.min(all, Math.max(all / 16, LEAST_UNPROVED)),
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
  /** Bodies that still come, the oldest first. */
  readonly #coming = new Set<Share>();
  /** Of the large bodies of each call. */
  readonly #turns = new Map<string, Turns>();
  readonly #now: () => number;
  #sweep: NodeJS.Timeout | undefined;
  #looked = 0;

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

  /** For one body that is about to come; whoever opens it must release it. */
  open(address: string, proved: boolean): Share {
    const share = new Share(this, address, proved, this.#now());
    this.#coming.add(share);
    if (!this.#sweep) {
      this.#looked = this.#now();
      this.#planSweep();
    }
    return share;
  }

  /** For shares only. @returns false when there is no room; nothing is taken then */
  admit(share: Share, bytes: number): boolean {
    const large = share.bytes >= SMALL_BODY ? bytes : share.bytes + bytes >= SMALL_BODY ? share.bytes + bytes : 0;
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
      while (this.#comingOf(call) + bytes > this.limits.call) if (!this.#makeRoomOf(call, share)) return false;
    }
    while (this.#used + bytes > this.limits.all) if (!this.#makeBackpressure(share, this.#ofHeaviest())) return false;
    while (large > 0 && this.#large + large > this.limits.large) {
      if (!this.#makeBackpressure(share, (other) => other.bytes >= SMALL_BODY)) return false;
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
   * @throws Refusal `busy` when it is not free within `PLACE_MS`
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
    this.#coming.delete(share);
  }

  /** For shares only. */
  giveBack(share: Share): void {
    this.#coming.delete(share);
    this.#used -= share.bytes;
    if (share.bytes >= SMALL_BODY) this.#large -= share.bytes;
    if (!share.proved) this.#countUnproved(share.address, -share.bytes);
  }

  #countUnproved(address: string, bytes: number): void {
    this.#unproved += bytes;
    const left = (this.#addresses.get(address) ?? 0) + bytes;
    if (left > 0) this.#addresses.set(address, left);
    else this.#addresses.delete(address);
  }

  /** Gives up the oldest unproved body of those asked for. @returns false when there is none */
  #makeBackpressure(newcomer: Share, of: (share: Share) => boolean): boolean {
    for (const share of this.#coming) {
      if (share === newcomer || share.proved || share.bytes === 0 || !of(share)) continue;
      this.givenUp += 1;
      share.giveUp(new Refusal('busy', 'Others needed the room before this body was complete.'));
      return true;
    }
    return false;
  }

  #comingOf(call: string): number {
    let bytes = 0;
    for (const share of this.#coming) if (share.call === call && share.bytes < SMALL_BODY) bytes += share.bytes;
    return bytes;
  }

  /** As `#makeBackpressure`, among the small bodies of one call, which are proved. */
  #makeRoomOf(call: string, newcomer: Share): boolean {
    for (const share of this.#coming) {
      if (share === newcomer || share.call !== call || share.bytes === 0 || share.bytes >= SMALL_BODY) continue;
      share.giveUp(new Refusal('busy', 'Others of the same call needed the room before this body was complete.'));
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
      this.look();
      if (this.#coming.size > 0) this.#planSweep();
    }, SWEEP_MS).unref();
  }

  /** Gives up bodies whose senders are slow. The time in which a sender waits for us is not counted as its own. */
  look(): void {
    const now = this.#now();
    const elapsed = now - this.#looked;
    this.#looked = now;
    // Late ourselves: bytes may wait to be read.
    const late = elapsed > 2 * SWEEP_MS;
    for (const share of this.#coming) {
      if (late || !share.isAwaited()) {
        share.since += Math.min(elapsed, now - share.since);
        continue;
      }
      const ms = now - share.since;
      if (ms < LEAST_SPEED_UNPROVED_AFTER_MS) continue;
      const slow = share.received() < (ms / 1000) * LEAST_SPEED;
      if (share.proved ? slow && ms >= LEAST_SPEED_AFTER_MS : slow || ms >= UNPROVED_MS) {
        share.giveUp(new Refusal('too-slow'));
      }
    }
  }
}

/** What one request holds. It counts bytes that came, not bytes announced: announcing costs a stranger nothing. */
export class Share {
  readonly address: string;
  /** Whether its sender was proved before the body, by a path token. */
  readonly token: boolean;
  /** When it was opened, in ms of the clock, and as much later as its sender had to wait for us. */
  since: number;
  /** Source and id of the call whose signature proved the sender. */
  call: string | undefined;
  /** Bytes as the sender sent them, so far; set by whoever reads them. */
  received: () => number = () => 0;
  /** Whether we have read all that came, and wait for more; set by whoever reads. */
  isAwaited: () => boolean = () => true;
  /** Ends the reading; set by whoever reads. */
  onGivenUp: ((why: Refusal) => void) | undefined;
  readonly #all: InFlight;
  #bytes = 0;
  #proved: boolean;
  #ended: Refusal | true | undefined;
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
   * To be asked before `take`. A body of a signed call that becomes large needs the place of its call, and has it until it
   * is released.
   * @returns undefined when it needs none; otherwise resolves when it has it
   * @throws Refusal `busy` by the promise
   */
  place(bytes: number): Promise<void> | undefined {
    if (this.call === undefined || this.#ended || this.#leave || this.#bytes + bytes < SMALL_BODY) return undefined;
    return this.#all.place(this.call).then((leave) => {
      if (this.#ended) leave();
      else this.#leave = leave;
    });
  }

  /** @throws Refusal `busy` when there is no room, or why it was given up */
  take(bytes: number): void {
    if (this.#ended instanceof Refusal) throw this.#ended;
    if (!this.#all.admit(this, bytes)) throw new Refusal('busy');
    this.#bytes += bytes;
  }

  /**
   * From now on it is not given up for others, other than those of its call.
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

  giveUp(why: Refusal): void {
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
