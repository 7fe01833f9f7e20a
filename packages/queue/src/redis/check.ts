import { defineScript, type RedisClient } from './client.ts';
import type { Keys } from './keys.ts';

/** Part of `maxmemory` above which no new call is taken. */
export const FULL_RATIO = 0.9;

/** KEYS any key of the installation, so that on a cluster the node that holds it answers. ARGV section of INFO. */
const readSection = defineScript<string>('wrapupInfo', `return redis.call('INFO', ARGV[1])`);

/** What the server that holds this installation says of itself. https://redis.io/docs/latest/commands/info/ */
export async function readInfo(redis: RedisClient, keys: Keys, section: string): Promise<Record<string, string>> {
  const text = await readSection(redis, [keys.index], [section]);
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/**
 * Whether Redis can take a call now, and which of its settings would lose one. Settings that a managed Redis hides are
 * not guessed at.
 */
export async function checkRedis(redis: RedisClient, keys: Keys): Promise<{ ok: boolean; problems: string[] }> {
  const problems: string[] = [];
  let ok = true;
  try {
    const info = await readInfo(redis, keys, 'all');
    if (info.role === 'slave') {
      ok = false;
      problems.push('Redis is a replica and read-only: point REDIS_URL at the primary.');
    }
    const max = Number(info.maxmemory ?? 0);
    if (max > 0 && Number(info.used_memory ?? 0) > FULL_RATIO * max) {
      ok = false;
      problems.push(`Redis is full (over ${FULL_RATIO * 100} % of maxmemory): raise maxmemory or shorten retention.`);
    }
    if (max > 0 && info.maxmemory_policy && info.maxmemory_policy !== 'noeviction') {
      problems.push(
        `Redis evicts keys under memory pressure (maxmemory-policy ${info.maxmemory_policy}), which loses calls: set it to noeviction.`,
      );
    }
    if (info.aof_enabled === '0') {
      problems.push('Redis keeps no append-only file: a crash of Redis loses acknowledged calls. Set appendonly yes.');
    } else if ((await readSetting(redis, 'appendfsync')) === 'everysec') {
      problems.push(
        'Redis syncs its append-only file once a second: a power loss may lose the last second. Set appendfsync always.',
      );
    }
  } catch (error) {
    return { ok: false, problems: [`Redis does not answer: ${(error as Error).message}`] };
  }
  return { ok, problems };
}

/** Bytes up to which Redis packs the fields of a small hash, as `npm start` and docker-compose.yml set it. */
const PACKED_BYTES = 1024;

/** What costs memory and no call. Redis before 7 does not know the setting. */
export async function adviseRedis(redis: RedisClient): Promise<string[]> {
  const packed = await readSetting(redis, 'hash-max-listpack-value');
  if (packed === undefined || Number(packed) >= PACKED_BYTES) return [];
  return [
    `Redis packs hash fields of up to ${packed} bytes only, so that calls take up to twice the memory: set hash-max-listpack-value ${PACKED_BYTES}.`,
  ];
}

/** CONFIG is closed on many managed servers; then the setting stays unknown. */
async function readSetting(redis: RedisClient, name: string): Promise<string | undefined> {
  try {
    const [node = redis] = 'nodes' in redis ? redis.nodes('master') : [];
    const answer = (await node.call('CONFIG', 'GET', name)) as string[] | Record<string, string>;
    return Array.isArray(answer) ? answer[1] : answer[name];
  } catch {
    return undefined;
  }
}
