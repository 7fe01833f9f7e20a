/** How a call is kept in Redis, by ingress, reconciliation and backfills: the bytes, the ledger entry and the job. */
import type { Queue } from 'bullmq';
import type { Encryptor } from '../encryption/encryptor.ts';
import type { Received, Verified } from '../ledger/entry.ts';
import type { PackedEntries } from '../packed/packed-entries.ts';
import { placeOf, revisionOf } from '../payloads/payloads.ts';
import {
  type AtomicStep,
  enqueueAtomically,
  JOB_ONLY,
  type NewJob,
  type StepAndJobs,
} from '../queues/atomic-enqueue.ts';
import { bullPriority, priorityOf } from '../queues/priority.ts';
import { BEYOND_LIMIT, type CallJob, MAX_CALL_ATTEMPTS } from '../queues/queues.ts';
import type { RedisClient } from '../redis/client.ts';
import { jobId, type Keys, memberOf } from '../redis/keys.ts';
import { secondsOfDays } from '../redis/spans.ts';
import { ACCEPT_CALL, CHECK_CALL } from './accept-script.ts';

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
  /** Whether the payload says that the call is over: the first such revision is taken whatever came before it. */
  terminal?: boolean;
  /** `revisionOf(body)`, where it has been computed already. */
  revision?: string;
}

/**
 * `duplicate`: the same id with the same bytes was accepted before. `ignored`: too many revisions of this call, or too
 * many bytes; it is noted and counted, and nothing of it is kept.
 */
export type Accepted = 'accepted' | 'duplicate' | 'ignored';

/** `retention.ledger` in force for a source, which its client may set. */
export type LedgerDays = (source: string) => number;

/** How long a payload is kept while its deliveries have not ended: longer than anything parked may wait. */
export const UNSETTLED_S = 37 * 24 * 3600;

/** Where arrivals are kept. */
interface AcceptParts {
  redis: RedisClient;
  keys: Keys;
  /** The queue for the calls of a source. */
  queueOf(source: string): Queue<CallJob>;
  encryptor: Encryptor;
  packed: PackedEntries;
}

type Before = 'new' | 'revision' | 'pending' | 'known' | 'limit' | 'ignored' | 'packed';

/** Not `pending`: the process that kept these bytes first may have died before it added their job. */
const NO_JOB: readonly Before[] = ['known', 'limit', 'ignored', 'packed'];

const STEP: AtomicStep = { name: 'wrapupAccept', lua: ACCEPT_CALL, unless: NO_JOB };

/** Bytes from which on Redis is asked whether it needs a body before it is encrypted and sent: a round trip costs less. */
export const CHECK_FROM_BYTES = 256 * 1024;

const CHECK: AtomicStep = { name: 'wrapupCheck', lua: CHECK_CALL, unless: [...NO_JOB, 'wanted'] };

const ANSWERS: Record<Before, Tried> = {
  new: 'accepted',
  revision: 'accepted',
  pending: 'duplicate',
  known: 'duplicate',
  limit: 'ignored',
  ignored: 'ignored',
  packed: 'packed',
};

/** What one try answers. `packed`: the call's ledger entry is in a bucket, and has to come out of it first. */
export type Tried = Accepted | 'packed';

/**
 * Keeps the bytes of each call and adds its job, the two in one step, and resolves only when Redis has them all. A call whose
 * entry is packed is not kept: it is tried again once it is unpacked (`untilUnpacked`), and the others do not wait for it.
 * @returns an answer for each, in their order; an Error where this one could not be kept
 * @throws Error when Redis did not answer
 */
export async function acceptArrivals(
  parts: AcceptParts,
  arrivals: readonly Arrival[],
  daysOf: LedgerDays,
): Promise<(Tried | Error)[]> {
  const before = await enqueueAtomically<Before>(
    parts,
    STEP,
    arrivals.map((arrival) => toStep(parts, arrival, daysOf(arrival.source))),
  );
  await addForLimited(parts, arrivals, before);
  return before.map((answer) => (answer instanceof Error ? answer : ANSWERS[answer]));
}

/** How often a call whose entry is packed again and again is tried. */
const MAX_TRIES = 3;

/**
 * Tries until the entry of the call is in no bucket: of a call that came long ago it may be.
 * @throws Error when it cannot be taken out, and what `take` throws
 */
export async function untilUnpacked<Answer extends string | undefined>(
  { packed }: Pick<AcceptParts, 'packed'>,
  { source, call_id }: Pick<Arrival, 'source' | 'call_id'>,
  take: () => Promise<Answer>,
): Promise<Exclude<Answer, 'packed'>> {
  for (let tries = 0; tries <= MAX_TRIES; tries += 1) {
    const answer = await take();
    if (answer !== 'packed') return answer as Exclude<Answer, 'packed'>;
    await packed.unpack(source, call_id);
  }
  throw new Error('Its ledger entry could not be unpacked.');
}

/**
 * Asks whether the bytes of a large arrival are needed, without sending them. Where they are not, the arrival is noted and
 * counted as by `acceptArrivals`.
 * @returns undefined when they must be sent
 * @throws Error when Redis did not answer
 */
export async function checkArrival(
  parts: AcceptParts,
  arrival: Arrival,
  daysOf: LedgerDays,
): Promise<Tried | undefined> {
  const [answer] = await enqueueAtomically<Before | 'wanted'>(parts, CHECK, [
    toStep(parts, arrival, daysOf(arrival.source), 'without its bytes'),
  ]);
  if (answer === undefined || answer instanceof Error) throw answer ?? new Error('Redis gave no answer');
  if (answer === 'wanted') return undefined;
  await addForLimited(parts, [arrival], [answer]);
  return ANSWERS[answer];
}

async function addForLimited(
  parts: AcceptParts,
  arrivals: readonly Arrival[],
  before: readonly (Before | Error)[],
): Promise<void> {
  // Once for each call, and harmless when it is there already. Where it fails, the call is among the open ones, and the
  // sweep adds the job.
  const limited = arrivals
    .filter((_, index) => before[index] === 'limit')
    .map((arrival) => ({
      ...{ keys: [], args: [] },
      jobs: [{ queue: parts.queueOf(arrival.source), job: callJob({ ...arrival, revision: BEYOND_LIMIT }) }],
    }));
  if (limited.length > 0) await enqueueAtomically(parts, JOB_ONLY, limited).catch(() => {});
}

function callJob({ source, call_id, revision, received }: CallJob & Pick<Arrival, 'received'>): NewJob<CallJob> {
  return {
    name: 'call',
    data: { source, call_id, revision },
    opts: {
      jobId: jobId('c', source, call_id, revision),
      attempts: MAX_CALL_ATTEMPTS,
      ...bullPriority(priorityOf({ received })),
    },
  };
}

/** As `acceptArrivals`, of one, also of a call whose entry is packed. @throws Error when it was not kept */
export async function acceptArrival(parts: AcceptParts, arrival: Arrival, ledger_days: number): Promise<Accepted> {
  return untilUnpacked(parts, arrival, async () => {
    const [answer] = await acceptArrivals(parts, [arrival], () => ledger_days);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('Redis gave no answer');
    return answer;
  });
}

function toStep(
  { keys, queueOf, encryptor }: AcceptParts,
  { source, call_id, body, received, verified, received_at, terminal, revision = revisionOf(body) }: Arrival,
  ledger_days: number,
  bytes?: 'without its bytes',
): StepAndJobs {
  return {
    keys: [
      ...[keys.ledger(source, call_id), keys.index, keys.open, keys.payload(source, call_id, revision), keys.unread],
      keys.packed,
    ],
    args: [
      memberOf(source, call_id),
      revision,
      bytes ? '' : encryptor.encrypt(body, placeOf(source, call_id, revision)),
      UNSETTLED_S,
      secondsOfDays(ledger_days),
      received_at,
      source,
      call_id,
      received,
      verified,
      terminal ? '1' : '',
      body.length,
    ],
    jobs: [{ queue: queueOf(source), job: callJob({ source, call_id, revision, received }) }],
  };
}
