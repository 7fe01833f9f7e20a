import type { Keys } from './keys.ts';
import { FULL } from './memory-watch.ts';
import type { RedisClient } from './redis.ts';
import { readInfo } from './redis-info.ts';

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
    if (max > 0 && Number(info.used_memory ?? 0) > FULL * max) {
      ok = false;
      problems.push(`Redis is full (over ${FULL * 100} % of maxmemory): raise maxmemory or shorten retention.`);
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
