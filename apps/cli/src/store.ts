import type { Store } from '@wrapup/queue';
import { CliError, EXIT } from './exit.ts';
import { nothingRunsHere, START_IT } from './not-running.ts';

function hint(): string {
  if (nothingRunsHere() && !process.env.REDIS_URL) return START_IT;
  return 'is Redis running? `npm start` or `docker compose up` starts it; REDIS_URL names another one';
}

/** Runs something on this installation's Redis and closes it. A Redis that does not answer ends the command with 3. */
export async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  let lost: Error | undefined;
  const store = await openReachableStore((error) => {
    lost = error;
  });
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
 * @throws CliError when it does not within 3 s
 */
export async function openReachableStore(onError: (error: Error) => void = () => {}): Promise<Store> {
  const [{ openStore }, { readRedisSettings }] = await Promise.all([import('@wrapup/queue'), import('@wrapup/config')]);
  const settings = readRedisSettings();
  let lost: Error | undefined;
  const store = openStore({
    ...settings,
    role: 'producer',
    onError: (error) => {
      lost = error;
      onError(error);
    },
  });
  try {
    await store.connected(3000);
    return store;
  } catch {
    await store.close().catch(() => {});
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
