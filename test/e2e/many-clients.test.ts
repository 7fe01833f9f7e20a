/**
 * Three hundred clients in one installation, each with a file of its own: what a worker holds open is bounded, one client's
 * backlog and its broken CRM stay its own, and a worker that is killed loses nothing of any of them.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../support/redis.ts';
import { sampleOf } from '../support/sample-caller.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const COUNT = 300;
/** Redis clients of one worker, whatever the number of connections. */
const MOST = 20;
const CALLER = '+14155550142';
const names = Array.from({ length: COUNT }, (_, index) => `client-${index}`);
const secretOf = (client: string) => `${client}-9e5d7b48a6a3f1c09e5d7b48a6`.padStart(40, 'a3f1c0');

/** Takes every event at once, except for those of the clients whose endpoint hangs. */
const hanging = new Set<string>();
const taken: string[] = [];
const endpoint = createServer((request, response) => {
  request.resume().on('end', () => {
    const client = (request.url ?? '').slice(1);
    if (hanging.has(client)) return;
    taken.push(client);
    response.writeHead(204).end();
  });
});

let redis: PrivateRedis;
let system: TestSystem;
let admin: Redis;
beforeAll(async () => {
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  redis = await startRedis();
  admin = new Redis(redis.url);
  const fileOf = (client: string) => `
sources:
  main: { webhook_secrets: [${secretOf(client)}] }
connections:
  hook: { kind: http, url: "${address}/${client}", allow_private: true, timeout: 5000 }
routes:
  - { name: all, to: hook, mapping: mapping.yaml }
`;
  system = await openSystem({
    redis: redis.url,
    config: 'retention: { delivered: 3d }\n',
    mapping: 'extends: http/event\n',
    files: Object.fromEntries(names.map((client) => [`clients/${client}.yaml`, fileOf(client)])),
  });
});
afterAll(async () => {
  admin.disconnect();
  await system.close();
  await redis.stop();
  endpoint.closeAllConnections();
  endpoint.close();
});

const clientsOfRedis = async () =>
  String(await admin.client('LIST'))
    .trim()
    .split('\n').length;
const arrive = async (client: string) => {
  const payload = sampleOf('connected', CALLER);
  const call_id = randomUUID();
  payload.call.call_id = call_id;
  const body = Buffer.from(JSON.stringify(payload));
  const arrival = { source: `${client}.main`, call_id, body, received: 'webhook', verified: 'signature' } as const;
  await system.store.accept({ ...arrival, received_at: Date.now() }, 90);
  return call_id;
};
const stateOf = async (client: string, id: string) =>
  (await system.store.ledger.read(`${client}.main`, id))?.deliveries.map(({ state }) => state);

it('each gets its call delivered by a worker that holds few connections to Redis', async () => {
  const before = await clientsOfRedis();
  await system.startWorker();
  expect((await clientsOfRedis()) - before).toBeLessThanOrEqual(MOST);
  await Promise.all(names.map(arrive));
  await expect.poll(() => new Set(taken).size).toBe(COUNT);
  expect((await clientsOfRedis()) - before).toBeLessThanOrEqual(MOST);
  // Nothing is left that a look at busy queues would find.
  await expect.poll(async () => (await system.store.queues.read()).length).toBe(0);
});

it('one’s backlog, and an endpoint that hangs, do not keep another’s call', async () => {
  const [flood = '', quiet = ''] = names;
  hanging.add(flood);
  const backlog = await Promise.all(Array.from({ length: 500 }, () => arrive(flood)));
  await expect.poll(async () => stateOf(flood, backlog[0] as string)).toEqual(['queued']);
  const id = await arrive(quiet);
  await expect.poll(async () => stateOf(quiet, id)).toEqual(['written']);
  expect(await stateOf(flood, backlog.at(-1) as string)).not.toEqual(['written']);
  hanging.delete(flood);
});

it('a worker that is killed while it serves many of them loses nothing', async () => {
  const before = taken.length;
  const some = names.slice(100, 140);
  for (const client of some) hanging.add(client);
  const ids = await Promise.all(some.map(arrive));
  const worker = await system.startWorker();
  // Both workers are at it when the one that began is killed.
  await expect
    .poll(async () => (await system.store.queues.read()).filter(({ active }) => active > 0).length)
    .toBeGreaterThan(20);
  await worker.kill();
  for (const client of some) hanging.delete(client);
  await expect
    .poll(async () => {
      const states = await Promise.all(some.map((client, index) => stateOf(client, ids[index] as string)));
      return states.filter((state) => state?.[0] === 'written').length;
    })
    .toBe(some.length);
  expect(taken.length).toBeGreaterThanOrEqual(before + some.length);
});
