/**
 * Queue `calls`: reads a call, judges its revision, chooses its routes, writes all that to the ledger, and only then
 * adds the deliveries. Run again after a crash it adds only deliveries that are neither finished nor queued.
 */
import type { Call } from '@wrapup/call';
import { attemptsOf, type Config, chooseRoutes, type Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import {
  BEYOND_LIMIT,
  type CallFacts,
  type CallJob,
  type LedgerEntry,
  type Revision,
  type Store,
  UNSETTLED_S,
} from '@wrapup/queue';
import { mergeCalls, normalise, type Standing, writeFacts } from '@wrapup/synthflow';
import type { Reading } from '../deliveries/pending-arrivals.ts';
import { indexPeople } from '../payloads/index-people.ts';
import { bytesOfRevisions, PayloadRoom } from '../payloads/payload-room.ts';
import { contextOf, readCall } from '../payloads/read-call.ts';
import { scheduleExpiry } from '../payloads/retention.ts';
import {
  callAt,
  chainTo,
  deliveredBefore,
  isRepeat,
  judgeProved,
  judgeRevision,
  lastDelivered,
  type Verdict,
} from '../payloads/revisions.ts';
import { askApi, type Verify } from './ask-api.ts';
import { settleBeyondLimit } from './beyond-limit.ts';
import { confirmRevision } from './confirm-revision.ts';
import { isOwnId, parkUnrecognised, UnrecognisedBody } from './unrecognised.ts';

export type { Verify } from './ask-api.ts';

/** Wait of a revision that was judged while another one of the call was delivered. */
const JUDGE_AGAIN_MS = 1_000;
/** Bounds between two looks at whether what came before was delivered. */
const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

const DELIVERING = {
  code: 'delivering',
  reason: 'The call came again with content that a person has to look at; what came before is delivered first.',
};

/** What the queue has to do with the job, and what is counted. */
export type CallVerdict =
  /** `hint`: the call was read from the API, and that copy has a job of its own. */
  | { job: 'complete'; result: 'routed' | 'hint' | 'parked' | 'forgotten' }
  | { job: 'delay'; ms: number; result: 'waits' };

/**
 * @param reading hears of each delivery, and when all of them have their jobs
 * @param room for large payloads, shared by all jobs of this process
 */
export async function processCall(
  job: CallJob,
  store: Store,
  config: Config,
  verify?: Verify,
  reading?: Reading,
  room: PayloadRoom = new PayloadRoom(),
): Promise<CallVerdict> {
  const { source: sourceName, call_id, revision } = job;
  const entry = await store.ledger.read(sourceName, call_id);
  if (!entry)
    throw new Failure('bad_request', 'The ledger no longer knows this call.', {
      hint: `Its retention has passed; if it still matters: wrapup backfill --call ${call_id}.`,
    });
  if (entry.forgotten !== undefined) return { job: 'complete', result: 'forgotten' };
  const source = config.sources[sourceName];
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
  return room.hold(bytesOfRevisions(noted ? [...chain, noted] : chain), (claim) =>
    route(job, { store, config, entry, source, noted, verify, reading, claim }),
  );
}

interface Parts {
  store: Store;
  config: Config;
  entry: LedgerEntry;
  source: Source;
  noted: Revision | undefined;
  verify: Verify | undefined;
  reading: Reading | undefined;
  claim(values: number): void;
}

async function route(job: CallJob, parts: Parts): Promise<CallVerdict> {
  const { store, config, entry, source, noted, verify, reading, claim } = parts;
  const { call_id, revision } = job;
  const read = (hash: string) => readCall(store, source, entry, hash, claim);
  const call = await read(revision).catch((error) => {
    if (error instanceof UnrecognisedBody) return error;
    throw error;
  });
  // Before anything is decided: whatever becomes of the call, its people are found.
  if (call) await indexPeople(job, call instanceof UnrecognisedBody ? undefined : call, store, config);
  if (call instanceof UnrecognisedBody) {
    if (source.trust === 'api' && isOwnId(call_id) && !noted?.effect) {
      // The webhook says that there is such a call, and the API knows its own shapes.
      const hint = normalise({ call_id }, contextOf(source, entry));
      const verdict = await takeFromApi(job, entry, hint, { store, source, verify });
      if (verdict) return verdict;
    }
    await parkUnrecognised(job, entry, store, call.why);
    return { job: 'complete', result: 'parked' };
  }
  if (!call) {
    throw new Failure('bad_request', 'The payload of this call has expired or was removed.', {
      hint: `Fetch it anew: wrapup backfill --call ${call_id}.`,
    });
  }

  // This version may know a shape that an earlier one did not.
  const known = noted?.effect === 'unrecognised' ? undefined : noted?.effect;
  if (known === 'hint') return { job: 'complete', result: 'hint' };
  let isProved = noted?.verified === 'api';
  if (source.trust === 'api' && !isProved && !known) {
    const verdict = await takeFromApi(job, entry, call, { store, source, verify });
    if (verdict) return verdict;
    isProved = true;
  }
  const digest = (await store.indexKey.load())('call', writeFacts(call));
  const last = lastDelivered(entry, revision);
  let standing = last && (await callAt(entry, last.hash, read));
  const before = last && (standing ?? 'gone');
  // A rerun keeps the verdict of the first run: the ledger leads.
  let verdict: Verdict = known
    ? { effect: known }
    : (isProved ? judgeProved : judgeRevision)(before, call, source.revisions, isRepeat(entry, digest));
  let after = 0;
  let compared = deliveredBefore(entry, revision);
  if (!known && !isProved && standing && verdict.effect !== 'equal' && isConfirmed(source)) {
    const confirmed = await confirmRevision(job, entry, call, { store, source, verify, read, digest });
    if ('job' in confirmed) return confirmed;
    ({ verdict, standing, after, compared } = confirmed);
  }
  const wanted =
    verdict.effect === 'equal'
      ? []
      : chooseRoutes(config, callToRoute(verdict, call, standing, isProved)).map(({ name, to }) => ({
          route: name,
          connection: to,
        }));

  const deliveries = await store.ledger.route(job, verdict.effect, factsOf(call), wanted, verdict.park, {
    digest,
    after,
    compared,
  });
  if (deliveries === 'again') return { job: 'delay', ms: JUDGE_AGAIN_MS, result: 'waits' };
  if (deliveries === 'waits') return waitForDeliveries(entry, store);
  // What it adds to must be there as long as the delivery may wait.
  if (verdict.effect === 'added' && last)
    for (const { hash } of chainTo(entry, last.hash))
      await store.payloads.expire(source.name, call_id, hash, UNSETTLED_S);
  for (const delivery of deliveries) {
    if (delivery.state === 'parked') {
      await store.operations.addUnresolved(entry, delivery);
      continue;
    }
    const attempts = attemptsOf(config, delivery.route);
    reading?.sends(delivery.connection);
    await store.operations.enqueueDelivery(entry, delivery, attempts, job.config);
  }

  reading?.ends();
  // What stopped it before may be put right by what this revision says.
  if (entry.stopped) await store.operations.removeUnresolvedCall(source.name, call_id);
  await pack(job, store);
  await scheduleExpiry(store, config, source.name, call_id);
  return { job: 'complete', result: 'routed' };
}

/**
 * A revision that is to be parked takes the place of the delivery: where that is still on its way, a captured signature
 * could keep the real call from being written while the CRM is away.
 */
async function waitForDeliveries({ source, call_id, waiting }: LedgerEntry, store: Store): Promise<CallVerdict> {
  await store.ledger.wait(source, call_id, DELIVERING);
  const waited = waiting ? Date.now() - waiting.since : 0;
  const ms = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, waited / 2));
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
function callToRoute({ effect }: Verdict, call: Call, standing: Standing | undefined, isProved: boolean): Call {
  if (effect !== 'added' || !standing) return call;
  return isProved ? mergeCalls(standing.call, call) : standing.proved;
}

/** Compresses the bytes, now that the sender has its answer. */
async function pack({ source, call_id, revision }: CallJob, store: Store): Promise<void> {
  const body = await store.payloads.read(source, call_id, revision);
  if (body) await store.payloads.compress(source, call_id, revision, body);
}

/**
 * Under `trust: api`: has the API's copy take the place of what the webhook says.
 * @returns nothing when these very bytes turned out to be what the API says
 */
async function takeFromApi(
  job: CallJob,
  entry: LedgerEntry,
  hint: Call,
  parts: { store: Store; source: Source; verify: Verify | undefined },
): Promise<CallVerdict | undefined> {
  const answer = await askApi(job, entry, hint, parts);
  if ('job' in answer) return answer;
  const { source, call_id, revision } = job;
  if (answer.revision === revision) return undefined;
  await parts.store.ledger.markUnverified(source, call_id, revision);
  await pack(job, parts.store);
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
    notes: call.notes.map(({ path, message }) => `${path}: ${message}`),
  };
}
