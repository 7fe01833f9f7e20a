/** Digests over a real Redis, from real workers to a receiver on a real socket. */
import { join } from 'node:path';
import { DIGESTS_QUEUE, MAINTENANCE_QUEUE } from '@wrapup/queue';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { type Endpoint, openEndpoint, status } from '../../../packages/http/test/support/endpoint.ts';
import { seedDemoCalls } from '../../../test/support/demo-calls.ts';
import { startProcess } from '../../../test/support/process.ts';
import { redisUrl } from '../../../test/support/redis.ts';
import { queueDigests } from '../src/upkeep/digests.ts';
import { openWorkerSystem, until, type WorkerSystem } from './support/worker-system.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Monday at nine, UTC, an hour after its digest was due; the Monday after it is over, too. */
const NOW = Math.floor((Date.now() - 11 * DAY_MS) / (7 * DAY_MS)) * 7 * DAY_MS + 4 * DAY_MS + 9 * HOUR_MS;

let endpoint: Endpoint;
let system: WorkerSystem;
const routes = (digest = '') => `
connections:
  sales: { kind: hubspot, access_token: pat-na1-test, base_url: "\${HUBSPOT_BASE_URL}" }
  chat: { kind: http, url: "${endpoint.url}/hook", allow_private: true, timeout: 2000, secret: whsec_${Buffer.alloc(32, 7).toString('base64')} }
routes:
  - { name: sales-calls, to: sales, mapping: mapping.yaml }
digests:
  - { name: monday, to: chat${digest} }
`;

beforeEach(async () => {
  endpoint = await openEndpoint();
  system = await openWorkerSystem({ routes: routes() });
  // What is due is asked for by these tests alone, and not by a sweep on the clock of the day on which they run.
  await system.store.queues.get(MAINTENANCE_QUEUE).pause();
  // It was configured a month ago.
  await system.store.digests.knownSince('monday', NOW - 30 * DAY_MS);
});
afterEach(async () => {
  await system.close();
  await endpoint.close();
});

const queue = (now = NOW) => queueDigests(system.store, system.config, now);
const state = () => system.store.digests.read('monday');
const sent = () => until(async () => (await state())?.state === 'sent');

it('says what a week of calls came to, signed, once over two workers that both find it due', async () => {
  const calls = 60;
  await seedDemoCalls(system.store, {
    ...{ calls, until: NOW - 10 * HOUR_MS, agents: ['agent-a', 'agent-b'], people: ['101'] },
    route: { route: 'sales-calls', connection: 'sales' },
  });
  await Promise.all([system.startWorker(), system.startWorker()]);
  await Promise.all([queue(), queue(NOW + 60_000), queue(NOW + 120_000)]);
  await sent();
  await queue(NOW + 180_000);
  const [first, ...others] = endpoint.received;
  expect(others).toEqual([]);
  expect(first?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(first?.headers['webhook-signature']).toMatch(/^v1,/);
  const body = first?.body as { type: string; text: string; data: { vars: Record<string, unknown> } };
  expect(Object.keys(body).sort()).toEqual(['data', 'text', 'timestamp', 'type']);
  expect(body.type).toBe('digest.week');
  const { vars } = body.data;
  expect(body.text).toBe(vars.text);
  expect(body.text).toMatch(/^Week \d+, .*\n\d+ calls, \d+ % reached a person \(the week before: none\)\./);
  expect(vars).toMatchObject({ name: 'monday', every: 'week', client: '', calls_before: 0, time_zone: 'UTC' });
  const sum = (list: unknown) => (list as { count: number }[]).reduce((all, { count }) => all + count, 0);
  expect(vars.calls).toBeGreaterThan(50);
  expect(sum(vars.outcomes)).toBe(vars.calls);
  expect(sum(vars.stopped)).toBe(Number(vars.deliveries) - Number(vars.landed));
  expect(await state()).toMatchObject({ state: 'sent', attempts: 1 });
});

it('is sent again under the same id and with the same words by another worker, where the first died before it noted it', async () => {
  const killed = await startProcess('worker', {
    ...{ REDIS_URL: redisUrl(), WRAPUP_PREFIX: system.prefix, WRAPUP_CONFIG: join(system.folder, 'wrapup.yaml') },
    HUBSPOT_BASE_URL: system.sandbox.hubspotUrl,
  });
  onTestFinished(() => killed.kill());
  // The first answer never comes: the worker is killed while the receiver has it already.
  let took: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    took = resolve;
  });
  endpoint.answers(() => took());
  await queue();
  await first;
  const [job] = await system.store.queues.get(DIGESTS_QUEUE).getActive();
  expect(job?.data).toMatchObject({ digest: 'monday', says: { calls: 0 } });
  await killed.kill();
  await seedDemoCalls(system.store, {
    ...{ calls: 20, until: NOW - 10 * HOUR_MS, agents: ['agent-a'], people: ['101'] },
    route: { route: 'sales-calls', connection: 'sales' },
  });
  endpoint.answers(status(200, 'ok'));
  await system.startWorker();
  await sent();
  const [one, two, ...others] = endpoint.received;
  expect(others).toEqual([]);
  expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
  expect(two?.raw.equals(one?.raw as Buffer)).toBe(true);
});

it('is not sent again where a worker died after it had noted that it was', async () => {
  await queue();
  const [job] = await system.store.queues.get(DIGESTS_QUEUE).getWaiting();
  await system.store.digests.note('monday', {
    ...{ period: (job as { data: { period: string } }).data.period, state: 'sent', at: NOW, attempts: 1 },
  });
  const worker = await system.startWorker();
  await until(async () => (await system.store.queues.get(DIGESTS_QUEUE).getCompletedCount()) === 1);
  expect(endpoint.received).toEqual([]);
  await worker.close();
});

it('is tried again while the endpoint is down, and given up where it refuses', async () => {
  let answers = 0;
  endpoint.answers((response) => {
    answers += 1;
    response.writeHead(answers < 3 ? 503 : 200).end();
  });
  const { metrics } = await system.startWorker();
  await queue();
  await sent();
  const ids = endpoint.received.map(({ headers }) => headers['webhook-id']);
  expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
  expect(await state()).toMatchObject({ state: 'sent', attempts: 3 });
  const shown = await metrics.text();
  expect(shown).toMatch(/wrapup_digests_total\{[^}]*digest="monday",result="failed"[^}]*\} 2/);
  expect(shown).toMatch(/wrapup_digests_total\{[^}]*digest="monday",result="sent"[^}]*\} 1/);

  endpoint.answers(status(404, 'no such hook'));
  endpoint.received.splice(0);
  await queue(NOW + 7 * DAY_MS);
  await until(async () => (await state())?.state === 'failed');
  expect(await state()).toMatchObject({ attempts: 1, code: 'refused', reason: expect.stringContaining('404') });
  await queue(NOW + 7 * DAY_MS + HOUR_MS);
  expect(endpoint.received).toHaveLength(1);
});

it('is sent late after a standstill, up to a limit, and never of before it was configured', async () => {
  const waiting = async () =>
    (await system.store.queues.get(DIGESTS_QUEUE).getJobs()).map(({ data }) => (data as { digest: string }).digest);
  await queue(NOW + 3 * DAY_MS);
  expect(await waiting()).toEqual([]);
  await queue(NOW + 2 * DAY_MS);
  expect(await waiting()).toEqual(['monday']);
  // One that is seen for the first time at ten on a Monday waits for the next.
  await system.configure(routes().replace('name: monday', 'name: another'));
  await queue(NOW + HOUR_MS);
  expect(await waiting()).toEqual(['monday']);
  await queue(NOW + 7 * DAY_MS);
  expect((await waiting()).sort()).toEqual(['another', 'monday']);
});

it('says what its own mapping makes of it', async () => {
  await system.configure(`${routes(', mapping: digest.yaml')}`, undefined, {
    'digest.yaml':
      'events:\n  - name: message\n    fields:\n      content: "{{ vars.title }}: {{ vars.calls }} calls"\n',
  });
  await system.startWorker();
  await queue();
  await sent();
  expect(endpoint.received.map(({ body }) => body)).toEqual([
    { content: expect.stringMatching(/^Week \d+, .*: 0 calls$/) },
  ]);
});
