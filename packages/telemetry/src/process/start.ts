import type { Logger } from '../observe/logger.ts';

/**
 * Runs the start of a process. When it fails, the message is logged as one line and the process ends with 1: an operator
 * needs to know what to fix, not where it was thrown. Only programming errors come with their stack.
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
