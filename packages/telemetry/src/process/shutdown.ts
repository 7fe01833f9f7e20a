/**
 * How a process ends.
 *
 * SIGTERM, SIGINT   the steps run once, in order, each to its end; exit 0
 * a step fails      it is logged, the next ones still run; exit 1
 * deadline passed   the step in hand is named in the log; exit 1
 * second signal     exit 1 at once
 * unhandled error   logged; exit 1 at once, since the state is unknown
 */
import type { Logger } from '../observe/logger.ts';

export interface ShutdownStep {
  /** What it does, for the log: `stop listening`, `finish the batch in hand`. */
  name: string;
  run(): void | Promise<void>;
}

export interface Shutdown {
  /** Aborted when the process begins to stop. */
  readonly signal: AbortSignal;
  /** Stops as a signal would. */
  begin(reason: string): Promise<void>;
}

/**
 * Takes over signals and unhandled errors of this process. Call it once.
 * @param deadline milliseconds for all steps together; keep it below what the supervisor grants (`stop_grace_period`)
 */
export function onShutdown(
  steps: ShutdownStep[],
  { deadline = 20_000, log }: { deadline?: number; log: Logger },
): Shutdown {
  const stopping = new AbortController();

  async function begin(reason: string): Promise<void> {
    if (stopping.signal.aborted) {
      log.warn({ reason }, 'asked to stop again: leaving at once');
      process.exit(1);
    }
    stopping.abort();
    log.info({ reason }, 'stopping');
    let inHand = '';
    const timer = setTimeout(() => {
      log.error({ step: inHand, deadline_ms: deadline }, 'could not stop in time');
      process.exit(1);
    }, deadline);
    let code = 0;
    for (const step of steps) {
      inHand = step.name;
      try {
        await step.run();
      } catch (error) {
        code = 1;
        log.error({ step: step.name, err: error }, 'a step of stopping failed');
      }
    }
    clearTimeout(timer);
    log.info({}, 'stopped');
    process.exit(code);
  }

  process.on('SIGTERM', () => void begin('SIGTERM'));
  process.on('SIGINT', () => void begin('SIGINT'));
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'unhandled error');
    process.exit(1);
  });
  process.on('unhandledRejection', (reason) => {
    log.fatal({ err: reason instanceof Error ? reason : new Error(String(reason)) }, 'unhandled rejection');
    process.exit(1);
  });
  return { signal: stopping.signal, begin };
}
