/** Commands of one turn of the event loop go out together, in their order, however they were made. */
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { freshPrefix, redisUrl } from '../../../test/support/redis.ts';
import { joinWrites } from '../src/redis/join-writes.ts';

/** A connected client, and how often its socket was written to since the count was last asked for. */
async function open(join: (client: Redis) => Redis) {
  const client = join(new Redis(redisUrl()));
  await client.ping();
  const socket = client.stream as unknown as Record<'_write' | '_writev', (...args: unknown[]) => void>;
  let writes = 0;
  for (const name of ['_write', '_writev'] as const) {
    const write = socket[name].bind(socket);
    socket[name] = (...args) => {
      writes += 1;
      write(...args);
    };
  }
  const since = () => {
    const count = writes;
    writes = 0;
    return count;
  };
  return { client, since };
}

it('sends the commands of one turn together, and those that their answers lead to', async () => {
  const key = freshPrefix();
  const { client, since } = await open(joinWrites);
  const single = await open((one) => one);
  try {
    const add = (redis: Redis) => async (n: number) => {
      await redis.rpush(`${key}:a`, n);
      return redis.rpush(`${key}:b`, n);
    };
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(numbers.map(add(single.client)));
    expect(single.since()).toBeGreaterThan(20);
    await client.del(`${key}:a`, `${key}:b`);
    since();

    const answers = await Promise.all(numbers.map(add(client)));
    expect(answers).toEqual(numbers.map((n) => n + 1));
    // The answers may have come in several pieces, each of which leads to commands of its own.
    expect(since()).toBeLessThan(10);
    expect(await client.lrange(`${key}:a`, 0, -1)).toEqual(numbers.map(String));
    expect(await client.lrange(`${key}:b`, 0, -1)).toEqual(numbers.map(String));
  } finally {
    client.disconnect();
    single.client.disconnect();
  }
});

it('goes on after the connection was lost', async () => {
  const { client } = await open(joinWrites);
  try {
    client.disconnect(true);
    expect(await Promise.all([client.ping('a'), client.ping('b')])).toEqual(['a', 'b']);
    const socket = client.stream as unknown as { writableCorked: number };
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.writableCorked).toBe(0);
  } finally {
    client.disconnect();
  }
});
