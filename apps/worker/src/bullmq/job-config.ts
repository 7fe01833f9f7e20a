import type { Config } from '@wrapup/config';
import type { CallJob } from '@wrapup/queue';

/**
 * The configuration that a job goes by. A replay carries the hash of the configuration where it was asked for: a process
 * with another one reads its files first, which may have changed a moment ago.
 * @param reload takes over what the files say now, and returns what is in force
 * @returns a note for the delivery when this process does not have that configuration all the same
 */
export async function configForJob(
  { config: wanted }: Pick<CallJob, 'config'>,
  current: Config,
  reload: () => Promise<Config>,
): Promise<{ config: Config; note?: string }> {
  if (wanted === undefined || current.hash === wanted) return { config: current };
  const config = await reload();
  if (config.hash === wanted) return { config };
  return {
    config,
    note: `replayed with configuration ${config.hash}: the worker did not have ${wanted}, which was in force where the replay was asked for`,
  };
}
