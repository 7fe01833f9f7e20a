import type { Logger } from './logger.ts';

/**
 * Runs what a process does to start. When it fails, the message is logged as one line, with the stack only at level
 * `debug`, and the process ends with 1: whoever starts it needs to know what to mend, not where it was thrown.
 */
export async function startOrExit(log: Logger, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const hint = (error as { hint?: unknown }).hint;
    log.fatal({ ...(typeof hint === 'string' && { hint }) }, error instanceof Error ? error.message : String(error));
    log.debug({ err: error }, 'thrown while starting');
    process.exit(1);
  }
}
