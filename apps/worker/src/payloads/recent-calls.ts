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
/** A larger payload is read again. */
const MAX_BODY_BYTES = 64 * 1024;
/** A call whose deliveries have not begun by then is read again; mostly another process has them. */
const KEPT_MS = 60_000;

export class RecentCalls {
  readonly #limits: typeof LIMITS;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * Keeps a call for its deliveries. Where there is no room, it is not kept: those that were routed before come before it.
   * @param bytes of its payload
   */
  keep(ref: RevisionRef, call: RecentCall, { bytes, deliveries }: { bytes: number; deliveries: number }): void {
    this.#dropOld();
    const { max_calls, max_bytes } = this.#limits;
    const isFull = this.#kept.size >= max_calls || this.#bytes + bytes > max_bytes;
    if (deliveries === 0 || bytes > MAX_BODY_BYTES || isFull || this.#kept.has(keyOf(ref))) return;
    this.#kept.set(keyOf(ref), { call, bytes, uses: deliveries, since: performance.now() });
    this.#bytes += bytes;
  }

  /** For one delivery of the call. */
  take(ref: RevisionRef): RecentCall | undefined {
    const key = keyOf(ref);
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

  #drop(key: string, { bytes }: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= bytes;
  }
}

function keyOf({ source, call_id, revision }: RevisionRef): string {
  return `${revision}:${source}:${call_id}`;
}
