import type { SchemaCheckResult } from '@wrapup/queue';
import type { GlobalOptions } from './settings.ts';
import { withStore } from './store.ts';

/**
 * Leaves what a command has found out about mappings and accounts for the dashboard and the metrics, which would say what was
 * until the next hourly comparison. Where no Redis answers nothing is lost by that; and what another configuration than the
 * installation's was compared with is not theirs.
 */
export async function noteSchemaChecks(
  found: Omit<SchemaCheckResult, 'at'>[],
  { config }: Pick<GlobalOptions, 'config'>,
): Promise<void> {
  if (found.length === 0 || config !== undefined) return;
  const { readVariable } = await import('@wrapup/config');
  try {
    if (!readVariable('REDIS_URL')) return;
    const { saveSchemaCheck } = await import('@wrapup/queue');
    await withStore(
      (store) => Promise.all(found.map((result) => saveSchemaCheck(store, { ...result, at: Date.now() }))),
      { anyKeys: true },
    );
  } catch {
    // The command has done what it was called for.
  }
}
