import type { Logger } from './logger.ts';

/**
 * Runs what a process does to start. When it fails, the message is logged as one line and the process ends with 1:
 * whoever starts it needs to know what to mend, not where it was thrown. Only mistakes of ours come with their stack.
 */
export async function startOrExit(log: Logger, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    const hint = (error as { hint?: unknown } | null)?.hint;
    const ours = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
    log.fatal(
      { ...(typeof hint === 'string' && { hint }), ...(ours && { err: error }) },
      error instanceof Error ? error.message : String(error),
    );
    process.exit(1);
  }
}
