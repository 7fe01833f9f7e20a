/**
 * Each service works with the commands and keys that the Redis of docker-compose.yml leaves to it, and none tries more:
 * Redis notes every attempt in its ACL log, which stays empty while calls come in, are written, park, are looked at,
 * replayed and forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { samplePayload } from '@wrapup/synthflow/payload';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { wrapup } from '../apps/cli/test/support/run.ts';
import { HEALTH, REDIS_ROLES, redisUsers, rulesVersion } from '../scripts/redis-users.mjs';
import { makeConfig } from './support/config.ts';
import { freshPrefix, type PrivateRedis, startRedis } from './support/redis.ts';
import { openSystem, type TestSystem } from './support/system.ts';

const PREFIX = freshPrefix();
const passwords = Object.fromEntries([...REDIS_ROLES, HEALTH].map((role) => [role, `password-of-${role}`]));
const INBOUND = 'inbound: { look_up: sales, guard: none, variables: { first_name: person.firstname } }';
const MAPPING = 'extends: hubspot/call-log\nperson: { unmatched: park }\n';

let folder: string;
let server: PrivateRedis;
let system: TestSystem;
/** May do everything, and reads what the others tried. */
let admin: Redis;

const urlOf = (role: string) => `redis://${role}:${passwords[role]}@127.0.0.1:${server.port}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wrapup-users-'));
  const file = join(folder, 'users.acl');
  writeFileSync(file, `${redisUsers({ prefix: PREFIX, passwords })}user admin on >admin ~* &* +@all\n`);
  server = await startRedis({ args: ['--aclfile', file] });
  admin = new Redis(server.port, { username: 'admin', password: 'admin' });
  system = await openSystem({
    redis: `redis://admin:admin@127.0.0.1:${server.port}`,
    redisFor: urlOf,
    prefix: PREFIX,
    config: makeConfig({ rest: INBOUND }),
    mapping: MAPPING,
  });
});
afterAll(async () => {
  await system?.close();
  await admin?.quit().catch(() => {});
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const denied = async () =>
  ((await admin.call('ACL', 'LOG')) as unknown[][]).map((entry) => {
    const fields = Object.fromEntries(entry.flatMap((value, i) => (i % 2 === 0 ? [[value, entry[i + 1]]] : [])));
    return `${fields.username}: ${fields.reason} ${fields.object} (${fields.context})`;
  });

test('a whole day’s work needs no more than each has', async () => {
  const [ingress, , dashboard] = [
    await system.startIngress(),
    await system.startWorker(),
    await system.startDashboard(),
  ];
  const cli = (...args: string[]) => wrapup(args, { ...system.env, REDIS_URL: urlOf('cli') });

  const ids: string[] = [];
  for (const kind of ['connected', 'voicemail', 'no-answer'] as const) {
    const payload = samplePayload(kind) as { call: { call_id: string } };
    ids.push(payload.call.call_id);
    expect((await system.post(payload)).status).toBe(202);
    expect((await system.post(payload)).status).toBe(200);
  }
  const [first = '', second = '', third = ''] = ids;
  const states = [];
  for (const id of ids) states.push(...(await system.settled(id)).deliveries.map(({ state }) => state));
  expect(states).toContain('parked');
  // Another revision of the same call, and a caller whom the CRM is asked for.
  const revised = samplePayload('connected') as { call: { call_id: string; duration?: number } };
  revised.call = { ...revised.call, duration: 77 };
  expect((await system.post(revised)).status).toBe(202);
  const ring = { event: 'call_inbound', call_inbound: { from_number: '+14155550199', to_number: '+14155550100' } };
  const answer = await fetch(`http://127.0.0.1:${ingress.port}/webhooks/main/inbound-call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ring),
  });
  expect(answer.status).toBe(200);

  for (const [process, path] of [
    [ingress, '/readyz'],
    [ingress, '/metrics'],
    ...['/', '/parked', '/dead', '/connections', '/playground', '/metrics', `/calls/main:${first}`].map(
      (page) => [dashboard, page] as const,
    ),
    [dashboard, '/queues/api/queues?activeQueue=calls&page=1&jobsPerPage=10'],
  ] as const)
    expect((await fetch(`http://127.0.0.1:${process.port}${path}`)).status, path).toBeLessThan(500);

  for (const command of [
    'calls list --json',
    `calls show ${first}`,
    'parked list',
    'dead list',
    'connections list',
    'connections pause sales --reason testing',
    'connections resume sales',
    'parked replay --reason nothing-of-that-kind',
    `parked drop ${second} --reason testing`,
    `replay ${first}`,
    `plan ${first}`,
    'doctor',
    `forget ${third}`,
    'forget +14155550123',
  ]) {
    const { code, stderr } = await cli(...command.split(' '));
    // 1: nothing was there to be done, or the sandbox has no such thing.
    expect([0, 1], `${command}: ${stderr}`).toContain(code);
    expect(stderr).not.toContain('NOPERM');
  }
  await system.settled(first);
  expect(await denied()).toEqual([]);
});

test('what the users wrote is there again after a power cut', async () => {
  // Nothing writes any more but Redis' own expiry.
  await system.stop();
  const persistent = async () => {
    const keys = ((await admin.keys('*')) as string[]).sort();
    const lives = await Promise.all(keys.map((key) => admin.pttl(key)));
    return keys.filter((_, i) => lives[i] === -1 || (lives[i] as number) > 600_000);
  };
  const before = await persistent();
  expect(before.length).toBeGreaterThan(10);
  await server.kill();
  await server.restart();
  await expect.poll(() => admin.ping().catch(() => '')).toBe('PONG');
  expect(await persistent()).toEqual(before);
});

test('none can do what harms others, nor see what is another installation’s', async () => {
  await admin.set('{other}:secret', 'x');
  const forbidden: [string, ...string[]][] = [
    ['get', '{other}:secret'],
    ['set', '{other}:secret', 'y'],
    ['eval', `return redis.call('GET', KEYS[1])`, '1', '{other}:secret'],
    ...([['flushall'], ['keys', '*'], ['shutdown', 'nosave'], ['config', 'set', 'appendonly', 'no']] as [string][]),
    ...([['acl', 'list'], ['client', 'kill', 'type', 'normal'], ['script', 'flush'], ['monitor']] as [string][]),
    ['module', 'list'],
    ['replicaof', 'example.com', '6379'],
  ];
  for (const role of [...REDIS_ROLES, HEALTH]) {
    const redis = new Redis(urlOf(role));
    for (const [command, ...args] of forbidden)
      await expect(redis.call(command, ...args), `${role} ${command}`).rejects.toThrow(/NOPERM|acl|permission/i);
    if (role === HEALTH) await expect(redis.get(`{${PREFIX}}:x`)).rejects.toThrow(/NOPERM/);
    else expect(await redis.get(`{${PREFIX}}:x`)).toBe(null);
    if (role === 'ingress') await expect(redis.scan(0)).rejects.toThrow(/NOPERM/);
    redis.disconnect();
  }
});

test('a client without a password is refused', async () => {
  const redis = new Redis(server.port, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false });
  redis.on('error', () => {});
  await redis.connect().catch(() => {});
  await expect(redis.call('PING')).rejects.toThrow(/NOAUTH|closed/i);
  redis.disconnect();
});

test('docker-compose.yml names these rules, so that a Redis that runs is started anew with others', () => {
  const compose = parse(readFileSync(resolve(import.meta.dirname, '../docker-compose.yml'), 'utf8'), { merge: true });
  expect(compose.services.redis.labels['wrapup.redis-users']).toContain(rulesVersion());
});
