import { own } from '@wrapup/call';
import { type Config, type Connection, DestinationPool, type OpenDestination, retentionOf } from '@wrapup/config';
import {
  type Context,
  type Destination,
  Failure,
  type Log,
  type Notice,
  type Priority,
  type Probe,
  type RequestReport,
  withDeadline,
} from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { makeContext, type Store, unblock } from '@wrapup/queue';
import type { SpanRef, Tracing } from '@wrapup/telemetry';

/** For one batch or check, all its requests and waits for quota included. */
export const WRITE_WITHIN_MS = 30_000;
/** For a probe. */
const PROBE_WITHIN_MS = 20_000;
/** For a notice, which is tried again. */
const NOTICE_WITHIN_MS = 5_000;
/** A connection that nothing was written to for so long is closed, and opened again for its next call. */
const REST_MS = 600_000;
/** A destination that has not answered so long after its deadline has a bug; its plans fail and are retried. */
const GRACE_MS = 5_000;

/** A connection with its adapter, until its settings change. */
export type OpenConnection = OpenDestination<undefined>;

interface ConnectionPoolParts {
  store: Store;
  config: () => Config;
  log: Log;
  tracing: Tracing;
  /** Called once for each request. */
  count(connection: string, priority: Priority, request: RequestReport): void;
  /** Called when a connection is opened again because its settings changed. */
  onSettingsChanged(connection: string): void;
}

interface AskOptions {
  priority: Priority;
  /** Ms for all of it. */
  within: number;
  /** Takes no part in the budget. */
  probing?: boolean;
  /** The span that requests belong to, where they are traced. */
  parent?: SpanRef | undefined;
  /** Called once for each request, at its end. */
  onRequest?: ((request: RequestReport) => void) | undefined;
}

/** A request becomes a span once it is over. Its name is what it does, without numbers: `create … calls`. */
function traceRequest(
  tracing: Tracing,
  parent: SpanRef,
  connection: string,
  { name, result, waited, took, status }: RequestReport,
): void {
  if (took === undefined) return;
  const attributes = {
    ...{ 'wrapup.connection': connection, 'wrapup.result': result, 'wrapup.quota_wait_ms': Math.round(waited) },
    ...(status !== undefined && { 'http.response.status_code': status }),
  };
  const at = Date.now() - took;
  const span = tracing.begin({ name: name.replace(/\S*\d\S*/g, '…'), kind: 'client', parent, at, attributes });
  span.end(result === 'ok' ? undefined : result);
}

/** The connections of this process, and what it asks of them. */
export class ConnectionPool {
  readonly #parts: ConnectionPoolParts;
  readonly #pool: DestinationPool<undefined>;
  readonly #stopping = new AbortController();

  constructor(parts: ConnectionPoolParts) {
    this.#parts = parts;
    this.#pool = new DestinationPool({
      attach: () => undefined,
      // Batches under way end on the old client.
      closeAfter: WRITE_WITHIN_MS,
      restAfter: REST_MS,
      onReopen: (connection) => parts.onSettingsChanged(connection),
    });
  }

  /** @throws Failure when it is not in the configuration, or cannot be opened with its settings */
  async open(name: string): Promise<OpenConnection> {
    return this.#pool.get(this.#settingsOf(name));
  }

  #settingsOf(name: string): Connection {
    const connection = own(this.#parts.config().connections, name);
    if (!connection) throw new Failure('mapping', `Connection ${name} is not in the configuration.`);
    return connection;
  }

  /** Opens those again whose settings have changed. One that cannot be opened says so when it is used. */
  async reopen(): Promise<void> {
    await Promise.allSettled(this.#pool.names.map((name) => this.open(name)));
  }

  /**
   * Asks a destination for something, in a context of this process.
   * @throws Failure `timeout` when it does not answer soon after its deadline
   */
  async ask<Answer>(
    connection: string,
    { destination, pools }: OpenConnection,
    { priority, within, probing = false, parent, onRequest }: AskOptions,
    question: (destination: Destination, context: Context) => Promise<Answer>,
  ): Promise<Answer> {
    const { store, config, log, tracing, count } = this.#parts;
    const context = makeContext(store, {
      ...{ connection, priority, within, probing, log },
      ledger_days: retentionOf(config(), connection).ledger_days,
      count: (request) => {
        count(connection, priority, request);
        onRequest?.(request);
        if (parent) traceRequest(tracing, parent, connection, request);
      },
      reserve: config().connections[connection]?.reserve ?? 0,
      signal: this.#stopping.signal,
      ...(pools ? { pools } : {}),
    });
    const ms = within + GRACE_MS;
    const late = () => new Failure('timeout', `The CRM did not finish within ${ms} ms.`);
    return withDeadline(question(destination, context), ms, late);
  }

  /** Whether a connection works: rejects with the failure when it does not. Takes no part in the budget. */
  async probe(connection: string): Promise<Probe> {
    const open = await this.open(connection);
    const options = { priority: 'live', within: PROBE_WITHIN_MS, probing: true } as const;
    const answer = await this.ask(connection, open, options, (destination, context) => destination.probe(context));
    const { redis, keys } = this.#parts.store;
    await unblock(redis, keys, connection, Object.keys(open.pools ?? {}));
    return answer;
  }

  /** Compares mappings with the account. Rejects when the account does not answer. */
  async check(connection: string, mappings: CompiledMapping[]): Promise<Finding[]> {
    const options = { priority: 'backfill', within: WRITE_WITHIN_MS } as const;
    return this.#pool.once(this.#settingsOf(connection), (open) =>
      this.ask(connection, open, options, (destination, context) => destination.check(mappings, context)),
    );
  }

  /** Sends operators a notice. Rejects when it was not taken. */
  async notify(connection: string, notice: Notice): Promise<void> {
    const options = { priority: 'live', within: NOTICE_WITHIN_MS } as const;
    await this.ask(connection, await this.open(connection), options, async (destination, context) => {
      if (!destination.notify) throw new Failure('mapping', `Connection ${connection} cannot take alerts.`);
      await destination.notify(notice, context);
    });
  }

  /** Writes a plan that is no delivery. Rejects when it was not taken. */
  async send(connection: string, plan: Plan): Promise<void> {
    const options = { priority: 'live', within: WRITE_WITHIN_MS } as const;
    const [outcome] = await this.ask(connection, await this.open(connection), options, (destination, context) =>
      destination.write([plan], context),
    );
    if (outcome?.ok === false) throw outcome.failure;
    if (!outcome) throw new Failure('unaccounted', `Connection ${connection} says nothing of what was sent.`);
  }

  /** Cancels the requests under way: for the end of the grace time only. */
  abort(): void {
    this.#stopping.abort(new Failure('unavailable', 'The worker is stopping.'));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
