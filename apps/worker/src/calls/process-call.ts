/**
 * Queue `calls`: reads a call, judges its revision, chooses its routes, writes all that to the ledger, and adds the deliveries
 * in the same step. Run again after a crash it adds only deliveries that are neither finished nor queued.
 */
import { type Call, clientOf, localName, own } from '@wrapup/call';
import { attemptsOf, type Config, chooseRoutes, retentionOf, type Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import {
  BEYOND_LIMIT,
  type CallFacts,
  type CallJob,
  type JudgedRevision,
  type KeptPayload,
  type LedgerEntry,
  type Revision,
  type Store,
  UNSETTLED_S,
} from '@wrapup/queue';
import { combineRevisions, mergeCalls, normalise, type StandingCall, writeFacts } from '@wrapup/synthflow';
import type { PendingCall } from '../deliveries/pending-arrivals.ts';
import { indexPeople, peopleOf } from '../payloads/index-people.ts';
import { bytesOfRevisions, PayloadRoom, VALUE_BYTES } from '../payloads/payload-room.ts';
import { contextOf, isOwnId, readCall, UnrecognisedBody } from '../payloads/read-call.ts';
import type { RecentCalls } from '../payloads/recent-calls.ts';
import { scheduleExpiry } from '../payloads/retention.ts';
import {
  callAt,
  chainTo,
  deliveredBefore,
  isRepeat,
  judgeProved,
  judgeRevision,
  lastDelivered,
  type ReadRevision,
  type RevisionVerdict,
} from '../payloads/revisions.ts';
import { settleBeyondLimit } from './beyond-limit.ts';
import { type Confirmed, confirmRevision } from './confirm-revision.ts';
import { parkUnrecognised } from './park-call.ts';
import { type NotVerified, readFromApi, type Verify } from './verifier.ts';

/** Wait of a revision that was judged while another one of the call was delivered. */
const JUDGE_AGAIN_MS = 1_000;
/** Between two looks at whether the file of a client is back, or right again. */
const UNCONFIGURED_WAIT_MS = 60_000;
/** Bounds between two looks at whether what came before was delivered. */
const MIN_DELIVERING_WAIT_MS = 2_000;
const MAX_DELIVERING_WAIT_MS = 60_000;

const DELIVERING = {
  code: 'delivering',
  reason: 'The call came again with content that a person has to look at; what came before is delivered first.',
};

/** What the queue does with the job, and what is counted. */
type CallVerdict =
  /** `hint`: the call was read from the API, and that copy has a job of its own. */
  | { job: 'complete'; result: 'routed'; outcome: string }
  | { job: 'complete'; result: 'hint' | 'parked' | 'forgotten' }
  | { job: 'delay'; ms: number; result: 'waits' };

interface CallContext {
  store: Store;
  config: Config;
  /** Reads a call from the API of its source; absent where no source needs it. */
  verify?: Verify | undefined;
  /** Learns which deliveries the call becomes. */
  pending?: PendingCall;
  /** Keeps it for them. */
  recent?: RecentCalls;
  /** For large payloads, shared by all jobs of the process. */
  room?: PayloadRoom;
}

/** One revision of a call, in the hands of the worker. */
interface RevisionWork {
  job: CallJob;
  store: Store;
  config: Config;
  verify: Verify | undefined;
  entry: LedgerEntry;
  source: Source;
  /** The revision in the ledger. */
  noted: Revision | undefined;
  read: ReadRevision;
  /** The bytes of the revision, once it has been read. */
  kept?: KeptPayload;
  /** How many values they hold. */
  values?: number;
}

/** @throws Failure when the call cannot be read or routed, or has to wait */
export async function processCall(
  job: CallJob,
  { store, config, verify, pending, recent, room = new PayloadRoom() }: CallContext,
): Promise<CallVerdict> {
  const { source: sourceName, call_id, revision } = job;
  const [entry, begun] = await Promise.all([
    store.ledger.read(sourceName, call_id),
    revision === BEYOND_LIMIT ? {} : store.payloads.peek(sourceName, call_id, revision),
  ]);
  if (!entry)
    throw new Failure('bad_request', 'The ledger no longer knows this call.', {
      hint: `Its retention has passed; if it still matters: wrapup backfill --call ${call_id}.`,
    });
  if (entry.forgotten !== undefined) return { job: 'complete', result: 'forgotten' };
  const source = config.sources[sourceName];
  const client = clientOf(sourceName);
  if (!source && client !== undefined) {
    // Its file may come back, or be right again: nothing is given up meanwhile.
    const state = own(config.clients, client)?.state;
    throw new Failure('mapping', `Client ${client} ${state ? 'has no such source in force' : 'has no file'}.`, {
      next: 'throttle',
      retry_after: UNCONFIGURED_WAIT_MS,
      hint: state
        ? `Put source ${localName(sourceName)} right in clients/${client}.yaml; \`wrapup check\` says what is wrong with it.`
        : `Put clients/${client}.yaml back, or remove what is kept: wrapup client remove ${client} --calls.`,
    });
  }
  if (!source) {
    throw new Failure('mapping', `Source ${sourceName} is not in the configuration any more.`, {
      next: 'die',
      hint: `Put source ${sourceName} back into wrapup.yaml, then replay the call from \`wrapup dead\`.`,
    });
  }
  if (revision === BEYOND_LIMIT) return settleBeyondLimit(job, entry, config, { store, source, verify });
  const noted = entry.revisions.find(({ hash }) => hash === revision);
  const before = lastDelivered(entry, revision);
  const chain = before ? chainTo(entry, before.hash) : [];
  return room.hold(bytesOfRevisions(noted ? [...chain, noted] : chain), (claim) => {
    const read = (hash: string) => {
      if (hash !== revision) return readCall(store, source, entry, hash, { claim });
      const onRead = (kept: KeptPayload) => {
        work.kept = kept;
      };
      const count = (values: number) => {
        work.values = values;
        claim(values);
      };
      return readCall(store, source, entry, hash, { claim: count, begun, onRead });
    };
    const work: RevisionWork = { job, store, config, verify, entry, source, noted, read };
    return processRevision(work, pending, recent);
  });
}

async function processRevision(
  work: RevisionWork,
  pending: PendingCall | undefined,
  recent: RecentCalls | undefined,
): Promise<CallVerdict> {
  const { job, store, config, read } = work;
  const call = await read(job.revision).catch((error) => {
    if (error instanceof UnrecognisedBody) return error;
    throw error;
  });
  if (call && !(call instanceof UnrecognisedBody) && isFirst(work)) return routeFirst(work, call, { pending, recent });
  // Before anything is decided: whatever becomes of the call, its people can be found. Redis does one after the other.
  const indexed = call && indexPeople(job, call instanceof UnrecognisedBody ? undefined : call, store, config);
  indexed?.catch(() => {});
  if (call instanceof UnrecognisedBody) {
    await indexed;
    return processUnrecognised(work, call);
  }
  if (!call) {
    throw new Failure('bad_request', 'The payload of this call has expired or was removed.', {
      hint: `Fetch it anew: wrapup backfill --call ${job.call_id}.`,
    });
  }
  const verdict = await routeRevision(work, call, { pending, recent });
  await indexed;
  return verdict;
}

/** Whether nothing but its routes is to be decided of a revision: neither is it compared with others, nor is the API asked. */
function isFirst({ entry, source, noted, job }: RevisionWork): boolean {
  return noted !== undefined && !noted.effect && source.trust !== 'api' && !lastDelivered(entry, job.revision);
}

/** Its people come into the index with the step that routes it, and its compressed bytes in the place of those that came. */
async function routeFirst(
  work: RevisionWork,
  call: Call,
  { pending, recent }: Pick<Routing, 'pending' | 'recent'>,
): Promise<CallVerdict> {
  const { job, store, config, kept } = work;
  try {
    const people = await peopleOf(job, call, store, config);
    const compress = kept && store.payloads.compressing(job, kept);
    return await routeRevision(work, call, { pending, recent, people, compress });
  } catch (error) {
    // Whatever becomes of the call, its people can be found.
    await indexPeople(job, call, store, config).catch(() => {});
    throw error;
  }
}

interface Routing {
  pending: PendingCall | undefined;
  recent: RecentCalls | undefined;
  people?: JudgedRevision['people'];
  compress?: JudgedRevision['compress'] | undefined;
}

/** Decides what a revision is, and which deliveries the call becomes. */
async function routeRevision(
  work: RevisionWork,
  call: Call,
  { pending, recent, people, compress }: Routing,
): Promise<CallVerdict> {
  const { job, store, config, entry, source, noted } = work;
  if (noted?.effect === 'hint') return { job: 'complete', result: 'hint' };
  let isProved = noted?.verified === 'api';
  if (source.trust === 'api' && !isProved && !effectOf(noted)) {
    const verdict = await takeFromApi(work, call);
    if (verdict) return verdict;
    isProved = true;
  }
  const digest = (await store.indexKey.load())('call', writeFacts(call));
  const judged = await judge(work, call, isProved, digest);
  if ('job' in judged) return judged;
  const { verdict, standing, after, compared } = judged;
  const wanted =
    verdict.effect === 'equal'
      ? []
      : chooseRoutes(config, callToRoute(verdict, call, standing, isProved)).map(({ name, to }) => ({
          route: name,
          connection: to,
        }));
  // What it adds to must be there as long as the delivery may wait. Before that is there: its end sets the end of them all.
  const last = lastDelivered(entry, job.revision);
  if (verdict.effect === 'added' && last)
    for (const { hash } of chainTo(entry, last.hash))
      await store.payloads.expire(source.name, job.call_id, hash, UNSETTLED_S);
  // Before their jobs are there: this process may take them at once.
  const withdraw = pending?.routed(verdict.park ? [] : wanted.map(({ connection }) => connection));
  const facts = factsOf(call);
  const deliveries = await store.operations.routeCall(
    entry,
    {
      ...{ revision: job.revision, ...verdict, facts, wanted, digest, after, compared },
      ...(people && { people }),
      ...(compress && { compress }),
    },
    { attempts: (route) => attemptsOf(config, route), config: job.config },
  );
  const moving = Array.isArray(deliveries) ? deliveries.filter(({ state }) => state !== 'parked') : [];
  if (moving.length === 0) withdraw?.();
  if (deliveries === 'again') return { job: 'delay', ms: JUDGE_AGAIN_MS, result: 'waits' };
  if (deliveries === 'waits') return waitForDeliveries(entry, store);
  keepForDeliveries(work, call, verdict, moving.length, recent);
  if (!entry.routed) {
    const ended_at = Math.min(facts.ended_at ?? entry.received_at, entry.received_at);
    const days = retentionOf(config, source.name).ledger_days;
    store.counters.addJudgements({ source: source.name, agent_id: facts.agent_id, ended_at }, call.analysis, days);
  }
  // What stopped the call before may be put right by what this revision says.
  if (entry.stopped) await store.operations.removeUnresolvedCall(source.name, job.call_id);
  if (!compress) await store.payloads.compress(source.name, job.call_id, job.revision, work.kept);
  // Else the last of its deliveries does so.
  if (moving.length === 0) await scheduleExpiry(store, config, source.name, job.call_id);
  return { job: 'complete', result: 'routed', outcome: call.outcome };
}

/** Of a call that came once, which nearly all do: of others more has to be read than this. */
function keepForDeliveries(
  { job, entry, source, noted, kept, values = 0 }: RevisionWork,
  call: Call,
  { effect }: RevisionVerdict,
  deliveries: number,
  recent: RecentCalls | undefined,
): void {
  if (!noted || !kept || effect !== 'applied' || entry.revisions.length !== 1) return;
  const revisions = [{ ...noted, effect }];
  const standing = combineRevisions(call, []);
  const bytes = kept.body.length + values * VALUE_BYTES;
  recent?.keep(job, { source, entry: { ...entry, revisions }, standing }, { bytes, deliveries });
}

/** What an earlier run made of a revision. This version may know a shape that an earlier one did not. */
function effectOf(noted: Revision | undefined): Revision['effect'] {
  return noted?.effect === 'unrecognised' ? undefined : noted?.effect;
}

async function processUnrecognised(work: RevisionWork, { why }: UnrecognisedBody): Promise<CallVerdict> {
  const { job, store, entry, source, noted } = work;
  if (source.trust === 'api' && isOwnId(job.call_id) && !noted?.effect) {
    // The webhook says that there is such a call, and the API knows its own shapes.
    const verdict = await takeFromApi(work, normalise({ call_id: job.call_id }, contextOf(source, entry)));
    if (verdict) return verdict;
  }
  return parkUnrecognised(job, entry, store, why);
}

/** Decides what the revision does to the call. A rerun keeps the verdict of the first run: the ledger leads. */
async function judge(
  work: RevisionWork,
  call: Call,
  isProved: boolean,
  digest: string,
): Promise<Confirmed | NotVerified> {
  const { job, entry, source, noted, read } = work;
  const last = lastDelivered(entry, job.revision);
  const standing = last && (await callAt(entry, last.hash, read));
  const before = last && (standing ?? 'gone');
  const known = effectOf(noted);
  const verdict: RevisionVerdict = known
    ? { effect: known }
    : (isProved ? judgeProved : judgeRevision)(before, call, source.revisions, isRepeat(entry, digest));
  if (!known && !isProved && standing && verdict.effect !== 'equal' && isConfirmed(source))
    return confirmRevision(job, entry, call, { ...work, digest });
  return { verdict, standing, after: 0, compared: deliveredBefore(entry, job.revision) };
}

/**
 * A revision that is to be parked takes the place of the delivery: where that is still on its way, a captured signature
 * could keep the real call from being written while the CRM is away.
 */
async function waitForDeliveries({ source, call_id, waiting }: LedgerEntry, store: Store): Promise<CallVerdict> {
  await store.ledger.wait(source, call_id, DELIVERING);
  const waited = waiting ? Date.now() - waiting.since : 0;
  const ms = Math.min(MAX_DELIVERING_WAIT_MS, Math.max(MIN_DELIVERING_WAIT_MS, waited / 2));
  return { job: 'delay', ms: Math.round(ms), result: 'waits' };
}

/** Whether revisions of a source are confirmed at its API. One that parks them all need not ask. */
function isConfirmed({ api_key, trust, revisions }: Source): boolean {
  return api_key !== undefined && trust !== 'api' && revisions !== 'park';
}

/**
 * What the routes are chosen by. A revision that only adds takes those of the whole call; where only a signature vouches
 * for it, those that the call had without it: it must not open another one.
 */
function callToRoute(
  { effect }: RevisionVerdict,
  call: Call,
  standing: StandingCall | undefined,
  isProved: boolean,
): Call {
  if (effect !== 'added' || !standing) return call;
  return isProved ? mergeCalls(standing.call, call) : standing.proved;
}

/**
 * Under `trust: api`: puts the API's copy in the place of what the webhook says.
 * @returns nothing when these very bytes turned out to be what the API says
 */
async function takeFromApi(work: RevisionWork, hint: Call): Promise<CallVerdict | undefined> {
  const { job, store, entry } = work;
  const answer = await readFromApi(job, entry, hint, work);
  if ('job' in answer) return answer;
  const { source, call_id, revision } = job;
  if (answer.revision === revision) return undefined;
  await store.ledger.markUnverified(source, call_id, revision);
  await store.payloads.compress(source, call_id, revision);
  return { job: 'complete', result: 'hint' };
}

function factsOf(call: Call): CallFacts {
  const ended = call.ended_at ? Date.parse(call.ended_at) : Number.NaN;
  return {
    outcome: call.outcome,
    status: call.status,
    ...(call.direction ? { direction: call.direction } : {}),
    ...(call.agent.id ? { agent_id: call.agent.id } : {}),
    ...(Number.isNaN(ended) ? {} : { ended_at: ended }),
    ...(call.duration === undefined ? {} : { duration: call.duration }),
    notes: call.notes.map(({ path, message }) => `${path}: ${message}`),
  };
}
