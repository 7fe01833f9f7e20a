/** A Redis and the product's store on it, in which the steps of a trace are taken, and what it then holds in the words of the model. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliveryLease, openStore, revisionOf, type Store } from '../../packages/queue/src/index.ts';
import { type RedisServerCommand, startRedisServer } from '../../scripts/local-redis.mjs';
import type { ModelState } from './trace.ts';

export const SOURCE = 'main';
export const CONNECTION = 'crm';
/** The model's time 0, epoch ms. */
export const EPOCH = Date.UTC(2026, 0, 1);

const CALLS = ['c1', 'c2'];
const ROUTES = ['log', 'task'];
const REVISIONS = ['r1', 'r2', 'r3'];
/** Longer than a Redis takes to start on a machine that many share, ms. */
const STARTS_WITHIN = 60_000;

export interface Installation {
  store: Store;
  close(): Promise<void>;
}

/** @param server the one to start. Default: the one that is found */
export async function openInstallation(server?: RedisServerCommand): Promise<Installation> {
  const dir = mkdtempSync(join(tmpdir(), 'wrapup-model-'));
  const redis = await startRedisServer({ dir, timeout: STARTS_WITHIN, ...(server ? { server } : {}) });
  const store = openStore({ url: redis.url, prefix: 'model', role: 'worker', onError() {} });
  await store.connected(STARTS_WITHIN);
  return {
    store,
    async close() {
      await store.close();
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function bodyOf(call: string, revision: string): Buffer {
  return Buffer.from(JSON.stringify({ call: { call_id: call }, revision }));
}

export function hashOf(call: string, revision: string): string {
  return revisionOf(bodyOf(call, revision));
}

/** Model's names by hash. */
const NAMES = new Map(
  CALLS.flatMap((call) => REVISIONS.map((revision) => [hashOf(call, revision), revision] as const)),
);

function nameOf(hash: string | undefined): string {
  if (hash === undefined) return '';
  const name = NAMES.get(hash);
  if (name === undefined) throw new Error(`No revision of the model has the hash ${hash}.`);
  return name;
}

const secondsOf = (ms: number | undefined) => (ms === undefined ? 0 : (ms - EPOCH) / 1000);

/** What Redis holds. @param holderOf who holds a lease, by its owner */
export async function observeState(store: Store, holderOf: (owner: string) => string): Promise<ModelState> {
  const { redis, keys, queues, ledger } = store;
  const [entries, members, calls, deliveries, listed, isPaused, hash] = await Promise.all([
    Promise.all(CALLS.map((call) => ledger.read(SOURCE, call))),
    redis.zrange(keys.open, '0', '-1'),
    queues.calls(SOURCE).getJobs(),
    queues.deliveries(CONNECTION).getJobs(),
    readListed(store),
    queues.deliveries(CONNECTION).isPaused(),
    redis.hgetall(keys.connection(CONNECTION)),
  ]);
  const places = CALLS.flatMap((call) => ROUTES.map((route) => [call, route] as const));
  const owners = await redis.mget(places.map(([call, route]) => keys.lease(deliveryLease(SOURCE, call, route))));
  const state: ModelState = {
    revisions: {},
    deliveries: {},
    open: members.map((member) => member.slice(SOURCE.length + 1)).sort(),
    listed,
    callJobs: calls.map(({ data: { call_id, revision } }) => `${call_id}/${nameOf(revision)}`).sort(),
    deliveryJobs: deliveries
      .map(({ data: { call_id, route, revision, replays } }) => `${call_id}/${route}/${nameOf(revision)}/${replays}`)
      .sort(),
    leases: Object.fromEntries(
      places.flatMap((place, index) => {
        const owner = owners[index];
        return owner ? [[place.join('/'), holderOf(owner)]] : [];
      }),
    ),
    connection: connectionOf(hash),
    isPaused,
  };
  for (const entry of entries) {
    for (const { hash: revision, at, effect = '' } of entry?.revisions ?? []) {
      const { call_id } = entry as NonNullable<typeof entry>;
      // A revision whose bytes are gone is not kept.
      if (await store.payloads.has(SOURCE, call_id, revision))
        state.revisions[`${call_id}/${nameOf(revision)}`] = { at: secondsOf(at), effect };
    }
    for (const delivery of entry?.deliveries ?? []) {
      const { state: now, route, revision, replays, attempts, displaced } = delivery;
      const { revised } = delivery as { revised?: number };
      state.deliveries[`${entry?.call_id}/${route}`] = {
        ...{ state: now, rev: nameOf(revision), replays, attempts },
        ...{ revised: secondsOf(revised), displaced: nameOf(displaced) },
      };
    }
  }
  return state;
}

async function readListed({ redis, keys }: Store): Promise<string[]> {
  const listed: string[] = [];
  for (const state of ['parked', 'dead']) {
    for (const partition of await redis.smembers(`${keys.unresolved}:${state}`)) {
      const [, route] = partition.split('|');
      for (const call of await redis.zrange(`${keys.unresolved}:${state}:${partition}`, '0', '-1'))
        listed.push(`${call}/${route}/${state}`);
    }
  }
  return listed.sort();
}

/** @param hash as Redis keeps the state of a connection */
export function connectionOf(hash: Record<string, string>): ModelState['connection'] {
  const text = hash.circuit ?? hash.trial;
  const pause = text ? (JSON.parse(text) as { cause: string; tries: number; next_probe: number }) : undefined;
  return {
    circuit: hash.circuit ? 'open' : hash.trial ? 'trial' : 'closed',
    cause: pause?.cause ?? '',
    tries: pause?.tries ?? 0,
    next: secondsOf(pause?.next_probe),
    failures: Number(hash.failures ?? 0),
    probing: hash.probing ? secondsOf(Number(hash.probing)) : 0,
    operator: hash.operator ? ((JSON.parse(hash.operator) as { by?: string }).by ?? 'unnamed') : '',
  };
}
