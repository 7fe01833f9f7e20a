/**
 * What a Redis server holds, as a file to keep and to read: every key with its type, what is left of its time, and its value,
 * as commands would set it. Unlike a DUMP or an RDB file it is read by every version of Redis, and a change of it can be seen.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** Text, or base64 where the bytes are no UTF-8. */
type Bytes = string | { base64: string };

interface KeptKey {
  key: string;
  /** Ms from when it is loaded; absent: for good. */
  ttl?: number;
  /** The command that sets it, and its arguments after the key; several where one is not enough. */
  set: Bytes[][];
}

/** @returns the number of keys */
export async function writeDataFile(redis: Redis, file: string): Promise<number> {
  const kept: KeptKey[] = [];
  for (const key of (await redis.keys('*')).sort()) {
    const ttl = await redis.pttl(key);
    // Leases and locks of processes that are gone are gone, too, before another release starts.
    if (ttl >= 0 && ttl < 60_000) continue;
    kept.push({ key, ...(ttl >= 0 && { ttl }), set: await commandsOf(redis, key) });
  }
  writeFileSync(file, `[\n${kept.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  return kept.length;
}

/** Into an empty server. */
export async function loadDataFile(redis: Redis, file: string): Promise<void> {
  if ((await redis.dbsize()) > 0) throw new Error('the server is not empty');
  for (const { key, ttl, set } of JSON.parse(readFileSync(file, 'utf8')) as KeptKey[]) {
    for (const [command, ...args] of set) await redis.call(String(command), key, ...args.map(toBytes));
    if (ttl !== undefined) await redis.pexpire(key, ttl);
  }
}

async function commandsOf(redis: Redis, key: string): Promise<Bytes[][]> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return [['SET', toText((await redis.getBuffer(key)) ?? Buffer.alloc(0))]];
    case 'hash':
      return [
        ['HSET', ...Object.entries(await redis.hgetallBuffer(key)).flatMap(([name, value]) => [name, toText(value)])],
      ];
    case 'list':
      return [['RPUSH', ...(await redis.lrangeBuffer(key, 0, -1)).map(toText)]];
    case 'set':
      return [['SADD', ...(await redis.smembers(key)).sort()]];
    case 'zset': {
      const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
      const pairs = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i + 1], flat[2 * i]] as string[]);
      return [['ZADD', ...pairs.flat()]];
    }
    case 'stream':
      return (await redis.xrange(key, '-', '+')).map(([id, fields]) => ['XADD', id, ...fields]);
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

function toText(bytes: Buffer): Bytes {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}

function toBytes(value: Bytes): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value.base64, 'base64');
}
