/** A store on the tests' own Redis, and calls that came to it. */
import { randomUUID } from 'node:crypto';
import {
  type Arrival,
  type BegunDelivery,
  type DeliveryRef,
  openStore,
  type Store,
} from '../../packages/queue/src/index.ts';
import { freshPrefix, redisUrl } from './redis.ts';

/** Opens one, by default under a prefix of its own. It waits for Redis, however busy. */
export async function openTestStore(options: Partial<Parameters<typeof openStore>[0]> = {}): Promise<Store> {
  const store = openStore({ url: redisUrl(), prefix: freshPrefix(), role: 'worker', onError() {}, ...options });
  await store.connected(20_000);
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
