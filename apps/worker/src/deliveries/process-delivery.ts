/**
 * Queue `deliveries.<connection>`: one call on one route.
 *
 *            begin (attempts + 1 in the ledger, before the CRM is asked anything)
 *   queued ──► write ──► ok, records         ──► written
 *                    ├─► ok, nothing to write ──► skipped
 *                    ├─► park                 ──► parked, for a person
 *                    ├─► throttle, reauthenticate ──► queued, delayed; the attempt is given back
 *                    ├─► retry, attempts left ──► queued, after a backoff
 *                    └─► retry, none left; die ──► dead: the job fails, the sweep takes it to `dead`
 *
 * The outcome is in the ledger before the job ends. A job whose revision or replay count is not the ledger's any more
 * does nothing, also where that changes while it waits for its batch for more than a moment. An attempt that is not the first
 * assumes that anything may have been written before.
 */
import { type Config, isFrom, planStanding, type Route, retentionOf } from '@wrapup/config';
import {
  Failure,
  isOmission,
  nameOmitted,
  type OmissionCode,
  type Priority,
  type Receipt,
  type RecordReceipt,
} from '@wrapup/destination';
import { countersOf, type Plan } from '@wrapup/mapping';
import {
  type BegunDelivery,
  type DeliveryChange,
  type DeliveryEntry,
  type DeliveryJob,
  type LedgerEntry,
  msOfDays,
  priorityOf,
  type Store,
  type TakenDelivery,
} from '@wrapup/queue';
import type { StandingCall } from '@wrapup/synthflow';
import { personRecords } from '../payloads/index-people.ts';
import { bytesOfRevisions, PayloadRoom } from '../payloads/payload-room.ts';
import { readCall } from '../payloads/read-call.ts';
import type { RecentCall, RecentCalls } from '../payloads/recent-calls.ts';
import { scheduleExpiry } from '../payloads/retention.ts';
import { callAt, chainTo } from '../payloads/revisions.ts';
import type { PlannedDelivery, SendOutcome } from './delivery-writer.ts';
import { ambiguityOf, describeFailure, NOT_AMBIGUOUS } from './describe-failure.ts';

/** What the queue does with the job. */
export type DeliveryVerdict =
  | {
      job: 'complete';
      result: 'written' | 'skipped';
      omissions: OmissionCode[];
      priority: Priority;
      /** Ms since the webhook, or since a replay was ordered. */
      took: number;
      attempts: number;
      requests: number;
    }
  | { job: 'complete'; result: 'parked'; failure: Failure }
  | { job: 'complete'; result: 'outdated' }
  /** Again later; the attempt is not counted. */
  | { job: 'delay'; ms: number; result: 'busy' }
  | { job: 'delay'; ms: number; result: 'throttled' | 'unauthorized'; failure: Failure }
  | { job: 'retry'; failure: Failure; result: 'retried' }
  | { job: 'fail'; failure: Failure; result: 'dead' };

/** What a plan is written for. */
type DeliveryInHand = Pick<PlannedDelivery, 'ref' | 'lease' | 'isLarge' | 'times'>;

interface DeliveryContext {
  store: Store;
  config: Config;
  write(connection: string, plan: Plan, priority: Priority, hand: DeliveryInHand): Promise<SendOutcome>;
  /** Calls that this process has just routed. */
  recent?: RecentCalls;
  /** For large payloads, shared by all jobs of this process. */
  room?: PayloadRoom;
  /** Whether the connection is paused now: a delivery that goes back to its queue need not wait longer. */
  isPaused?(connection: string): boolean;
  /** Epoch ms when its job was added. Default: now. */
  queued?: number;
  /** A note on this attempt, for the delivery's receipt. */
  note?: string;
  /** Of the trace that this attempt is part of, where one is kept. */
  trace_id?: string | undefined;
}

/** The delivery has another revision, another replay or an end already. */
const OUTDATED: DeliveryVerdict = { job: 'complete', result: 'outdated' };

/** A lease of a dead worker falls free before the queue gives its job to another. */
export const LEASE_MS = 8_000;
/** Wait while another process works on the same delivery. */
const BUSY_WAIT_MS = 1_000;
/** A CRM that refuses our credentials is asked again no sooner than this. */
const REAUTHENTICATE_WAIT_MS = 30_000;
/** Bounds for what a CRM asks us to wait. */
const MIN_WAIT_MS = 200;
const MAX_WAIT_MS = 24 * 3600_000;
/** Facts and records that a note names as left out. */
const MAX_NAMED = 12;

/** @param last true when the queue will not try again after this attempt */
export async function processDelivery(
  job: DeliveryJob,
  last: boolean,
  context: DeliveryContext,
): Promise<DeliveryVerdict> {
  const { store, config } = context;
  const route = config.routes.find(({ name }) => name === job.route);
  const recent = context.recent?.take(job);
  const taken = await store.ledger.take(job, route?.mapping.hash, { ttl: LEASE_MS, withEntry: !recent });
  if (!taken) return OUTDATED;
  const at = Date.now();
  if (taken === 'busy') return { job: 'delay', ms: BUSY_WAIT_MS, result: 'busy' };
  try {
    return await attempt(job, last, { taken, at, route, recent }, context);
  } finally {
    await taken.lease.release().catch(() => {});
  }
}

interface Attempt {
  taken: TakenDelivery;
  /** Epoch ms when it was taken. */
  at: number;
  route: Route | undefined;
  recent: RecentCall | undefined;
}

async function attempt(
  job: DeliveryJob,
  last: boolean,
  { taken, at, route, recent }: Attempt,
  context: DeliveryContext,
): Promise<DeliveryVerdict> {
  const { delivery } = taken;
  const { store, config } = context;
  try {
    const isFirst = delivery.attempts === 1 && delivery.replays === 0 && taken.revisions === 1;
    const known = isFirst && recent && recent.source === config.sources[job.source] ? recent : undefined;
    const entry = known?.entry ?? taken.entry ?? (await store.ledger.read(job.source, job.call_id));
    const room = context.room ?? new PayloadRoom();
    const bytes = entry && !known ? bytesOfRevisions(chainTo(entry, job.revision)) : 0;
    return await room.hold(bytes, async (claim, isHolding) => {
      const { plan, priority, notes } = await planFor(
        job,
        { delivery, route, entry, standing: known?.standing },
        context,
        claim,
      );
      const times = {
        ...{ queued: context.queued ?? at, taken: at, planned: Date.now() },
        received_at: entry?.received_at ?? at,
      };
      const hand = { ref: taken.ref, lease: taken.lease, isLarge: isHolding(), times };
      const outcome = await context.write(delivery.connection, plan, priority, hand);
      if (outcome === 'outdated') return OUTDATED;
      if (outcome === 'busy') return { job: 'delay', ms: BUSY_WAIT_MS, result: 'busy' };
      if (!outcome.ok) {
        const ambiguous = await digestAmbiguous(plan, outcome.failure, store);
        return await recordFailure(job, taken, outcome.failure, last, context, { ambiguous, result: plan.result });
      }
      const receipt = { ...outcome.receipt, notes: [...outcome.receipt.notes, ...notes] };
      const since = cameAt(job, delivery, entry);
      return await recordWritten(job, taken, receipt, { route, plan: outcome.plan ?? plan, priority, since }, context);
    });
  } catch (error) {
    return await recordFailure(job, taken, Failure.of(error), last, context);
  }
}

/** When what is delivered came, or the replay was ordered: epoch ms. */
function cameAt({ revision }: DeliveryJob, { replays, since }: BegunDelivery, entry: LedgerEntry | undefined): number {
  if (replays > 0) return since;
  return entry?.revisions.find(({ hash }) => hash === revision)?.at ?? entry?.received_at ?? since;
}

interface DeliveryParts {
  delivery: BegunDelivery;
  route: Route | undefined;
  entry: LedgerEntry | undefined;
  /** The call as it stands with the revision, where it has been read. */
  standing: StandingCall | undefined;
}

async function planFor(
  job: DeliveryJob,
  { delivery, route, entry, standing: known }: DeliveryParts,
  { store, config }: DeliveryContext,
  claim: (values: number) => void,
): Promise<{ plan: Plan; priority: Priority; notes: string[] }> {
  if (!route || route.to !== delivery.connection) {
    const what = route ? `no longer leads to connection ${delivery.connection}` : 'is no longer in the configuration';
    throw new Failure('mapping', `Route ${job.route} ${what}.`, {
      hint: `Put it back into wrapup.yaml and replay, or drop the delivery.`,
    });
  }
  if (!isFrom(route, job.source)) {
    throw new Failure('mapping', `Route ${job.route} takes no calls of source ${job.source}.`, {
      hint: `Add the source to from of the route and replay, or drop the delivery.`,
    });
  }
  const source = config.sources[job.source];
  if (!source || !entry) {
    throw new Failure('mapping', `Source ${job.source} is no longer in the configuration.`, {
      hint: `Put it back into wrapup.yaml and replay, or drop the delivery.`,
    });
  }
  const read = (hash: string) => readCall(store, source, entry, hash, { claim });
  const standing = known ?? (await callAt(entry, job.revision, read));
  if (!standing) {
    throw new Failure('bad_request', 'The payload of this call has expired or was removed.', {
      hint: `Fetch it anew: wrapup backfill --call ${job.call_id}.`,
    });
  }
  const records = delivery.records.map(({ name }) => name);
  const { plan: planned, withheld } = planStanding(route, standing, records);
  const notes = noteLeftOut([...standing.left_out, ...withheld]);
  const made: Plan = { ...planned, revision: job.revision };
  const plan = delivery.chosen || delivery.has_choices ? await store.choices.applyTo(made, delivery) : made;
  const resume = resumeOf(delivery, entry);
  return {
    plan: resume ? { ...plan, resume } : plan,
    priority: priorityOf({ ...entry, replays: delivery.replays }),
    notes,
  };
}

/** What a choice for later calls would be kept under. */
async function digestAmbiguous(
  { person }: Plan,
  { details }: Failure,
  { choices }: Store,
): Promise<DeliveryEntry['ambiguous']> {
  const by = details.ambiguous_by;
  const step = by && person?.match.find((one) => one.by === by && !one.said);
  return by && step && { by, digest: await choices.digestOf(by, step.value) };
}

function noteLeftOut(missing: string[]): string[] {
  if (missing.length === 0) return [];
  const more = missing.length > MAX_NAMED ? `, and ${missing.length - MAX_NAMED} more` : '';
  return [
    `Only a signature vouches for what came again, so this was left out: ${missing.slice(0, MAX_NAMED).join(', ')}${more}.`,
  ];
}

/** What may have been written before: by an earlier attempt, an earlier replay, or an earlier revision. */
function resumeOf(delivery: DeliveryEntry, entry: LedgerEntry): Plan['resume'] {
  const { attempts, replays, records, done = {} } = delivery;
  const steps = Object.keys(done);
  const first = attempts <= 1 && replays === 0 && records.length === 0 && steps.length === 0;
  const believed = entry.revisions.filter(({ effect }) => effect !== 'hint');
  if (first && believed.length <= 1) return undefined;
  const known = Object.fromEntries(records.map(({ name, id }) => [name, id]));
  return { attempts: Math.max(1, attempts - 1), records: { ...known, ...done }, done: steps };
}

async function recordWritten(
  job: DeliveryJob,
  { delivery: { connection, attempts }, lease }: TakenDelivery,
  receipt: Receipt,
  { route, plan, priority, since }: { route: Route | undefined; plan: Plan; priority: Priority; since: number },
  { store, config, note, trace_id }: DeliveryContext,
): Promise<DeliveryVerdict> {
  const omissions = receipt.notes.filter(isOmission);
  const state = receipt.records.length > 0 ? 'written' : 'skipped';
  const change: DeliveryChange = {
    state,
    records: receipt.records,
    requests: receipt.requests,
    notes: note ? [...receipt.notes, note] : receipt.notes,
    done: null,
    code: null,
    reason: null,
    hint: null,
    correlation_id: null,
    result: plan.result ?? null,
    ...(trace_id && { trace_id }),
    ...NOT_AMBIGUOUS,
  };
  const written = new Set(receipt.records.map(({ name }) => name));
  const lost = new Set(omissions.map(nameOmitted));
  const payloads = retentionOf(config, job.source);
  const days = payloads.ledger_days;
  const took = Math.max(0, Date.now() - since);
  const digests = await store.people.digestsOf(personRecords(connection, receipt.records));
  const ends = {
    ...{ keptMs: msOfDays(days), lease, payloads, people: { digests, days } },
    ...(priority === 'live' && { took }),
  };
  const isEnd = await store.ledger.recordOutcome(job, change, ends);
  // Neither counted nor timed: what the delivery moved on to is.
  if (!isEnd) return OUTDATED;
  if (route) store.counters.add({ connection, route: job.route }, countersOf(route.mapping, plan, written, lost));
  return {
    ...{ job: 'complete', result: state, omissions: omissions.map(({ code }) => code) },
    ...{ priority, took, attempts, requests: receipt.requests },
  };
}

/** What to do where the last attempt failed for a cause that passes. */
const HINT_AFTER_ATTEMPTS = 'Its attempts are used up. Replay it once what the reason names has passed.';

async function recordFailure(
  job: DeliveryJob,
  { delivery: { connection, notes, records }, lease }: TakenDelivery,
  failure: Failure,
  last: boolean,
  { store, config, isPaused, note, trace_id }: DeliveryContext,
  { ambiguous, result }: { ambiguous?: DeliveryEntry['ambiguous']; result?: string | undefined } = {},
): Promise<DeliveryVerdict> {
  const { details } = failure;
  const { records: there = [] } = details;
  const why = {
    code: failure.code,
    reason: describeFailure(failure),
    hint: details.hint ?? null,
    correlation_id: details.correlation_id ?? null,
    ...ambiguityOf(failure, ambiguous),
    ...(result === undefined ? {} : { result }),
    ...(details.done ? { done: details.done } : {}),
    ...(trace_id && { trace_id }),
    // They are in the CRM, whatever becomes of the delivery.
    ...(there.length > 0 ? { records: withReceipts(records, there) } : {}),
    // What an earlier delivery left out, the record lacks still.
    ...(note ? { notes: [...notes.filter(isOmission), note] } : {}),
  };
  const person = personRecords(connection, there);
  const days = retentionOf(config, job.source).ledger_days;
  const people = person.length > 0 ? { people: { digests: await store.people.digestsOf(person), days } } : {};
  const record = (change: DeliveryChange, refundAttempt = false) =>
    store.ledger.recordOutcome(job, { ...why, ...change }, { refundAttempt, lease, ...people });
  switch (failure.next) {
    case 'park': {
      if (!(await record({ state: 'parked' }))) return OUTDATED;
      const parked = (await store.ledger.read(job.source, job.call_id))?.deliveries.find(
        ({ route, state }) => route === job.route && state === 'parked',
      );
      if (parked) await store.operations.addUnresolved(job, parked);
      await scheduleExpiry(store, config, job.source, job.call_id);
      return { job: 'complete', result: 'parked', failure };
    }
    case 'throttle':
    case 'reauthenticate': {
      if (!(await record({}, true))) return OUTDATED;
      const result = failure.next === 'throttle' ? 'throttled' : 'unauthorized';
      return { job: 'delay', ms: isPaused?.(connection) ? BUSY_WAIT_MS : waitFor(failure), result, failure };
    }
    case 'retry':
      if (!last) return (await record({})) ? { job: 'retry', failure, result: 'retried' } : OUTDATED;
      // The failure's own hint is that of an attempt which others follow.
      return (await record({ state: 'dead', hint: HINT_AFTER_ATTEMPTS }))
        ? { job: 'fail', failure, result: 'dead' }
        : OUTDATED;
    case 'die':
      return (await record({ state: 'dead' })) ? { job: 'fail', failure, result: 'dead' } : OUTDATED;
  }
}

/** One of a name, the later: a call that comes again writes the same records, or others in their place. */
function withReceipts(records: readonly RecordReceipt[], later: readonly RecordReceipt[]): RecordReceipt[] {
  return [...new Map([...records, ...later].map((record) => [record.name, record])).values()];
}

function waitFor(failure: Failure): number {
  if (failure.next === 'reauthenticate') return REAUTHENTICATE_WAIT_MS;
  return Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, failure.details.retry_after ?? BUSY_WAIT_MS));
}
