import { checkRedis } from './check-redis.ts';
import { CALLS_QUEUE, jobId, makeKeys, memberOf } from './keys.ts';
import type { Received, Verified } from './ledger-entry.ts';
import { acceptCall } from './ledger-scripts.ts';
import { revisionOf } from './payloads.ts';
import { CALL_ATTEMPTS, type CallJob, openQueue } from './queues.ts';
import { openRedis } from './redis.ts';

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

/** How long a payload that nothing has settled yet is kept, in seconds: longer than anything parked may wait. */
const UNSETTLED = 37 * 24 * 3600;

export interface IntakeOptions {
  url: string;
  /** `WRAPUP_PREFIX`. */
  prefix?: string;
  ledger_days?: number;
  onError(error: Error): void;
}

export function openIntake({ url, prefix, ledger_days = 90, onError }: IntakeOptions): Intake {
  const redis = openRedis(url, 'producer', onError);
  const keys = makeKeys(prefix);
  const queue = openQueue<CallJob>(CALLS_QUEUE, redis, keys);
  queue.on('error', onError);
  return {
    async accept({ source, call_id, body, received, verified, received_at }) {
      const revision = revisionOf(body);
      const member = memberOf(source, call_id);
      const before = await acceptCall(
        redis,
        [keys.ledger(source, call_id), keys.index, keys.open, keys.payload(source, call_id, revision)],
        [
          member,
          revision,
          body,
          UNSETTLED,
          ledger_days * 24 * 3600,
          received_at,
          JSON.stringify({ source, call_id, received, verified }),
        ],
      );
      if (before === 'known') return 'duplicate';
      // Also for `pending`: whoever brought these bytes first may have died before this line.
      await queue.add(
        'call',
        { source, call_id, revision },
        { jobId: jobId('c', source, call_id, revision), attempts: CALL_ATTEMPTS },
      );
      return before === 'pending' ? 'duplicate' : 'accepted';
    },
    ready: () => checkRedis(redis),
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}
