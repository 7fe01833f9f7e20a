/**
 * What the dashboard's pages take where the ledger has a great many calls: ms of an answer, and bytes of a first view with all
 * that the page loads, as they come over the wire. Calls are kept, routed, written and packed by the scripts that ingress and
 * worker use, evenly over the ledger's 90 days; payloads of more than the last days have expired.
 */
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { CALLS_QUEUE, packSettled, revisionOf, type Store } from '../../packages/queue/src/index.ts';
import type { Process } from '../../test/support/process.ts';
import { type AnswerTimes, callIdOf, eachNumber, openLedger, timesOf } from '../support/ledger.ts';
import { pause } from '../support/watch.ts';

export interface PagesFigures {
  /** Calls in the ledger. */
  calls: number;
  pages: PageFigures[];
}

/** Times over loopback. */
interface PageFigures extends AnswerTimes {
  /** What is looked at. */
  page: string;
  /** kB of the page itself, and with all that a browser without a cache loads with it, compressed. */
  page_kb: number;
  view_kb: number;
}

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
  const ledger = await openLedger({ appendonly: false });
  const { store } = ledger;
  try {
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
    return { calls, pages: await timePages(await ledger.startDashboard(), callIdOf(calls >> 1)) };
  } finally {
    await ledger.close();
  }
}

/** One call in a hundred is parked, the rest are written. */
async function settle(store: Store, n: number, at: number): Promise<void> {
  const [source, call_id, route, connection] = ['main', callIdOf(n), 'sales-calls', 'sales'];
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

async function timePages(dashboard: Process, middle: string): Promise<PageFigures[]> {
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
  let bytes = 0;
  const times = await timesOf(async () => {
    bytes = await bytesOf(new URL(path, origin));
  });
  const html = await (await fetch(new URL(path, origin))).text();
  // Not the alternative form of the page, a stream of events.
  const loads = /<(?:link (?:[^>]* )?rel="(?:stylesheet|icon)"|script|img)[^>]*? (?:href|src)="([^"]+)"/g;
  const loaded = [...html.matchAll(loads)].map(([, to]) => to as string);
  const assets = await Promise.all([...new Set(loaded)].map((to) => bytesOf(new URL(to, new URL(path, origin)))));
  const view = bytes + assets.reduce((sum, one) => sum + one, 0);
  return { page, ...times, page_kb: bytes / 1e3, view_kb: view / 1e3 };
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
