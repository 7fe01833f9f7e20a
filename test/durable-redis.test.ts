/** The Redis that Wrapup brings keeps what was acknowledged: on the disk before it answers, and never evicted. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { startRedis } from './support/redis.ts';

const SETTINGS = {
  appendonly: 'yes',
  appendfsync: 'always',
  'aof-load-truncated': 'no',
  'maxmemory-policy': 'noeviction',
};
/** Known from Redis 7 on. */
const PACKED = { 'hash-max-listpack-value': '1024' };
const closers: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));

it('the one in docker-compose.yml syncs every write and evicts nothing', () => {
  const compose = parse(readFileSync(resolve(import.meta.dirname, '../docker-compose.yml'), 'utf8'), { merge: true });
  const command = [compose.services.redis.command].flat().join(' ');
  expect(command).toContain('sh /trim-aof.sh /data; exec redis-server');
  for (const [name, value] of Object.entries({ ...SETTINGS, ...PACKED }))
    expect(command).toMatch(new RegExp(`--${name} "?${value}"?`));
});

it('the one that npm start brings syncs every write and evicts nothing', async () => {
  // The very function that it is started with.
  const server = await startRedis();
  const redis = new Redis(server.url);
  closers.push(
    () => server.stop(),
    async () => redis.disconnect(),
  );
  const known = inject('redisServer').major >= 7 ? { ...SETTINGS, ...PACKED } : SETTINGS;
  for (const [name, value] of Object.entries(known))
    expect(await redis.call('CONFIG', 'GET', name)).toEqual([name, value]);
});
