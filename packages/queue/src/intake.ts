import type { Received, Verified } from './ledger-entry.ts';

/** One webhook, verified, on its way into Redis. */
export interface Arrival {
  source: string;
  call_id: string;
  /** The raw bytes, as they came (after decompression). */
  body: Buffer;
  received: Received;
  verified: Verified;
  /** Epoch ms. */
  received_at: number;
}

/**
 * The producer's side of Redis, as ingress uses it. It fails fast: every promise settles within a second, also while
 * Redis is down, hung or restarting, and works again by itself when Redis is back.
 */
export interface Intake {
  /**
   * Keeps the bytes, then adds the job, and resolves only when Redis has both.
   * `duplicate`: the same id with the same bytes was accepted before. Rejects when Redis cannot take it.
   */
  accept(arrival: Arrival): Promise<'accepted' | 'duplicate'>;
  /** Whether Redis can take a call now, and what is wrong with its settings (eviction policy, AOF, memory). */
  ready(): Promise<{ ok: boolean; problems: string[] }>;
  close(): Promise<void>;
}
