import { Failure, PRIORITIES, type Priority, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
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

interface Batchers {
  /** What they write to. */
  open: OpenConnection;
  live: DeliveryBatcher;
  bulk: DeliveryBatcher;
}

interface DeliveryWriterParts {
  pool: ConnectionPool;
  monitor: Pick<CircuitMonitor, 'refusal' | 'note'>;
  pending: PendingArrivals;
  tracing: Tracing;
  /** How long live deliveries to a connection wait for others, in ms. Default: as long as they say by themselves. */
  gatherOf?(connection: string): number;
  onBatch(connection: string, size: number): void;
}

/** Writes plans to their connections, in batches. */
export class DeliveryWriter {
  readonly #parts: DeliveryWriterParts;
  readonly #batchers = new Map<string, Batchers>();
  /** Of the deliveries whose plans are on their way to a batch. */
  readonly #spans = new WeakMap<Plan, Span>();
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

  /** Never rejects: a failure is an outcome. @param span of the delivery */
  async write(connection: string, plan: Plan, priority: Priority, span?: Span): Promise<WriteOutcome> {
    if (span?.ref) this.#spans.set(plan, span);
    try {
      const { live, bulk } = this.#batchersOf(connection, await this.#parts.pool.open(connection));
      return await (isBulk(priority) ? bulk : live).submit(plan, priority);
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
      write: (plans: Plan[], priority: Priority) => this.#writeBatch(connection, open, plans, priority),
    };
    const batchers = {
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

  async #writeBatch(
    connection: string,
    open: OpenConnection,
    plans: Plan[],
    priority: Priority,
  ): Promise<WriteOutcome[]> {
    const { pool, monitor, onBatch } = this.#parts;
    // The connection may have been paused while they waited.
    const refusal = monitor.refusal(connection);
    if (refusal) return plans.map(() => ({ ok: false, failure: refusal }));
    onBatch(connection, plans.length);
    const span = this.#traceBatch(connection, plans, priority);
    const options = { priority, within: WRITE_WITHIN_MS, parent: span?.ref };
    const outcomes = await pool
      .ask(connection, open, options, (destination, context) => destination.write(plans, context))
      .catch((error): WriteOutcome[] => plans.map(() => ({ ok: false, failure: Failure.of(error) })));
    span?.end();
    const noted = monitor.note(connection, outcomes);
    // A delivery that failed must learn whether the connection is paused now; one that was written need not wait for that.
    if (outcomes.some(({ ok }) => !ok)) await noted;
    return outcomes;
  }

  /** A batch is a part of the trace of one of its calls, and is linked with those of the others. */
  #traceBatch(connection: string, plans: readonly Plan[], priority: Priority): Span | undefined {
    const deliveries = plans.flatMap((plan) => this.#spans.get(plan) ?? []);
    const [parent, ...links] = deliveries.flatMap(({ ref }) => ref ?? []);
    if (!parent) return undefined;
    const batch = this.#parts.tracing.begin({
      ...{ name: 'write batch', kind: 'internal', parent, links },
      attributes: { 'wrapup.connection': connection, 'wrapup.lane': priority, 'wrapup.batch_size': plans.length },
    });
    for (const delivery of deliveries.slice(1)) if (batch.ref) delivery.link(batch.ref);
    return batch;
  }
}

/** Everything but calls that have just ended. */
function isBulk(priority: Priority): boolean {
  return PRIORITIES.indexOf(priority) > PRIORITIES.indexOf('live');
}
