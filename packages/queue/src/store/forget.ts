/**
 * Forgets a call: everything in Redis that names its people goes. What stays is that there was a call, when, and what
 * became of it, so that nothing of it is taken in again.
 *
 *   payloads, entries of the index of people, jobs of every queue, and of a delivery or a revision in the ledger all but
 *   its state: ids and links of records, candidates, reasons, notes
 *
 * A delivery that is being written at this moment is waited for, so that what it wrote is known and it remembers nothing
 * afterwards. One that only waits for others, to share requests with them, is taken from its worker and never written. Each
 * step may be repeated after a crash.
 */
import { addressesIn, jsonOrText } from '@wrapup/call';
import type { Held, RecordReceipt } from '@wrapup/destination';
import { type AuditedOperator, writeAudit } from '../audit/audit-entry.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import { type CallRef, unreadMember } from '../ledger/people-index.ts';
import { jobId } from '../redis/keys.ts';
import { deliveryLease, RedisLease } from '../redis/lease.ts';
import type { Store } from './store.ts';

export interface ForgottenCall extends CallRef {
  /** Payloads removed. */
  payloads: number;
  /** Deliveries given up. */
  dropped: number;
  /** What the call left in CRMs, which is not touched. */
  records: (RecordReceipt & { connection: string })[];
  /** Numbers and addresses that stood in its payloads, for what adapters remember of them. Not to be shown or kept. */
  addresses: { numbers: string[]; emails: string[] };
  /** Routes that were still being written when the wait was over: what they wrote is not among `records`. */
  writing: string[];
}

/** How long a delivery that is being written is waited for, in ms: longer than a worker takes for a batch at most, 35 s. */
const WAIT_MS = 45_000;
const LOOK_AGAIN_MS = 100;
/** Renewed while it is held. */
const LEASE_MS = 8_000;

interface ForgetCallOptions {
  /** Ms for deliveries that are being written. Default 45 s. */
  wait?: number | undefined;
  /** Who asks for it, for ledger and audit. */
  by?: AuditedOperator | undefined;
}

/** @returns undefined when the ledger does not know the call */
export async function forgetCall(
  store: Store,
  call: CallRef,
  { wait = WAIT_MS, by }: ForgetCallOptions = {},
): Promise<ForgottenCall | undefined> {
  const { source, call_id } = call;
  const before = await store.ledger.read(source, call_id);
  if (!before) return undefined;
  const addresses = await readAddresses(store, before);
  const { held, writing } = await holdDeliveries(store, before, wait);
  try {
    const gone = await store.ledger.forget(
      source,
      call_id,
      by?.name,
      writeAudit(by, { action: 'forget', source, call_id }),
    );
    if (!gone) return undefined;
    const { deliveries, people } = gone;
    await store.people.remove(call, people);
    // Read again: what came between the first look and now.
    const hashes = ((await store.ledger.read(source, call_id)) ?? before).revisions.map(({ hash }) => hash);
    const payloads = await store.payloads.remove(source, call_id, hashes);
    await store.redis.zrem(store.keys.unread, ...hashes.map((hash) => unreadMember(hash, source, call_id)));
    for (const delivery of deliveries) await store.operations.removeUnresolved(source, call_id, delivery);
    await store.operations.removeUnresolvedCall(source, call_id);
    await removeJobs(store, call, hashes, deliveries);
    return {
      source,
      call_id,
      payloads,
      dropped: deliveries.filter(({ state }) => ['queued', 'parked', 'dead'].includes(state)).length,
      records: deliveries.flatMap(({ records, connection }) => records.map((record) => ({ ...record, connection }))),
      addresses,
      writing,
    };
  } finally {
    for (const one of held) await one.release().catch(() => {});
  }
}

/** The numbers and addresses in the payloads that are left and can be read. */
async function readAddresses(store: Store, { source, call_id, revisions }: LedgerEntry) {
  const numbers = new Set<string>();
  const emails = new Set<string>();
  for (const { hash } of revisions) {
    // One whose key is missing is removed all the same.
    const body = await store.payloads.read(source, call_id, hash).catch(() => undefined);
    const found = body && addressesIn(jsonOrText(body.toString('utf8')));
    for (const number of found?.numbers ?? []) numbers.add(number);
    for (const email of found?.emails ?? []) emails.add(email);
  }
  return { numbers: [...numbers], emails: [...emails] };
}

/**
 * Takes the place of the worker at every delivery that may still be written.
 * @param wait ms for deliveries that are being written
 * @returns what is held, and the routes that were still being written when the wait was over
 */
export async function holdDeliveries(
  store: Store,
  { source, call_id, deliveries }: LedgerEntry,
  wait: number,
): Promise<{ held: Held[]; writing: string[] }> {
  const lease = new RedisLease(store.redis, store.keys);
  const held: Held[] = [];
  const writing: string[] = [];
  const until = performance.now() + wait;
  for (const { route, state } of deliveries) {
    if (state !== 'queued') continue;
    let one = await lease.take([deliveryLease(source, call_id, route)], LEASE_MS);
    while (!one && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      one = await lease.take([deliveryLease(source, call_id, route)], LEASE_MS);
    }
    if (one) held.push(one);
    else writing.push(route);
  }
  return { held, writing };
}

/** Jobs hold ids only, but of a person's call nothing needs to stay. One that a worker has in hand ends by itself. */
async function removeJobs(
  store: Store,
  { source, call_id }: CallRef,
  hashes: string[],
  deliveries: LedgerEntry['deliveries'],
): Promise<void> {
  const calls = store.queues.calls(source);
  for (const hash of hashes) await calls.remove(jobId('c', source, call_id, hash)).catch(() => 0);
  for (const { connection, route, replays } of deliveries) {
    const queue = store.queues.deliveries(connection);
    for (const hash of hashes) {
      for (let replay = 0; replay <= replays; replay += 1) {
        await queue.remove(jobId('d', source, call_id, route, hash, replay)).catch(() => 0);
      }
    }
  }
}

/**
 * Removes what adapters remember under these names, on each of the connections.
 * @param names of `ctx.memory`
 * @returns how many entries there were
 */
export async function forgetMemories(
  { redis, keys, indexKey }: Store,
  connections: Iterable<string>,
  names: Iterable<string>,
): Promise<number> {
  const digest = await indexKey.load();
  let removed = 0;
  const wanted = [...new Set(names)];
  for (const connection of connections) {
    for (let at = 0; at < wanted.length; at += MEMORIES_AT_ONCE) {
      const some = wanted.slice(at, at + MEMORIES_AT_ONCE);
      removed += await redis.del(
        ...some.flatMap((name) => [keys.memory(connection, digest('memory', name)), keys.oldMemory(connection, name)]),
      );
    }
  }
  return removed;
}

const MEMORIES_AT_ONCE = 500;
