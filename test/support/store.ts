/** A store on the tests' own Redis, and calls that came to it. */
import { randomUUID } from 'node:crypto';
import {
  type Arrival,
  type BegunDelivery,
  type DeliveryChange,
  type DeliveryRef,
  openStore,
  revisionOf,
  type Store,
} from '../../packages/queue/src/index.ts';
import { PATIENCE } from './patience.ts';
import { freshPrefix, redisUrl } from './redis.ts';

/** Opens one, by default under a prefix of its own. It waits for Redis, however busy. */
export async function openTestStore(options: Partial<Parameters<typeof openStore>[0]> = {}): Promise<Store> {
  const store = openStore({ url: redisUrl(), prefix: freshPrefix(), role: 'worker', onError() {}, ...options });
  await store.connected(PATIENCE);
  return store;
}

/** A call that no other test has, with a body of its own. */
export function newArrival({ call_id = randomUUID(), ...otherwise }: Partial<Arrival> = {}): Arrival {
  return makeArrival(call_id, Buffer.from(JSON.stringify({ call: { call_id } })), otherwise);
}

/** A body that came by webhook just now, with a right signature. */
export function makeArrival(call_id: string, body: Buffer, otherwise: Partial<Arrival> = {}): Arrival {
  const received = { received: 'webhook', verified: 'signature', received_at: Date.now() } as const;
  return { source: 'main', call_id, body, ...received, ...otherwise };
}

/**
 * Begins an attempt at a delivery, whose lease is free again: a worker that notes its outcome needs none.
 * @returns undefined when the job is out of date
 */
export async function beginAttempt(
  store: Store,
  ref: DeliveryRef,
  mapping?: string,
): Promise<BegunDelivery | undefined> {
  const taken = await store.ledger.take(ref, mapping, { ttl: 60_000, withEntry: false });
  if (taken === 'busy') throw new Error(`the lease of ${ref.call_id} is taken`);
  await taken?.lease.release();
  return taken?.delivery;
}

interface StoppedDelivery extends DeliveryChange {
  call_id?: string;
  source?: string;
  route?: string;
  connection?: string;
}

/**
 * A call of the body `{}` with one delivery, whose first attempt came to this end, by way of the ledger's own scripts. By
 * default it is a new call, and the CRM took a field of it amiss.
 */
export async function stopDelivery(store: Store, given: StoppedDelivery = {}): Promise<DeliveryRef> {
  const { call_id = randomUUID(), source = 'main', route = 'sales-calls', connection = 'sales', ...change } = given;
  const arrival = makeArrival(call_id, Buffer.from('{}'), { source });
  await store.accept(arrival, 90);
  const ref = { source, call_id, route, revision: revisionOf(arrival.body), replays: 0 };
  await store.ledger.route(ref, { effect: 'applied', facts: { notes: [] }, wanted: [{ route, connection }] });
  await beginAttempt(store, ref);
  const why = { state: 'parked', code: 'invalid_field', reason: 'no such option' } as const;
  await store.ledger.recordOutcome(ref, { ...why, ...change });
  return ref;
}
