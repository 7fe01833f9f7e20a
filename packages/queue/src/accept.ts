/** How a call comes into Redis, whoever brings it: the bytes, the ledger and the job. */
import type { Queue } from 'bullmq';
import { jobId, type Keys, memberOf } from './keys.ts';
import { laneOf, priorityOf } from './lanes.ts';
import type { Received, Verified } from './ledger-entry.ts';
import { ACCEPT_CALL } from './ledger-scripts.ts';
import { placeOf, revisionOf } from './payloads.ts';
import { CALL_ATTEMPTS, type CallJob } from './queues.ts';
import type { RedisClient } from './redis.ts';
import { runBeforeAdding } from './run-before-adding.ts';
import type { Sealer } from './seal.ts';

/** One finished call, verified, on its way into Redis. */
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

/** `duplicate`: the same id with the same bytes was accepted before. */
export type Accepted = 'accepted' | 'duplicate';

/** How long a payload that nothing has settled yet is kept, in seconds: longer than anything parked may wait. */
const UNSETTLED = 37 * 24 * 3600;

/** Keeps the bytes and adds the job, in one step, and resolves only when Redis has both. */
export async function acceptArrival(
  { redis, keys, queue, sealer }: { redis: RedisClient; keys: Keys; queue: Queue<CallJob>; sealer: Sealer },
  { source, call_id, body, received, verified, received_at }: Arrival,
  ledger_days: number,
): Promise<Accepted> {
  const revision = revisionOf(body);
  const before = await runBeforeAdding<'new' | 'revision' | 'pending' | 'known'>(
    { redis, queue },
    {
      name: 'wrapupAccept',
      lua: ACCEPT_CALL,
      keys: [keys.ledger(source, call_id), keys.index, keys.open, keys.payload(source, call_id, revision)],
      args: [
        memberOf(source, call_id),
        revision,
        sealer.seal(body, placeOf(source, call_id, revision)),
        UNSETTLED,
        ledger_days * 24 * 3600,
        received_at,
        source,
        call_id,
        received,
        verified,
      ],
      // Not for `pending`: whoever brought these bytes first may have died before their job was there.
      unless: 'known',
    },
    {
      name: 'call',
      data: { source, call_id, revision },
      opts: {
        jobId: jobId('c', source, call_id, revision),
        attempts: CALL_ATTEMPTS,
        ...priorityOf(laneOf({ received })),
      },
    },
  );
  return before === 'pending' || before === 'known' ? 'duplicate' : 'accepted';
}
