import type { Keys } from './keys.ts';
import { defineScript, type RedisClient } from './redis.ts';

/** KEYS any key of the installation, so that on a cluster the node answers that holds it. ARGV section of INFO. */
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
