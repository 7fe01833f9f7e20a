/** A connection ends after `disconnect()`, whatever state it is in. BullMQ waits for that without a limit. */
import { type ConnectionOptions, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { freshPrefix, type PrivateRedis, startRedis } from '../../../test/support/redis.ts';
import { openRedis } from '../src/redis/client.ts';

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10));
}

function connect(redis: PrivateRedis) {
  const client = openRedis({ url: redis.url }, 'worker', () => {});
  closers.push(() => client.disconnect());
  return client;
}

describe('a connection whose Redis is gone', () => {
  it('ends when it is disconnected, refuses what waits, and may connect again', async () => {
    const redis = await startRedis({ appendonly: false });
    closers.push(() => redis.stop());
    const client = (connect(redis) as Redis).duplicate();
    closers.push(() => client.disconnect());
    await client.ping();
    await redis.kill();
    await until(() => client.status === 'reconnecting');

    const waits = expect(client.get('x')).rejects.toThrow('Connection is closed');
    const ended = new Promise((resolve) => client.once('end', resolve));
    client.disconnect();
    await ended;
    await waits;
    expect(client.status).toBe('end');

    await redis.restart();
    await client.connect();
    expect(await client.ping()).toBe('PONG');
  });

  it('keeps no worker from closing', async () => {
    const redis = await startRedis({ appendonly: false });
    closers.push(() => redis.stop());
    const connection = connect(redis);
    const worker = new Worker('leaving', async () => {}, {
      connection: connection as ConnectionOptions,
      prefix: `{${freshPrefix()}}`,
    }).on('error', () => {});
    // Its commands would wait for Redis, as those of jobs in hand do; what it blocks on need not.
    await until(async () => /cmd=bzpopmin/.test(String(await connection.call('CLIENT', 'LIST'))));
    await redis.kill();
    await until(() => connection.status === 'reconnecting');
    await worker.close();
  });
});
