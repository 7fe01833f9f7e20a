/** What the last comparison of the mappings with each account found: for the dashboard, for metrics, for the next one. */
import type { Finding } from '@wrapup/findings';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';

/** Where the results are kept: a `Store`. */
interface Redis {
  redis: RedisClient;
  keys: Keys;
}

export interface SchemaCheckResult {
  connection: string;
  /** Epoch ms. */
  at: number;
  findings: Finding[];
  /** Why the account could not be asked; the findings are then those of the time before. */
  failed?: { code: string; message: string; hint?: string };
}

/** Kept for so long after the last comparison: a connection that is gone is forgotten. */
const KEPT_S = 2 * 24 * 3600;

export async function saveSchemaCheck({ redis, keys }: Redis, examination: SchemaCheckResult): Promise<void> {
  await redis.set(keys.schemaCheck(examination.connection), JSON.stringify(examination), 'EX', KEPT_S);
}

/** Those of the connections that were compared lately, in their order. */
export async function readSchemaChecks({ redis, keys }: Redis, connections: string[]): Promise<SchemaCheckResult[]> {
  const texts = await Promise.all(connections.map((name) => redis.get(keys.schemaCheck(name))));
  return texts.flatMap((text) => (text ? [JSON.parse(text) as SchemaCheckResult] : []));
}
