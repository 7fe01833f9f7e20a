/**
 * What the dashboard's pages take where the ledger has a great many calls: ms of an answer, and bytes of a first view with all
 * that the page loads, as they come over the wire. Calls are kept, routed, written and packed by the scripts that ingress and
 * worker use, evenly over the ledger's 90 days; payloads of more than the last days have expired.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CALLS_QUEUE, openStore, packSettled, revisionOf, type Store } from '../../packages/queue/src/index.ts';
import { startRedisServer } from '../../scripts/local-redis.mjs';
import { makeConfig } from '../../test/support/config.ts';
import { startProcess } from '../../test/support/process.ts';
import { median } from '../support/statistics.ts';
import { pause } from '../support/watch.ts';

export interface PagesFigures {
  /** Calls in the ledger. */
  calls: number;
  pages: PageFigures[];
}

interface PageFigures {
  /** What is looked at. */
  page: string;
  /** ms of an answer, over loopback: of the first one, in the middle and at most of twenty. */
  first: number;
  median: number;
  worst: number;
  /** kB of the page itself, and with all that a browser without a cache loads with it, compressed. */
  page_kb: number;
  view_kb: number;
}

const AT_ONCE = 200;
const TRIES = 20;
/** Calls whose jobs wait at once, as no worker takes them. */
const ROUND = 20_000;
const DAY_MS = 24 * 3600_000;
const LEDGER_DAYS = 90;
const PAYLOAD_DAYS = 7;
const body = Buffer.from('{}');
const revision = revisionOf(body);
const AGENTS = 12;
const OUTCOMES = ['connected', 'voicemail', 'no_answer', 'connected', 'busy', 'connected', 'failed'];
const RESULTS = ['booked', 'interested', 'call_back', 'not_interested', 'wrong_number'];

export async function measurePages(calls: number): Promise<PagesFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'wrapup-bench-'));
  writeFileSync(join(folder, 'wrapup.yaml'), makeConfig());
  writeFileSync(join(folder, 'mapping.yaml'), 'extends: hubspot/call-log\n');
  const redis = await startRedisServer({ dir: join(folder, 'redis'), appendonly: false });
  const store = openStore({ url: redis.url, role: 'worker', onError() {} });
  try {
    await store.connected(20_000);
    await store.queues.connections();
    const now = Date.now();
    // This version has been here for long.
    await store.redis.hset(store.keys.packed, 'since', now - LEDGER_DAYS * DAY_MS);
    const timeOf = (n: number) => Math.round(now - LEDGER_DAYS * DAY_MS * 0.995 * (1 - (n + 1) / calls));
    for (let from = 0; from < calls; from += ROUND) {
      const until = Math.min(calls, from + ROUND);
      await eachNumber(from, until, (n) => settle(store, n, timeOf(n)));
      await store.queues.get(CALLS_QUEUE).drain();
      await packSettled(store, { budget: 60_000 });
      await store.redis.hdel(store.keys.packed, 'walked');
    }
    return { calls, pages: await timePages(redis.url, folder, idOf(calls >> 1)) };
  } finally {
    await store.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As many call ids as one likes, each the size of a UUID. */
function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** One call in a hundred is parked, the rest are written. */
async function settle(store: Store, n: number, at: number): Promise<void> {
  const [source, call_id, route, connection] = ['main', idOf(n), 'sales-calls', 'sales'];
  await store.accept(
    { source, call_id, body, received: 'webhook', verified: 'signature', received_at: at },
    LEDGER_DAYS,
  );
  const facts = {
    ...{ outcome: OUTCOMES[n % OUTCOMES.length] as string, status: 'completed', notes: [] },
    ...{ direction: n % 3 === 0 ? 'inbound' : 'outbound', agent_id: `agent-${n % AGENTS}`, ended_at: at - 1_000 },
  };
  const call = { source, call_id, revision };
  const park = n % 100 === 7 && {
    code: 'ambiguous_person',
    reason: 'Two contacts have the number.',
    hint: 'Choose one.',
  };
  const wanted = [{ route, connection }];
  const routed = await store.ledger.route(call, { effect: 'applied', facts, wanted, ...(park && { park }) });
  const [delivery] = typeof routed === 'string' ? [] : routed;
  if (!delivery) throw new Error(`call ${call_id} was not routed`);
  const payloads = { delivered_days: PAYLOAD_DAYS, stopped_days: LEDGER_DAYS };
  if (park) {
    await store.operations.addUnresolved(call, delivery);
    return store.ledger.endCall(source, call_id, payloads);
  }
  const ref = { ...call, route, replays: delivery.replays };
  const taken = await store.ledger.take(ref, 'a-mapping', { ttl: 10_000, withEntry: false });
  if (!taken || taken === 'busy') throw new Error(`call ${call_id} is not to be written`);
  const records = ['person', 'call_log', 'call-back'].map((name, place) => ({
    ...{ name, object: ['contacts', 'calls', 'tasks'][place] as string, id: String(70_000_000 + 3 * n + place) },
    did: place === 0 && n % 2 === 0 ? ('updated' as const) : ('created' as const),
  }));
  await store.ledger.recordOutcome(
    ref,
    { state: 'written', requests: 4, result: RESULTS[n % RESULTS.length] as string, records },
    { lease: taken.lease, payloads, took: 300 + ((n * 37) % 2_000) },
  );
  if (at < Date.now() - PAYLOAD_DAYS * DAY_MS) await store.redis.unlink(store.keys.payload(source, call_id, revision));
}

async function eachNumber(from: number, until: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = next++; n < until; n = next++) await act(n);
    }),
  );
}

async function timePages(url: string, folder: string, middle: string): Promise<PageFigures[]> {
  const secrets = { SYNTHFLOW_WEBHOOK_SECRET: randomBytes(16).toString('hex'), HUBSPOT_ACCESS_TOKEN: 'pat-na1-bench' };
  const dashboard = await startProcess('dashboard', {
    ...{ REDIS_URL: url, WRAPUP_CONFIG: join(folder, 'wrapup.yaml'), LOG_LEVEL: 'info', ...secrets },
    HUBSPOT_BASE_URL: 'http://127.0.0.1:9',
  });
  const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
  const looks: [page: string, path: string][] = [
    ['overview, today', '/?range=today'],
    ['overview, 7 days: the first view', '/'],
    ['overview, 30 days', '/?range=30d'],
    ['overview, 90 days', `/?from=${day(89)}&to=${day(0)}`],
    ['calls', '/calls'],
    ['calls of a day two months back', `/calls?from=${day(60)}&to=${day(60)}`],
    ['one call', `/calls/${middle}`],
    ['parked', '/parked'],
    ['omissions', '/omissions'],
  ];
  try {
    const origin = `http://127.0.0.1:${dashboard.port}`;
    await pause(1_000);
    const pages: PageFigures[] = [];
    for (const [page, path] of looks) pages.push(await timePage(origin, page, path));
    return pages;
  } finally {
    await dashboard.stop();
  }
}

async function timePage(origin: string, page: string, path: string): Promise<PageFigures> {
  const times: number[] = [];
  let bytes = 0;
  for (let n = 0; n < TRIES; n += 1) {
    const began = performance.now();
    bytes = await bytesOf(new URL(path, origin));
    times.push(performance.now() - began);
  }
  const html = await (await fetch(new URL(path, origin))).text();
  // Not the alternative form of the page, a stream of events.
  const loads = /<(?:link (?:[^>]* )?rel="(?:stylesheet|icon)"|script|img)[^>]*? (?:href|src)="([^"]+)"/g;
  const loaded = [...html.matchAll(loads)].map(([, to]) => to as string);
  const assets = await Promise.all([...new Set(loaded)].map((to) => bytesOf(new URL(to, new URL(path, origin)))));
  const view = bytes + assets.reduce((sum, one) => sum + one, 0);
  const [first = 0] = times;
  return { page, first, median: median(times), worst: Math.max(...times), page_kb: bytes / 1e3, view_kb: view / 1e3 };
}

/** Bytes of an answer's body as a browser receives it. @throws where it is not 200 */
async function bytesOf(url: URL): Promise<number> {
  const request = httpGet(url, { headers: { 'accept-encoding': 'br, gzip', accept: 'text/html' } });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${url.pathname}${url.search} answered ${answer.statusCode}`);
  let bytes = 0;
  for await (const part of answer) bytes += (part as Buffer).length;
  return bytes;
}
