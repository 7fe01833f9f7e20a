import type { Config } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { type ReconcileRun, type RunInProgress, RunStore } from '@wrapup/recovery';

/** How one source stands with calls whose webhook never came. */
export interface Reconciliation {
  source: string;
  /** Milliseconds between two runs; absent when they are only asked for by hand. */
  every?: number;
  last?: ReconcileRun;
  running?: RunInProgress;
}

/** Sources that reconcile, or have. */
export async function readReconciliations(store: Store, config: Config): Promise<Reconciliation[]> {
  const all = await Promise.all(
    Object.values(config.sources).map(async ({ name, reconcile }) => {
      const runs = new RunStore(store, name);
      const [last, running] = await Promise.all([runs.last(), runs.running()]);
      return {
        source: name,
        ...(reconcile && { every: reconcile.every }),
        ...(last && { last }),
        ...(running && { running }),
      };
    }),
  );
  return all.filter(({ every, last }) => every !== undefined || last !== undefined);
}

/** A source that is reconciled by itself. */
export interface ReconcileSchedule {
  source: string;
  /** Milliseconds between two runs. */
  every: number;
  /** Epoch ms of the last run that compared every agent; until there is one, of the beginning of the first. */
  complete_since?: number;
}

export async function readSchedules(store: Store, config: Config): Promise<ReconcileSchedule[]> {
  const found = Object.values(config.sources).map(async ({ name, reconcile }) => {
    if (!reconcile) return [];
    const since = await new RunStore(store, name).completeSince();
    return [{ source: name, every: reconcile.every, ...(since !== undefined && { complete_since: since }) }];
  });
  return (await Promise.all(found)).flat();
}
