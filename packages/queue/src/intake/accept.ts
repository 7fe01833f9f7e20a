/** How a call is kept in Redis, by ingress, reconciliation and backfills: the bytes, the ledger entry and the job. */
import type { Queue } from 'bullmq';
import type { Encryptor } from '../encryption/encryptor.ts';
import type { Received, Verified } from '../ledger/entry.ts';
import { PackedEntries } from '../packed/packed-entries.ts';
import { placeOf, revisionOf } from '../payloads/payloads.ts';
import {
  type AtomicStep,
  enqueueAtomically,
  JOB_ONLY,
  type NewJob,
  type StepAndJob,
} from '../queues/atomic-enqueue.ts';
import { bullPriority, priorityOf } from '../queues/priority.ts';
import { BEYOND_LIMIT, type CallJob, MAX_CALL_ATTEMPTS } from '../queues/queues.ts';
import type { RedisClient } from '../redis/client.ts';
import { jobId, type Keys, memberOf } from '../redis/keys.ts';
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
}

type Before = 'new' | 'revision' | 'pending' | 'known' | 'limit' | 'ignored' | 'packed';

/** Not `pending`: the process that kept these bytes first may have died before it added their job. */
const NO_JOB: readonly Before[] = ['known', 'limit', 'ignored', 'packed'];

const STEP: AtomicStep = { name: 'wrapupAccept', lua: ACCEPT_CALL, unless: NO_JOB };

/** Bytes from which on Redis is asked whether it needs a body before it is encrypted and sent: a round trip costs less. */
export const CHECK_FROM_BYTES = 256 * 1024;

const CHECK: AtomicStep = { name: 'wrapupCheck', lua: CHECK_CALL, unless: [...NO_JOB, 'wanted'] };

const ANSWERS: Record<Exclude<Before, 'packed'>, Accepted> = {
  new: 'accepted',
  revision: 'accepted',
  pending: 'duplicate',
  known: 'duplicate',
  limit: 'ignored',
  ignored: 'ignored',
};

/**
 * Keeps the bytes of each call and adds its job, the two in one step, and resolves only when Redis has them all.
 * @returns an answer for each, in their order; an Error where this one could not be kept
 * @throws Error when Redis did not answer
 */
export async function acceptArrivals(
  parts: AcceptParts,
  arrivals: readonly Arrival[],
  daysOf: LedgerDays,
): Promise<(Accepted | Error)[]> {
  const before = await takeUnpacked(parts, arrivals, (some) =>
    enqueueAtomically<Before>(
      parts,
      STEP,
      some.map((arrival) => toPair(parts, arrival, daysOf(arrival.source))),
    ),
  );
  await addForLimited(parts, arrivals, before);
  return before.map((answer) => (answer instanceof Error ? answer : ANSWERS[answer]));
}

/** How often a call whose entry is packed again and again is tried. */
const MAX_TRIES = 3;

/** Takes the entries of calls that came long ago out of their buckets, and tries these calls again. */
async function takeUnpacked<Answer extends string>(
  { redis, keys }: AcceptParts,
  arrivals: readonly Arrival[],
  take: (some: readonly Arrival[]) => Promise<(Answer | Error)[]>,
): Promise<(Exclude<Answer, 'packed'> | Error)[]> {
  const answers = await take(arrivals);
  const packed = new PackedEntries(redis, keys);
  for (let tries = 0; answers.includes('packed' as Answer) && tries < MAX_TRIES; tries += 1) {
    const places = answers.flatMap((answer, index) => (answer === 'packed' ? [index] : []));
    const again = places.map((index) => arrivals[index] as Arrival);
    await Promise.all(again.map(({ source, call_id }) => packed.unpack(source, call_id)));
    const found = await take(again);
    places.forEach((index, at) => {
      answers[index] = found[at] as Answer | Error;
    });
  }
  return answers.map((answer) =>
    answer === 'packed'
      ? new Error('Its ledger entry could not be unpacked.')
      : (answer as Exclude<Answer, 'packed'> | Error),
  );
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
): Promise<Accepted | undefined> {
  const [answer] = await takeUnpacked(parts, [arrival], () =>
    enqueueAtomically<Before | 'wanted'>(parts, CHECK, [
      toPair(parts, arrival, daysOf(arrival.source), 'without its bytes'),
    ]),
  );
  if (answer === undefined || answer instanceof Error) throw answer ?? new Error('Redis gave no answer');
  if (answer === 'wanted') return undefined;
  await addForLimited(parts, [arrival], [answer]);
  return ANSWERS[answer];
}

async function addForLimited(
  parts: AcceptParts,
  arrivals: readonly Arrival[],
  before: readonly (Exclude<Before, 'packed'> | Error)[],
): Promise<void> {
  // Once for each call, and harmless when it is there already. Where it fails, the call is among the open ones, and the
  // sweep adds the job.
  const limited = arrivals
    .filter((_, index) => before[index] === 'limit')
    .map((arrival) => ({
      ...{ keys: [], args: [], queue: parts.queueOf(arrival.source) },
      job: callJob({ ...arrival, revision: BEYOND_LIMIT }),
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

/** As `acceptArrivals`, of one. @throws Error when it was not kept */
export async function acceptArrival(parts: AcceptParts, arrival: Arrival, ledger_days: number): Promise<Accepted> {
  const [answer] = await acceptArrivals(parts, [arrival], () => ledger_days);
  if (answer === undefined || answer instanceof Error) throw answer ?? new Error('Redis gave no answer');
  return answer;
}

function toPair(
  { keys, queueOf, encryptor }: AcceptParts,
  { source, call_id, body, received, verified, received_at, terminal, revision = revisionOf(body) }: Arrival,
  ledger_days: number,
  bytes?: 'without its bytes',
): StepAndJob {
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
      ledger_days * 24 * 3600,
      received_at,
      source,
      call_id,
      received,
      verified,
      terminal ? '1' : '',
      body.length,
    ],
    queue: queueOf(source),
    job: callJob({ source, call_id, revision, received }),
  };
}
