/**
 * Queue `calls`: reads a call, judges its revision, chooses its routes, writes all that to the ledger, and only then
 * adds the deliveries. Run again after a crash it adds only deliveries that are neither finished nor queued.
 */
import type { Call } from '@wrapup/call';
import { type Config, chooseRoutes, type Source } from '@wrapup/config';
import { Failure } from '@wrapup/destination';
import type { CallFacts, CallJob, LedgerEntry, Store } from '@wrapup/queue';
import { normalise } from '@wrapup/synthflow';
import { settlePayloads } from './retention.ts';
import { callAt, judgeRevision, lastTold } from './revisions.ts';

export async function processCall(job: CallJob, store: Store, config: Config): Promise<void> {
  const { source: sourceName, call_id, revision } = job;
  const entry = await store.ledger.read(sourceName, call_id);
  if (!entry)
    throw new Failure('bad_request', 'The ledger no longer knows this call.', {
      hint: 'Its retention has passed; backfill it if it still matters.',
    });
  const source = config.sources[sourceName];
  if (!source) {
    throw new Failure('mapping', `Source ${sourceName} is not in the configuration any more.`, {
      next: 'die',
      hint: `Put source ${sourceName} back into wrapup.yaml, then replay the call from \`wrapup dead\`.`,
    });
  }

  const read = (hash: string) => readCall(store, source, entry, hash);
  const call = await read(revision);
  if (!call) {
    throw new Failure('bad_request', 'The payload of this call has expired or was removed.', {
      hint: 'Backfill the call from the voice platform.',
    });
  }

  const known = entry.revisions.find(({ hash }) => hash === revision)?.effect;
  const before = lastTold(entry, revision);
  // A rerun keeps the verdict of the first run: the ledger leads.
  const verdict = known
    ? { effect: known }
    : judgeRevision(before ? await callAt(entry, before, read) : undefined, call, source.revisions);
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
    const attempts = config.routes.find(({ name }) => name === delivery.route)?.retries.attempts ?? 10;
    await store.operations.enqueueDelivery(entry, delivery, attempts);
  }

  const body = await store.payloads.read(sourceName, call_id, revision);
  if (body) await store.payloads.compress(sourceName, call_id, revision, body);
  await settlePayloads(store, config, sourceName, call_id);
}

/** One revision of a call, normalised; undefined when its bytes are gone. */
export async function readCall(
  store: Store,
  source: Source,
  entry: Pick<LedgerEntry, 'source' | 'call_id' | 'received_at'>,
  revision: string,
): Promise<Call | undefined> {
  const body = await store.payloads.read(entry.source, entry.call_id, revision);
  if (!body) return undefined;
  return normalise(JSON.parse(body.toString('utf8')), {
    source: source.name,
    agents: source.agents,
    received_at: entry.received_at,
    ...(source.default_country ? { default_country: source.default_country } : {}),
  });
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
