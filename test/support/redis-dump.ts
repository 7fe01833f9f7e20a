/** Everything that a Redis server holds, as text to search: names and values, and the append-only file on disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** Names and values of all keys, each byte one character, a line for each. */
export async function dumpAll(redis: Redis): Promise<string> {
  const lines: string[] = [];
  for (const key of await redis.keys('*')) {
    lines.push(key);
    for (const part of await valuesOf(redis, key)) lines.push(part.toString('latin1'));
  }
  return lines.join('\n');
}

async function valuesOf(redis: Redis, key: string): Promise<Buffer[]> {
  switch (await redis.type(key)) {
    case 'string':
      return [(await redis.getBuffer(key)) ?? Buffer.alloc(0)];
    case 'hash':
      return Object.entries(await redis.hgetallBuffer(key)).flatMap(([name, value]) => [Buffer.from(name), value]);
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'set':
      return redis.smembersBuffer(key);
    case 'zset':
      return redis.zrangeBuffer(key, '0', '-1');
    case 'stream':
      return [Buffer.from(JSON.stringify(await redis.xrange(key, '-', '+')))];
    default:
      return [];
  }
}

/** The append-only file once it has been rewritten; readable where the server was started with `--aof-use-rdb-preamble no`. */
export async function readRewrittenFile(redis: Redis): Promise<string> {
  await redis.bgrewriteaof().catch(() => {});
  const isBusy = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
  while (await isBusy()) await new Promise((resolve) => setTimeout(resolve, 20));
  const [dir, folder] = await Promise.all(
    ['dir', 'appenddirname'].map(async (name) => ((await redis.config('GET', name)) as string[])[1] ?? ''),
  );
  const path = join(dir ?? '', folder ?? '');
  return readdirSync(path)
    .map((file) => readFileSync(join(path, file), 'latin1'))
    .join('\n');
}
