/** What the last comparison of the mappings with each account found: for the dashboard, for metrics, for the next one. */
import type { Finding } from '@wrapup/findings';
import type { Store } from './store.ts';

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

export async function saveSchemaCheck({ redis, keys }: Store, result: SchemaCheckResult): Promise<void> {
  await redis.set(keys.schemaCheck(result.connection), JSON.stringify(result), 'EX', KEPT_S);
}

/** Those of the connections that were compared lately, in their order. */
export async function readSchemaChecks({ redis, keys }: Store, connections: string[]): Promise<SchemaCheckResult[]> {
  const texts = await Promise.all(connections.map((name) => redis.get(keys.schemaCheck(name))));
  return texts.flatMap((text) => (text ? [JSON.parse(text) as SchemaCheckResult] : []));
}
