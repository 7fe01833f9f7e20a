/**
 * What a great many parked deliveries cost: pages, counts, filters, the dashboard, replays and drops of many, and memory.
 * They are accepted, parked and filed by the scripts that ingress and worker use; the jobs of `calls`, which no worker
 * takes here, are removed.
 */
import { randomBytes } from 'node:crypto';
import {
  CALLS_QUEUE,
  isIndexComplete,
  maintainIndex,
  revisionOf,
  runBulk,
  type Store,
  startBulk,
  type UnresolvedFilter,
} from '../../packages/queue/src/index.ts';
import type { Process } from '../../test/support/process.ts';
import { type AnswerTimes, callIdOf, eachNumber, openLedger, timesOf } from '../support/ledger.ts';
import { comesTrue, redisBytes } from '../support/watch.ts';

export interface ParkedFigures {
  /** Deliveries that are parked. */
  items: number;
  partitions: number;
  /** Bytes of one parked delivery: entry of the index, job for Bull Board, and everything but the payload. */
  memory: { index: number; job: number; all: number };
  /** What was asked, with the times of each try. */
  times: (AnswerTimes & { what: string })[];
  /** A second. */
  rates: { what: string; items: number; perSecond: number }[];
  /** Longest time for which Redis was at one command of a page or count, ms. */
  longest_command: number;
}

/** Deliveries by which a job is measured. */
const SAMPLE = 20_000;
/** Deliveries that a replay or drop of many takes. */
const MANY = 10_000;
const body = Buffer.from('{}');
const revision = revisionOf(body);

/** One in a hundred is ambiguous; the rest divide into three codes, on four routes to two connections, from two sources. */
function kindOf(n: number) {
  const code = n % 100 === 7 ? 'ambiguous_person' : (['invalid_field', 'refused', 'mapping'][n % 3] as string);
  const route = ['sales-calls', 'support-calls', 'renewals', 'surveys'][n % 4] as string;
  return { source: n % 10 === 3 ? 'other' : 'main', route, connection: n % 4 < 2 ? 'sales' : 'service', code };
}

export async function measureParked(items: number): Promise<ParkedFigures> {
  const ledger = await openLedger({ appendonly: true });
  const { store, url } = ledger;
  try {
    const empty = await redisBytes(url);
    // While all that matters is that they are there, nothing is written to disk.
    await store.redis.config('SET', 'appendonly', 'no');
    // In two steps first, to tell a job's bytes from the rest.
    const some = Math.min(SAMPLE, items);
    const filing: (() => Promise<void>)[] = [];
    await eachNumber(0, some, async (n) => void filing.push(await park(store, n)));
    await store.queues.get(CALLS_QUEUE).drain();
    const parked = await redisBytes(url);
    await eachNumber(0, some, (n) => filing[n]?.() ?? Promise.resolve());
    const job = ((await redisBytes(url)) - parked) / some;
    for (let from = some; from < items; from += SAMPLE) {
      await eachNumber(from, Math.min(items, from + SAMPLE), async (n) => (await park(store, n))());
      await store.queues.get(CALLS_QUEUE).drain();
    }
    const all = ((await redisBytes(url)) - empty) / items;
    await store.redis.config('SET', 'appendonly', 'yes');
    await comesTrue(async () => /aof_rewrite_in_progress:0/.test(await store.redis.info('persistence')), 600_000, 500);
    const index = await indexBytes(store);
    const payload = Number(await store.redis.memory('USAGE', store.keys.payload('main', callIdOf(0), revision)));

    await store.redis.config('SET', 'slowlog-log-slower-than', '100');
    await store.redis.slowlog('RESET');
    const times = [...(await timeStore(store, items)), ...(await timeDashboard(await ledger.startDashboard()))];
    const slow = (await store.redis.slowlog('GET', 128)) as [number, number, number][];
    const longest_command = Math.max(0, ...slow.map(([, , us]) => us)) / 1000;
    return {
      items,
      partitions: (await store.unresolved.partitions('parked')).length,
      memory: { index: index / items, job, all: all - payload },
      times,
      rates: await measureRates(store, items),
      longest_command,
    };
  } finally {
    await ledger.close();
  }
}

/** @returns what files it */
async function park(store: Store, n: number): Promise<() => Promise<void>> {
  const { source, route, connection, code } = kindOf(n);
  const call_id = callIdOf(n);
  await store.accept(
    { source, call_id, body, received: 'webhook', verified: 'signature', received_at: Date.now() },
    90,
  );
  const why = { code, reason: reasonOf(n), hint: 'Add the option in HubSpot, or map the value, then replay.' };
  const facts = { outcome: 'connected', status: 'completed', direction: 'outbound', notes: [] };
  const call = { source, call_id, revision };
  const routed = await store.ledger.route(call, {
    effect: 'applied',
    facts,
    wanted: [{ route, connection }],
    park: why,
  });
  await store.ledger.close(source, call_id);
  const delivery = typeof routed === 'string' ? undefined : routed[0];
  if (!delivery) throw new Error(`call ${call_id} was not parked`);
  return () => store.operations.addUnresolved(call, delivery);
}

/** One in ten thousand says something of its own. */
function reasonOf(n: number): string {
  const field = n % 10_000 === 9 ? 'closedate' : 'hs_lead_status';
  return `HubSpot takes no "${randomBytes(3).toString('hex')}" for ${field}: it is not among its options. (mapping.yaml:12)`;
}

async function indexBytes(store: Store): Promise<number> {
  let bytes = 0;
  for (const { source, route, connection, code } of await store.unresolved.partitions('parked')) {
    const key = `${store.keys.unresolved}:parked:${source}|${route}|${connection}|${code}`;
    bytes += Number(await store.redis.memory('USAGE', key, 'SAMPLES', 1000));
  }
  return bytes;
}

async function timeStore(store: Store, items: number) {
  const { unresolved, ledger } = store;
  const middle = callIdOf(items >> 1);
  const [place] = await unresolved.named('parked', [middle]);
  const call = await ledger.read(kindOf(items >> 1).source, middle);
  const before = call && { since: call.received_at };
  const rare: UnresolvedFilter = { codes: ['ambiguous_person'], route: 'surveys', source: 'other' };
  return [
    await timed('count', () => unresolved.count('parked')),
    await timed('count of a code, a route and a time', () =>
      unresolved.count('parked', { codes: ['refused'], route: 'renewals', ...before }),
    ),
    await timed('first page', () => unresolved.page('parked')),
    await timed('page in the middle', () => unresolved.page('parked', {}, { after: place?.cursor })),
    await timed('first page of a code', () => unresolved.page('parked', { codes: ['ambiguous_person'] })),
    await timed('first page of a code, a route and a source', () => unresolved.page('parked', rare)),
    await timed('first page of the ledger', () => ledger.page({ limit: 50 })),
  ];
}

async function timeDashboard(dashboard: Process) {
  try {
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${dashboard.port}${path}`);
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
      await answer.text();
    };
    const pages = ['/', '/parked', '/parked?code=ambiguous_person', '/parked?reason=closedate', '/dead', '/metrics'];
    const times = [];
    for (const path of pages) times.push(await timed(`dashboard ${path}`, () => get(path)));
    return times;
  } finally {
    await dashboard.stop();
  }
}

async function timed(what: string, ask: () => Promise<unknown>): Promise<ParkedFigures['times'][number]> {
  return { what, ...(await timesOf(ask)) };
}

async function measureRates(store: Store, items: number): Promise<ParkedFigures['rates']> {
  const rates: ParkedFigures['rates'] = [];
  const rateOf = async (what: string, act: () => Promise<number>) => {
    const began = performance.now();
    const count = await act();
    rates.push({ what, items: count, perSecond: (count * 1000) / (performance.now() - began) });
  };
  await rateOf('searched for a text', async () => {
    await store.unresolved.countMatches('parked', { text: 'closedate' }, Number.POSITIVE_INFINITY);
    return items;
  });
  const run = (action: 'replay' | 'drop', filter: UnresolvedFilter) => async () => {
    const begun = await startBulk(store, {
      state: 'parked',
      action,
      filter,
      ...(action === 'drop' && { why: 'a test' }),
    });
    return (await runBulk(store, begun.id, { attempts: () => 10 })).done;
  };
  const [place] = await store.unresolved.named('parked', [callIdOf(items - Math.min(MANY, items >> 1))]);
  const newest = { since: Date.parse(place?.since ?? '') };
  await rateOf('dropped, the newest', run('drop', newest));
  await rateOf('replayed, one in a hundred', run('replay', { codes: ['ambiguous_person'] }));
  await store.redis.del(...(await store.redis.keys(`${store.keys.unresolved}*`)));
  await rateOf('indexed, as after an upgrade', async () => {
    while (!(await isIndexComplete(store))) await maintainIndex(store, { before: 0 });
    return store.unresolved.count('parked');
  });
  return rates;
}
