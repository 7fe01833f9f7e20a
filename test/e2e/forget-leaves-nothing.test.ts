/** What Redis and its file on disk hold of a person: nothing in the clear, no digest that could be tried, and after `forget` nothing. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { rememberWatermark } from '@wrapup/destination/engine';
import { makeContext, openStore, type Store } from '@wrapup/queue';
import { samplePayload } from '@wrapup/synthflow';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { wrapup } from '../../apps/cli/test/support/run.ts';
import { makeConfig } from '../support/config.ts';
import { startProcess } from '../support/process.ts';
import { type PrivateRedis, startRedis } from '../support/redis.ts';
import { dumpAll, readRewrittenFile } from '../support/redis-dump.ts';
import { openSystem, type TestSystem } from '../support/system.ts';

const PHONE = '+14155550187';
const EMAIL = 'quill.feather@example.org';
const NAME = 'Quillfeather';
const INBOUND = `
inbound:
  look_up: sales
  within: 8s
  guard: none
  variables: { first_name: person.firstname, surname: person.lastname }
`;
const keys = {
  WRAPUP_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  WRAPUP_INDEX_KEY: randomBytes(32).toString('base64'),
};
const closers: (() => unknown)[] = [];
let server: PrivateRedis;
let redis: Redis;
let system: TestSystem;
let store: Store;

beforeAll(async () => {
  server = await startRedis({ args: ['--aof-use-rdb-preamble', 'no'] });
  closers.push(() => server.stop());
  redis = new Redis(server.url);
  closers.push(() => redis.disconnect());
  system = await openSystem({
    redis: server.url,
    config: makeConfig({ rest: INBOUND }),
    env: keys,
  });
  closers.push(() => system.close());
  store = openStore({
    url: server.url,
    prefix: system.env.WRAPUP_PREFIX,
    role: 'worker',
    onError() {},
    encryption_keys: keys.WRAPUP_ENCRYPTION_KEY,
    index_key: keys.WRAPUP_INDEX_KEY,
  });
  closers.push(() => store.close());
  system.sandbox.control.settings({ hubspot: { search_lag: 0, limits: { search_per_second: null } } });
  await Promise.all([system.startIngress(), system.startWorker()]);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** What a value may be recognised by, unkeyed digests of it included. */
function tracesOf(value: string): string[] {
  const hash = (encoding: 'hex' | 'base64' | 'base64url') => createHash('sha256').update(value).digest(encoding);
  return [hash('hex').slice(0, 32), hash('base64').slice(0, 22), hash('base64url').slice(0, 22)];
}
const TRACES = [
  ...['4155550187', EMAIL, NAME, 'quillfeather'],
  ...[PHONE, PHONE.slice(1), '4155550187', EMAIL, `Dana ${NAME}`].flatMap(tracesOf),
];
const found = (text: string, traces: string[]) => traces.filter((trace) => text.includes(trace));

const payloadOf = (call_id: string) =>
  JSON.parse(
    JSON.stringify(samplePayload('connected', { call_id, phone: PHONE }))
      .replaceAll('dana@example.com', EMAIL)
      .replaceAll('Dana Example', `Dana ${NAME}`),
  );

async function receive(call_id: string) {
  expect((await system.post(payloadOf(call_id))).status).toBe(202);
  return system.settled(call_id);
}

/** Rings as the person does. */
async function ring(): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${system.ingress?.port}/webhooks/main/inbound-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'call_inbound', call_inbound: { from_number: PHONE, to_number: '+14155550101' } }),
  });
  return answer.json();
}

it('a person is nowhere in the clear, and after forget nowhere at all', async () => {
  const [kept, expired, other] = [randomUUID(), randomUUID(), randomUUID()];
  const { deliveries } = await receive(kept);
  expect(deliveries).toMatchObject([{ state: 'written' }]);
  const records = deliveries[0]?.records ?? [];
  const person = records.find(({ name }) => name === 'person');
  expect(person).toBeDefined();
  await receive(expired);
  expect(await ring()).toMatchObject({ call_inbound: { custom_variables: { surname: NAME } } });
  // Where the account has no property for it.
  const context = makeContext(store, {
    ...{ connection: 'sales', priority: 'live', within: 10_000, signal: new AbortController().signal },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await rememberWatermark(context, person?.id ?? '', '2026-01-01T00:00:00.000Z');
  const stranger = samplePayload('connected', { call_id: other, phone: '+14155550111' });
  expect((await system.post(stranger as never)).status).toBe(202);
  await system.settled(other);

  expect(found(await dumpAll(redis), TRACES)).toEqual([]);
  expect(found(await readRewrittenFile(redis), TRACES)).toEqual([]);

  // The payload of one of the calls has expired.
  for (const name of await redis.keys(`*:payload:main:${expired}:*`)) await redis.del(name);
  const done = await wrapup(['forget', '(415) 555-0187', '--json'], system.env);
  expect(done.stderr).toBe('');
  const answer = done.json() as { calls: { call_id: string; records: { id: string }[] }[]; memories: number };
  expect(answer.calls.map(({ call_id }) => call_id).sort()).toEqual([kept, expired].sort());
  expect(answer.calls.flatMap((call) => call.records.map(({ id }) => id))).toEqual(
    expect.arrayContaining(records.map(({ id }) => id)),
  );
  // The answer to the ringing call, the person by number and by address, the watermark.
  expect(answer.memories).toBeGreaterThanOrEqual(4);

  const digest = await store.indexKey.load();
  const keyed = [
    ...['number', 'email'].flatMap((by) =>
      ['14155550187', '4155550187', EMAIL].map((value) => digest(`person:${by}`, value).slice(0, 16)),
    ),
    ...records.map(({ id, url }) => url ?? `"${id}"`),
  ];
  const traces = [...TRACES, ...keyed, `watermark:${person?.id}`];
  expect(found(await dumpAll(redis), traces)).toEqual([]);
  expect(found(await readRewrittenFile(redis), traces)).toEqual([]);
  expect((await redis.keys(`*:person:*`)).length).toBeGreaterThan(0);
  expect(await store.ledger.read('main', kept)).toMatchObject({
    forgotten: expect.any(Number),
    deliveries: [{ records: [] }],
  });
  // The other caller is as before.
  expect((await store.ledger.read('main', other))?.deliveries[0]?.records.length).toBeGreaterThan(0);
  const again = await wrapup(['forget', PHONE], system.env);
  expect(again).toMatchObject({ code: 1, stdout: '0 calls forgotten\n' });
});

it.each(['ingress', 'worker', 'dashboard'] as const)('%s does not start with another index key', async (app) => {
  const env = { ...system.env, WRAPUP_INDEX_KEY: randomBytes(32).toString('base64') };
  await expect(startProcess(app, env)).rejects.toThrow(/is not the key of this installation/);
});

it('a command does not start with another index key, nor without the encryption key', async () => {
  const other = await wrapup(['calls', 'list'], {
    ...system.env,
    WRAPUP_INDEX_KEY: randomBytes(32).toString('base64'),
  });
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(
    /is not the key of this installation[\s\S]*Set WRAPUP_INDEX_KEY to the value it had before/,
  );
  const none = await wrapup(['calls', 'list'], { ...system.env, WRAPUP_ENCRYPTION_KEY: '' });
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('WRAPUP_ENCRYPTION_KEY is not set, and everything in this Redis is encrypted since');
});
