import type { Config, Connection } from '@wrapup/config';
import { type Context, type Destination, Failure, makeMemoryCommons, makeMemoryContext } from '@wrapup/destination';
import { CliError, EXIT } from '../terminal/exit.ts';
import { SharedSecrets } from './shared-secrets.ts';

/** Milliseconds for everything that one command asks of one connection. */
const WITHIN = 30_000;

/**
 * Connects and runs something on one connection. The context is the one without Redis, since a command asks a handful of
 * questions once and must work on a machine that reaches the CRM only; but tokens are those of the workers.
 *
 * @param say told what somebody should know besides the result
 */
export async function withDestination<T>(
  connection: Connection,
  say: (line: string) => void,
  work: (destination: Destination, context: (within?: number) => Context) => Promise<T>,
): Promise<T> {
  const { KINDS } = await import('@wrapup/config');
  const kind = KINDS[connection.kind];
  if (!kind) throw new CliError(EXIT.failed, `connection ${connection.name} is of unknown kind ${connection.kind}`);
  const commons = makeMemoryCommons(kind.pools ?? {});
  const secrets = new SharedSecrets(connection.name, say);
  const destination = await kind.connect(connection.name, connection.settings);
  try {
    return await work(destination, (within = WITHIN) => makeMemoryContext(commons, { within, secrets }));
  } finally {
    await destination.close();
    await secrets.close();
  }
}

/** The connections a command is about: the named one, or all. */
export function chooseConnections(config: Config, name: string | undefined): Connection[] {
  if (name === undefined) return Object.values(config.connections);
  const connection = Object.hasOwn(config.connections, name) ? config.connections[name] : undefined;
  if (connection) return [connection];
  throw new CliError(
    EXIT.usage,
    `there is no connection "${name}"`,
    `wrapup.yaml has: ${Object.keys(config.connections).join(', ')}`,
  );
}

/** Mappings that write to a connection, each once. */
export function mappingsOf(config: Config, connection: string) {
  const mappings = config.routes.filter(({ to }) => to === connection).map(({ mapping }) => mapping);
  return [...new Map(mappings.map((mapping) => [mapping.hash + mapping.name, mapping])).values()];
}

/** What the CRM said no with, and the exit code it deserves. */
export function explainFailure(error: unknown): {
  failure: Failure;
  exit: typeof EXIT.failed | typeof EXIT.unreachable;
} {
  if (error instanceof CliError) throw error;
  const failure = Failure.of(error);
  const away = failure.code === 'network' || failure.code === 'timeout' || failure.code === 'unavailable';
  return { failure, exit: away ? EXIT.unreachable : EXIT.failed };
}
