import { type DestinationStream, type Logger, pino } from 'pino';
import { callable } from '../process/command-name.ts';
import { describeError, maskText, redactFields } from './redaction.ts';

export type { Logger } from 'pino';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * JSON lines on standard output, one object a line: `{"level":"info","time":"…","service":"ingress","msg":"…"}`.
 * `LOG_LEVEL` sets the least level (default `info`, an unknown one counts as `info`). Fields whose key names something
 * personal or secret are redacted at any depth, also in child loggers; messages and errors are masked.
 * @param service name of the process
 */
export function createLogger(
  service: string,
  { level = process.env.LOG_LEVEL, stream }: { level?: string | undefined; stream?: DestinationStream } = {},
): Logger {
  const wanted = level?.toLowerCase() ?? 'info';
  const options = {
    level: LEVELS.includes(wanted) ? wanted : 'info',
    base: { service, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => nameCommands(redactFields(fields)),
    },
    serializers: { err: (error: unknown) => (error instanceof Error ? describeError(error) : error) },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (...args: unknown[]) => void) {
        method.apply(
          this,
          args.map((arg) => (typeof arg === 'string' ? maskText(callable(arg)) : arg)),
        );
      },
    },
  };
  // Line by line: with a buffer the last lines come in the wrong order, and the flush at exit never ends when the reader
  // is gone.
  const logger: Logger = pino(options as never, stream ?? pino.destination({ sync: true }));
  // pino formats what is bound to the root only. Children inherit this method by their prototype.
  const bind = logger.child;
  logger.child = function child(this: Logger, bindings: object, ...rest: never[]) {
    return bind.call(this, redactFields(bindings as Record<string, unknown>), ...rest);
  } as typeof logger.child;
  return logger;
}

/** A hint is for people. */
function nameCommands<Fields extends Record<string, unknown>>(fields: Fields): Fields {
  return typeof fields.hint === 'string' ? { ...fields, hint: callable(fields.hint) } : fields;
}
