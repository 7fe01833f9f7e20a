/**
 * Queue `calls`: reads a call, judges its revision, chooses its routes, writes all that to the ledger, and only then
 * adds the deliveries. Run again after a crash it adds only deliveries that are neither finished nor queued.
 */
import type { Call } from '@wrapup/call';
import { attemptsOf, type Config, chooseRoutes, type Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import type { CallFacts, CallJob, LedgerEntry, Store } from '@wrapup/queue';
import { normalise } from '@wrapup/synthflow';
import type { Reading } from './coming.ts';
import { contextOf, readCall } from './read-call.ts';
import { settlePayloads } from './retention.ts';
import { callAt, judgeProved, judgeRevision, lastTold } from './revisions.ts';
import { isOwnId, parkUnrecognised, UnrecognisedBody } from './unrecognised.ts';
import type { Verification } from './verify-call.ts';

/** What the queue has to do with the job, and what is counted. */
export type CallVerdict =
  /** `hint`: the call was read from the API, and that copy has a job of its own. */
  | { job: 'complete'; result: 'routed' | 'hint' | 'parked' | 'forgotten' }
  | { job: 'delay'; ms: number; result: 'waits' };

/** Reads a call again where its source trusts the API only. */
export type Verify = (job: CallJob, entry: LedgerEntry, source: Source, hint: Call) => Promise<Verification>;

/** @param reading told of each delivery, and when all of them have their jobs: what then follows nobody waits for */
export async function processCall(
  job: CallJob,
  store: Store,
  config: Config,
  verify?: Verify,
  reading?: Reading,
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

  const read = (hash: string) => readCall(store, source, entry, hash);
  const noted = entry.revisions.find(({ hash }) => hash === revision);
  const call = await read(revision).catch((error) => {
    if (error instanceof UnrecognisedBody) return 'unrecognised' as const;
    throw error;
  });
  if (call === 'unrecognised') {
    if (source.trust === 'api' && isOwnId(call_id) && !noted?.effect) {
      // Somebody says that there is such a call, and the API knows its own shapes.
      const hint = normalise({ call_id }, contextOf(source, entry));
      const verdict = await readFromApi(job, entry, source, hint, store, verify);
      if (verdict) return verdict;
    }
    await parkUnrecognised(job, entry, store);
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
  const isProved = noted?.verified === 'api';
  if (source.trust === 'api' && !isProved && !known) {
    const verdict = await readFromApi(job, entry, source, call, store, verify);
    if (verdict) return verdict;
  }
  const before = lastTold(entry, revision);
  // A rerun keeps the verdict of the first run: the ledger leads.
  const verdict = known
    ? { effect: known }
    : (isProved ? judgeProved : judgeRevision)(
        before ? await callAt(entry, before, read) : undefined,
        call,
        source.revisions,
      );
  const wanted =
    verdict.effect === 'equal'
      ? []
      : chooseRoutes(config, call).map((route) => ({ route: route.name, connection: route.to }));

  const deliveries = await store.ledger.route(job, verdict.effect, factsOf(call), wanted, verdict.park);
  for (const delivery of deliveries) {
    if (delivery.state === 'parked') {
      await store.operations.file(entry, delivery);
      continue;
    }
    const attempts = attemptsOf(config, delivery.route);
    reading?.sends(delivery.connection);
    await store.operations.enqueueDelivery(entry, delivery, attempts, job.config);
  }

  reading?.ends();
  // What stopped it before may have been mended by what this revision says.
  if (entry.stopped) await store.operations.unfileCall(sourceName, call_id);
  await pack(job, store);
  await settlePayloads(store, config, sourceName, call_id);
  return { job: 'complete', result: 'routed' };
}

/** Compresses the bytes, now that nobody waits for an answer. */
async function pack({ source, call_id, revision }: CallJob, store: Store): Promise<void> {
  const body = await store.payloads.read(source, call_id, revision);
  if (body) await store.payloads.compress(source, call_id, revision, body);
}

/** @returns nothing when these very bytes turned out to be what the API says */
async function readFromApi(
  job: CallJob,
  entry: LedgerEntry,
  source: Source,
  hint: Call,
  store: Store,
  verify: Verify | undefined,
): Promise<CallVerdict | undefined> {
  if (!verify) throw new Failure('internal', `Nobody here reads calls of source ${source.name} from its API.`);
  const { source: name, call_id, revision } = job;
  const verification = await verify(job, entry, source, hint);
  switch (verification.next) {
    case 'accepted':
      if (verification.revision === revision) return undefined;
      await store.ledger.hint(name, call_id, revision);
      await pack(job, store);
      return { job: 'complete', result: 'hint' };
    case 'wait':
      await store.ledger.wait(name, call_id, verification.why);
      return { job: 'delay', ms: verification.ms, result: 'waits' };
    case 'park': {
      const why = { ...verification.why, state: 'parked' as const };
      await store.ledger.stop(name, call_id, why);
      await store.operations.fileCall(job, { at: Date.now(), ...why }, 1);
      await store.ledger.close(name, call_id);
      return { job: 'complete', result: 'parked' };
    }
  }
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
