import { own } from '@wrapup/call';
import type { Config, Connection } from '@wrapup/config';
import { type Context, type Destination, Failure } from '@wrapup/destination';
import { clean } from '../terminal/clean.ts';
import { CliError, EXIT, type ExitCode } from '../terminal/exit.ts';
import type { Output } from '../terminal/output.ts';
import { listNames } from './client-option.ts';
import { SharedSecrets } from './shared-secrets.ts';

/** Milliseconds that one question to a connection may take. */
const WITHIN_MS = 30_000;

/**
 * Connects and runs something on one connection. The context is the one without Redis, since a command asks a few
 * questions once and must work on a machine that reaches the CRM only; but tokens are those of the workers.
 *
 * @param remark called with what the user should know besides the result
 * @param options.written the work is about calls that were written: what the workers noted of them counts
 */
export async function useDestination<T>(
  connection: Connection,
  remark: (line: string) => void,
  work: (destination: Destination, context: (within?: number) => Context) => Promise<T>,
  { written = false }: { written?: boolean } = {},
): Promise<T> {
  const { withDestination } = await import('@wrapup/config');
  const secrets = new SharedSecrets(connection.name, remark);
  try {
    const shared = { secrets, ...(written ? { notes: secrets.notes } : {}) };
    return await withDestination(connection, shared, (destination, context) =>
      work(destination, (within = WITHIN_MS) => context(within)),
    );
  } finally {
    await secrets.close();
  }
}

/** The connections a command is about: the named one, or all. */
export function chooseConnections(config: Config, name: string | undefined): Connection[] {
  if (name === undefined) return Object.values(config.connections);
  const connection = own(config.connections, name);
  if (connection) return [connection];
  throw new CliError(
    EXIT.usage,
    `there is no connection "${name}"`,
    `there are: ${listNames(Object.keys(config.connections))}`,
  );
}

/** A failure of a connection, as commands show it. */
export interface ConnectionError {
  code: string;
  message: string;
  hint?: string;
}

/** Returns what failed on a connection, and the exit code for it. @throws CliError unchanged */
export function explainFailure(error: unknown): { error: ConnectionError; exit: ExitCode } {
  if (error instanceof CliError) throw error;
  const { code, message, hint } = Failure.of(error);
  const away = code === 'network' || code === 'timeout' || code === 'unavailable';
  return { error: { code, message, ...(hint ? { hint } : {}) }, exit: away ? EXIT.unreachable : EXIT.failed };
}

export function showFailure({ code, message, hint }: ConnectionError, output: Output): void {
  output.line(`  ${output.style('red', 'failed:')} ${clean(message)} [${code}]`);
  if (hint) output.line(`    ${clean(hint, 1000)}`);
}
