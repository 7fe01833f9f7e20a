/**
 * A replay goes by the configuration that whoever asked for it had before him: its job carries the hash.
 *
 *   same hash              ──► go on
 *   another                ──► look at the files at once ──► it is there ──► go on
 *                                                        └─► it is not: a second later again, no attempt burnt, WAITS times
 *   still another          ──► go on with what is here, and the delivery notes that
 *
 * Files reach processes at different times (mounted folders, rolling deployments), and some processes will never have
 * the one that was asked for: so a replay waits for it, but not for ever.
 */
import type { Config } from '@wrapup/config';
import type { CallJob } from '@wrapup/queue';

/** Times that a job is put back. */
export const WAITS = 10;
/** Milliseconds, each time. */
export const WAIT = 1_000;

export type CaughtUp = 'ready' | 'wait' | { note: string };

/**
 * @param taken times that a worker has taken the job, this one included
 * @param hurry takes over the configuration of that hash if it is there, and answers what is in force
 */
export async function catchUp(
  job: Pick<CallJob, 'config'>,
  taken: number,
  current: Config,
  hurry: (wanted: string) => Promise<Config>,
): Promise<CaughtUp> {
  const wanted = job.config;
  if (wanted === undefined || current.hash === wanted) return 'ready';
  const { hash } = await hurry(wanted);
  if (hash === wanted) return 'ready';
  if (taken <= WAITS) return 'wait';
  return {
    note: `replayed with configuration ${hash}: the worker had not got ${wanted}, which was in force where the replay was asked for`,
  };
}
