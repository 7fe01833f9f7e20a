/**
 * Calls that this process has just routed, as it read them, for the first attempts of their deliveries: what was read and
 * normalised a moment ago need not be read again. A hint and no more: whether a delivery may be made is decided by the step in
 * Redis that begins it, and where anything else is known there than here, the call is read.
 */
import type { Source } from '@wrapup/config';
import type { LedgerEntry, RevisionRef } from '@wrapup/queue';
import type { StandingCall } from '@wrapup/synthflow';

/** A call with one revision, as it was routed. */
export interface RecentCall {
  /** Settings with which it was normalised. */
  source: Source;
  entry: LedgerEntry;
  standing: StandingCall;
}

interface Kept {
  call: RecentCall;
  bytes: number;
  /** Deliveries that have not asked for it. */
  uses: number;
  since: number;
}

const LIMITS = { max_calls: 2_000, max_bytes: 8 * 1024 * 1024 };
/** A call that takes more is read again. */
const MAX_CALL_BYTES = 64 * 1024;
/** A call is kept no longer, whether its deliveries have begun or not: mostly another process has them. */
const KEPT_MS = 60_000;

export class RecentCalls {
  readonly #limits: typeof LIMITS;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /** Bytes that all of them take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Keeps a call for its deliveries. Where there is no room, it is not kept: those that were routed before come before it.
   * @param bytes that it takes: those of its payload, and of the values in it
   */
  keep(ref: RevisionRef, call: RecentCall, { bytes, deliveries }: { bytes: number; deliveries: number }): void {
    this.#dropOld();
    const { max_calls, max_bytes } = this.#limits;
    const isFull = this.#kept.size >= max_calls || this.#bytes + bytes > max_bytes;
    if (deliveries === 0 || bytes > MAX_CALL_BYTES || isFull || this.#kept.has(keyOf(ref))) return;
    this.#kept.set(keyOf(ref), { call, bytes, uses: deliveries, since: performance.now() });
    this.#bytes += bytes;
    this.#dropLater();
  }

  /** For one delivery of the call. */
  take(ref: RevisionRef): RecentCall | undefined {
    const key = keyOf(ref);
    this.#dropOld();
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    kept.uses -= 1;
    if (kept.uses === 0) this.#drop(key, kept);
    return kept.call;
  }

  #dropOld(): void {
    const before = performance.now() - KEPT_MS;
    for (const [key, kept] of this.#kept) {
      if (kept.since > before) return;
      this.#drop(key, kept);
    }
  }

  /** Also where no further call comes: what a call says must not stay longer. */
  #dropLater(): void {
    const [oldest] = this.#kept.values();
    if (!oldest || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#dropOld();
        this.#dropLater();
      },
      Math.max(1, Math.ceil(oldest.since + KEPT_MS - performance.now())),
    ).unref();
  }

  #drop(key: string, { bytes }: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= bytes;
  }
}

function keyOf({ source, call_id, revision }: RevisionRef): string {
  return `${revision}:${source}:${call_id}`;
}
