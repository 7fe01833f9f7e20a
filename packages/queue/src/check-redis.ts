import type { RedisClient } from './redis.ts';

/** Part of `maxmemory` above which Redis counts as full: what is left is for the jobs already taken. */
const FULL = 0.95;

/**
 * Whether Redis can take a call now, and which of its settings would lose one. Settings that a managed Redis hides are
 * not guessed at.
 */
export async function checkRedis(redis: RedisClient): Promise<{ ok: boolean; problems: string[] }> {
  const problems: string[] = [];
  let ok = true;
  try {
    const info = parseInfo(await redis.info());
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
    const answer = (await redis.call('CONFIG', 'GET', name)) as string[] | Record<string, string>;
    return Array.isArray(answer) ? answer[1] : answer[name];
  } catch {
    return undefined;
  }
}

function parseInfo(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
