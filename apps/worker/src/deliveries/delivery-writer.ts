import { Failure, PRIORITIES, type Priority, type RequestReport, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import type { SentDelivery, Store, TakenDelivery, TimedRequest } from '@wrapup/queue';
import type { Span, Tracing } from '@wrapup/telemetry';
import type { CircuitMonitor } from './circuit-monitor.ts';
import { type ConnectionPool, type OpenConnection, WRITE_WITHIN_MS } from './connection-pool.ts';
import { DeliveryBatcher } from './delivery-batcher.ts';
import type { PendingArrivals } from './pending-arrivals.ts';

/**
 * Batches of one connection under way per process. Everything below live calls has one of its own: a backfill that waits
 * for quota must not hold a live call back.
 */
const BATCHES = { live: 2, bulk: 1 };

/** A plan with the delivery that it is of, in the hands of this process. */
export interface PlannedDelivery extends Pick<TakenDelivery, 'ref' | 'lease'> {
  plan: Plan;
  /** When it was queued, taken and planned. */
  times: Pick<SentDelivery, 'queued' | 'taken' | 'planned' | 'received_at'>;
  /** Its payload takes room that others wait for: it is not held to share requests. */
  isLarge: boolean;
  /** Where it is traced. */
  span?: Span;
}

/** What became of a plan; or why it was not sent, as `Ledger.recheck` says. */
export type SendOutcome = WriteOutcome | 'busy' | 'outdated';

type Batcher = DeliveryBatcher<PlannedDelivery, SendOutcome>;

interface Batchers {
  /** What they write to. */
  open: OpenConnection;
  live: Batcher;
  bulk: Batcher;
}

interface DeliveryWriterParts {
  ledger: Pick<Store['ledger'], 'recheck'>;
  pool: ConnectionPool;
  monitor: Pick<CircuitMonitor, 'refusal' | 'note'>;
  pending: PendingArrivals;
  tracing: Tracing;
  /** How long live deliveries to a connection wait for others, in ms. Default: as long as they say by themselves. */
  gatherOf?(connection: string): number;
  /** How many deliveries of a connection this process can have in hand at once, at least 1. Default: any number. */
  handsOf?(connection: string): number;
  onBatch(connection: string, size: number): void;
  /** Keeps when deliveries were sent and what was asked for them. Does not throw. */
  keepTiming?(deliveries: SentDelivery[], sent: number, requests: TimedRequest[]): void;
}

/** Writes plans to their connections, in batches. */
export class DeliveryWriter {
  readonly #parts: DeliveryWriterParts;
  readonly #batchers = new Map<string, Batchers>();
  #isStopping = false;

  constructor(parts: DeliveryWriterParts) {
    this.#parts = parts;
  }

  /** Deliveries are gathered no longer: what waits leaves within a second. */
  stopGathering(): void {
    this.#isStopping = true;
    for (const { live } of this.#batchers.values()) live.stopGathering();
  }

  /** Lets what is gathered for a connection leave, as long as what it was opened with lasts: its settings have changed. */
  letGo(connection: string): void {
    this.#batchers.get(connection)?.live.stopGathering();
  }

  /**
   * Never rejects: a failure is an outcome. What was dropped, forgotten or replayed while it waited for more than a moment is not
   * sent.
   */
  async write(connection: string, planned: PlannedDelivery, priority: Priority): Promise<SendOutcome> {
    try {
      const { live, bulk } = this.#batchersOf(connection, await this.#parts.pool.open(connection));
      // `forget` need not wait while it waits.
      planned.lease.yield();
      return await (isBulk(priority) ? bulk : live).submit(planned, priority, !planned.isLarge);
    } catch (error) {
      return { ok: false, failure: Failure.of(error) };
    }
  }

  #batchersOf(connection: string, open: OpenConnection): Batchers {
    const current = this.#batchers.get(connection);
    if (current?.open === open) return current;
    this.letGo(connection);
    const options = {
      size: open.destination.batch,
      pending: () => this.#parts.pending.count(connection),
      hands: () => this.#parts.handsOf?.(connection) ?? Number.POSITIVE_INFINITY,
      write: (batch: PlannedDelivery[], priority: Priority) => this.#sendBatch(connection, open, batch, priority),
    };
    const batchers: Batchers = {
      open,
      live: new DeliveryBatcher({
        ...options,
        batches: BATCHES.live,
        gather_ms: () => (this.#isStopping ? 0 : (this.#parts.gatherOf?.(connection) ?? 0)),
      }),
      bulk: new DeliveryBatcher({ ...options, batches: BATCHES.bulk }),
    };
    this.#batchers.set(connection, batchers);
    return batchers;
  }

  /** Those of the batch that are still to be sent. */
  async #sendBatch(
    connection: string,
    open: OpenConnection,
    batch: PlannedDelivery[],
    priority: Priority,
  ): Promise<(SendOutcome | undefined)[]> {
    const { ledger, monitor } = this.#parts;
    // The connection may have been paused while they waited.
    const refusal = monitor.refusal(connection);
    if (refusal) return batch.map(() => ({ ok: false, failure: refusal }));
    // They may have been dropped, forgotten or replayed, or be in the hands of another process.
    const answers = await ledger.recheck(batch);
    const held = batch.filter((_, index) => answers[index] === 'held');
    const outcomes = held.length > 0 ? await this.#writeBatch(connection, open, held, priority) : [];
    const outcomeOf = new Map(held.map((one, index) => [one, outcomes[index]]));
    return batch.map((one, index) => (answers[index] === 'held' ? outcomeOf.get(one) : answers[index]));
  }

  async #writeBatch(
    connection: string,
    open: OpenConnection,
    batch: PlannedDelivery[],
    priority: Priority,
  ): Promise<WriteOutcome[]> {
    const { pool, monitor, onBatch, keepTiming } = this.#parts;
    onBatch(connection, batch.length);
    const span = this.#traceBatch(connection, batch, priority);
    const plans = batch.map(({ plan }) => plan);
    const sent = Date.now();
    const requests: TimedRequest[] = [];
    const onRequest = (request: RequestReport) =>
      requests.push({ ...request, at: Date.now() - (request.took ?? 0) - request.waited });
    const options = { priority, within: WRITE_WITHIN_MS, parent: span?.ref, onRequest };
    const outcomes = await pool
      .ask(connection, open, options, (destination, context) => destination.write(plans, context))
      .catch((error): WriteOutcome[] => plans.map(() => ({ ok: false, failure: Failure.of(error) })));
    span?.end();
    keepTiming?.(
      batch.map(({ ref, times }) => ({ ...ref, ...times })),
      sent,
      requests,
    );
    const noted = monitor.note(connection, outcomes);
    // A delivery that failed must learn whether the connection is paused now; one that was written need not wait for that.
    if (outcomes.some(({ ok }) => !ok)) await noted;
    return outcomes;
  }

  /** A batch is a part of the trace of one of its calls, and is linked with those of the others. */
  #traceBatch(connection: string, planned: readonly PlannedDelivery[], priority: Priority): Span | undefined {
    const deliveries = planned.flatMap(({ span }) => (span?.ref ? span : []));
    const [parent, ...links] = deliveries.flatMap(({ ref }) => ref ?? []);
    if (!parent) return undefined;
    const batch = this.#parts.tracing.begin({
      ...{ name: 'write batch', kind: 'internal', parent, links },
      attributes: { 'wrapup.connection': connection, 'wrapup.priority': priority, 'wrapup.batch_size': planned.length },
    });
    for (const delivery of deliveries.slice(1)) if (batch.ref) delivery.link(batch.ref);
    return batch;
  }
}

/** Everything but calls that have just ended. */
function isBulk(priority: Priority): boolean {
  return PRIORITIES.indexOf(priority) > PRIORITIES.indexOf('live');
}
