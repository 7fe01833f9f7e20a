/**
 * Bytes that Redis keeps of a call whose transcript does not repeat itself, once it is delivered: Wrapup's payload,
 * ledger, sets and what BullMQ keeps of finished jobs, beside the baseline's finished jobs.
 */
import { randomBytes } from 'node:crypto';
import { openStore, packSettled, type Store, scanKeys, trainDictionaries } from '../../packages/queue/src/index.ts';
import { encodeBucket } from '../../packages/queue/src/packed/bucket.ts';
import { BUCKET_SIZE } from '../../packages/queue/src/packed/packed-entries.ts';
import { phoneOf } from '../../test/support/phone.ts';
import { openBaseline } from '../baseline/installation.ts';
import { openInstallation } from '../installation.ts';
import { makeCall, type Payload } from '../support/calls.ts';
import { eachOf, pause, redisBytes } from '../support/watch.ts';

export interface MemoryFigures {
  calls: number;
  /** Bytes of one body. */
  body: number;
  /** Bytes in Redis of one call. */
  wrapup: number;
  baseline: number;
  /** What is allowed: half of the body and 4 kB. */
  allowed: number;
}

/** Finished jobs that stay of a queue, at most, for those who look at the queues. */
const JOBS_KEPT = 100;
/** No limits: what is measured is what stays. */
const SETTINGS = { hubspot: { limits: { ten_secondly: 1e6, daily: 1e9, search_per_second: 1e6 } } };

export async function measureMemory(calls: number, bytes: number): Promise<MemoryFigures> {
  const payloads = (first: number) =>
    Array.from({ length: calls }, (_, n) => makeCall({ phone: phoneOf(first + n), bytes, seed: first + n + 1 }));
  const ours = await openInstallation({ settings: SETTINGS });
  let wrapup: number;
  try {
    // As many as finished jobs are kept: from here on each new one takes the place of an old one.
    const first = Array.from({ length: JOBS_KEPT }, (_, n) => makeCall({ phone: phoneOf(n), bytes, seed: n + 1 }));
    await eachOf(first, 20, ours.post);
    await ours.written(first.map(({ call }) => call.call_id));
    const before = await redisBytes(ours.redis.url);
    const all = payloads(10_000);
    await eachOf(all, 20, ours.post);
    await ours.written(all.map(({ call }) => call.call_id));
    await pause(2_000);
    wrapup = ((await redisBytes(ours.redis.url)) - before) / calls;
  } finally {
    await ours.close();
  }
  const theirs = await openBaseline(SETTINGS, { BASELINE_UNLIMITED: '1' });
  try {
    const before = await redisBytes(theirs.redis.url);
    await eachOf(payloads(20_000), 20, theirs.post);
    await theirs.done(calls);
    await pause(2_000);
    const baseline = ((await redisBytes(theirs.redis.url)) - before) / calls;
    return { calls, body: bytes, wrapup, baseline, allowed: bytes / 2 + 4096 };
  } finally {
    await theirs.close();
  }
}

/** Bytes in Redis of a call by its age, under the keys that every installation has, with the default retention. */
export interface KeptFigures {
  calls: number;
  /** Bytes of one body. */
  body: number;
  /** Until `retention.delivered` has passed. */
  payload: number;
  /** The ledger's entry with its place in the lists: in a hash of its own, and packed. */
  entry: number;
  packed: number;
  /** For as long as the ledger: which calls name a person, and what was written to which record. */
  people: number;
  written: number;
}

/** Of the defaults, in days; `unpacked`: half a day, and until a pass of the sweep comes by. */
export const KEPT_DAYS = { delivered: 7, unpacked: 0.51, ledger: 90 };
const DAY_MS = 24 * 3600_000;
/** Calls of one round; after the first one the source has its dictionary. */
const ROUND = 500;

export async function measureKept(runs: readonly { calls: number; bytes: number }[]): Promise<KeptFigures[]> {
  const figures: KeptFigures[] = [];
  for (const { calls, bytes } of runs) figures.push(await measureBody(calls, bytes));
  return figures;
}

async function measureBody(calls: number, bytes: number): Promise<KeptFigures> {
  const keys = {
    WRAPUP_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    WRAPUP_INDEX_KEY: randomBytes(32).toString('base64'),
  };
  const installation = await openInstallation({ settings: SETTINGS, env: keys, worker: false });
  const store = openStore({
    url: installation.redis.url,
    role: 'worker',
    encryption_keys: keys.WRAPUP_ENCRYPTION_KEY,
    index_key: keys.WRAPUP_INDEX_KEY,
    onError() {},
  });
  try {
    await store.connected(20_000);
    // This version has been here for long.
    const dayAgo = Date.now() - DAY_MS;
    await store.redis.hset(store.keys.dictionaries, ':since', dayAgo);
    await store.redis.hset(store.keys.packed, 'since', dayAgo);
    await installation.startWorker();
    let made = 0;
    const write = async (count: number) => {
      const all = Array.from({ length: count }, (): Payload => {
        made += 1;
        return makeCall({ phone: phoneOf(made), bytes, seed: made });
      });
      await eachOf(all, 20, (call) => installation.post(call));
      await installation.written(all.map(({ call }) => call.call_id));
    };
    await write(ROUND);
    // The worker's own sweep has tried before there was any.
    await trainDictionaries(store, ['main'], Date.now() + 2 * DAY_MS);
    // Processes take it into use within a minute.
    await pause(61_000);
    // Bytes that these keys take, by what is left without them.
    const bytesOf = async (take: () => Promise<unknown>) => {
      await pause(2_000);
      const before = await redisBytes(installation.redis.url, 'used_memory');
      await take();
      await pause(2_000);
      return before - (await redisBytes(installation.redis.url, 'used_memory'));
    };
    await remove(store, store.keys.payload('*', '*', '*'));
    for (let done = 0; done < calls; done += ROUND) await write(Math.min(ROUND, calls - done));
    const written = await bytesOf(() => remove(store, store.keys.memory('*', '*')));
    // What was found and created is remembered for minutes only.
    const payload = await bytesOf(() => remove(store, store.keys.payload('*', '*', '*')));
    const later = Date.now() + DAY_MS;
    const saved = await bytesOf(async () => {
      for (let packed = -1; packed !== made; ) {
        await store.redis.hdel(store.keys.packed, 'walked');
        await packSettled(store, { before: later, now: later });
        packed = [...(await store.ledger.packed.counts()).values()].reduce((sum, count) => sum + count, 0);
      }
    });
    const people = (await bytesOf(() => remove(store, store.keys.person('*')))) / made;
    const digests = await bytesOfDigests(store);
    const packed = (await bytesOf(() => remove(store, `${store.keys.packed}*`))) / made;
    return {
      ...{ calls, body: bytes, payload: payload / calls, entry: saved / made + packed - digests },
      ...{ packed: packed - digests, people: people + digests, written: written / made },
    };
  } finally {
    await store.close();
    await installation.close();
  }
}

/** Bytes of a packed entry that are digests of the index of people. */
async function bytesOfDigests({ ledger }: Store): Promise<number> {
  const entries = await ledger.packed.list({ cursor: undefined, since: 0, client: undefined, limit: BUCKET_SIZE });
  const without = entries.map(({ fields: { people: _, ...fields }, ends }) => ({ fields, ends }));
  return (encodeBucket(entries).length - encodeBucket(without).length) / entries.length;
}

async function remove({ redis }: Store, pattern: string): Promise<void> {
  let names: string[] = [];
  for await (const name of scanKeys(redis, pattern)) {
    names.push(name);
    if (names.length < 1_000) continue;
    await redis.unlink(...names);
    names = [];
  }
  if (names.length > 0) await redis.unlink(...names);
}
