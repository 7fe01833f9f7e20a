import type { Store } from '@wrapup/queue';
import { CliError, EXIT } from '../terminal/exit.ts';
import { nothingRunsHere, START_IT } from './not-running.ts';

function hint(): string {
  if (nothingRunsHere() && !process.env.REDIS_URL) return START_IT;
  return 'is Redis running? `npm start` or `docker compose up` starts it; REDIS_URL names another one';
}

let configFile: string | undefined;

/** Where the files of clients are looked for, whose keys are needed for what is kept of them. @param file `--config` */
export function useConfigFile(file: string | undefined): void {
  configFile = file;
}

/**
 * Runs something on this installation's Redis and closes it. A Redis that does not answer ends the command with 3, keys
 * that do not fit to it with 1.
 * @param options.anyKeys for a command that says itself what is wrong with them
 */
export async function withStore<T>(
  work: (store: Store) => Promise<T>,
  options: { anyKeys?: boolean } = {},
): Promise<T> {
  let lost: Error | undefined;
  const store = await openReachableStore((error) => {
    lost = error;
  }, options);
  try {
    return await work(store);
  } catch (error) {
    if (error instanceof CliError || store.redis.status === 'ready') throw error;
    const { readRedisSettings } = await import('@wrapup/config');
    throw new CliError(
      EXIT.unreachable,
      `Redis at ${safeAddress(readRedisSettings().url)} went away${reason(lost)}`,
      hint(),
    );
  } finally {
    await store.close().catch(() => {});
  }
}

/**
 * This installation's Redis, once it answers; closing it is the caller's.
 * @throws CliError when it does not within 3 s, or when the keys do not fit
 */
export async function openReachableStore(
  onError: (error: Error) => void = () => {},
  { anyKeys = false }: { anyKeys?: boolean } = {},
): Promise<Store> {
  const [{ openStore, checkInstallation }, { readClientKeys, readRedisSettings }] = await Promise.all([
    import('@wrapup/queue'),
    import('@wrapup/config'),
  ]);
  const settings = readRedisSettings();
  let lost: Error | undefined;
  const store = openStore({
    ...settings,
    client_keys: readClientKeys(configFile === undefined ? {} : { file: configFile }),
    role: 'producer',
    onError: (error) => {
      lost = error;
      onError(error);
    },
  });
  try {
    await store.connected(3000);
    if (!anyKeys) await checkInstallation(store);
    return store;
  } catch (error) {
    await store.close().catch(() => {});
    // Redis answered, and the keys of this command do not fit to what it holds.
    const { message, hint: advice } = error as Error & { hint?: string };
    if (advice !== undefined) throw new CliError(EXIT.failed, message, advice);
    throw new CliError(
      EXIT.unreachable,
      `Redis at ${safeAddress(settings.url)} does not answer${reason(lost)}`,
      hint(),
    );
  }
}

function reason(error: Error | undefined): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code ? ` (${code})` : '';
}

/** Host and port only: the rest may hold a password. */
function safeAddress(url: string): string {
  return url
    .split(',')
    .map((node) => URL.parse(node.trim())?.host ?? 'the address in REDIS_URL')
    .join(', ');
}
