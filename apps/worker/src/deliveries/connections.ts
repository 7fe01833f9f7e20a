import type { Config } from '@wrapup/config';
import { KINDS } from '@wrapup/config';
import {
  type Context,
  type Destination,
  type DestinationKind,
  Failure,
  type Log,
  type Notice,
  PRIORITIES,
  type Priority,
  type Probe,
  type WriteOutcome,
} from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import type { CompiledMapping, Plan } from '@wrapup/mapping';
import { makeContext, type Store, unblock } from '@wrapup/queue';
import type { Guard } from './circuit-monitor.ts';
import { Coalescer } from './delivery-batcher.ts';
import { Coming } from './pending-arrivals.ts';

/** Milliseconds that one batch may take, all its requests and waits for quota included. */
const WRITE_WITHIN = 30_000;
/** Milliseconds that a probe or a notice may take. */
const SINGLE_WITHIN = 20_000;
/** A destination that is still at it so long after its deadline has a bug; its plans are failed and retried. */
const GRACE = 5_000;
/**
 * Batches of one connection in flight per process. What is no live call has one of its own: a backfill that waits for
 * quota must not keep a live call from leaving.
 */
const FLIGHTS = { live: 2, bulk: 1 };

interface Line {
  destination: Destination;
  pools: DestinationKind['pools'];
  /** What it was connected with, to notice a change. */
  settings: string;
  live: Coalescer;
  bulk: Coalescer;
}

/** The connections of this process: connected on first use, again when their settings change. */
export class Destinations {
  readonly #store: Store;
  readonly #log: Log;
  readonly #config: () => Config;
  readonly #onBatch: (connection: string, size: number) => void;
  readonly #lines = new Map<string, Promise<Line>>();
  readonly #priorities = new WeakMap<Plan, Priority>();
  readonly #stopping = new AbortController();
  /** Told by whoever reads calls and plans deliveries, so that batches wait for company that is near. */
  readonly coming = new Coming();
  /** Set right after both exist: each needs the other. */
  guard: Pick<Guard, 'refusal' | 'note' | 'mended'> | undefined;

  constructor(store: Store, config: () => Config, log: Log, onBatch: (connection: string, size: number) => void) {
    this.#store = store;
    this.#config = config;
    this.#log = log;
    this.#onBatch = onBatch;
  }

  /** Plans that one batch of this connection holds, at most. */
  async batchSize(connection: string): Promise<number> {
    return (await this.#line(connection)).destination.batch;
  }

  async write(connection: string, plan: Plan, priority: Priority): Promise<WriteOutcome> {
    this.#priorities.set(plan, priority);
    try {
      const line = await this.#line(connection);
      return await (isBulk(priority) ? line.bulk : line.live).submit(plan);
    } catch (error) {
      return { ok: false, failure: Failure.of(error) };
    }
  }

  /** Whether a connection works: rejects with the failure when it does not. Takes no part in the budget. */
  async probe(connection: string): Promise<Probe> {
    const { destination, pools } = await this.#line(connection);
    const context = this.#context(connection, 'live', SINGLE_WITHIN, pools, true);
    const answer = await withDeadline(destination.probe(context), SINGLE_WITHIN + GRACE);
    await unblock(this.#store.redis, this.#store.keys, connection, Object.keys(pools ?? {}));
    return answer;
  }

  /** Compares mappings with the account. Rejects when it cannot be asked. */
  async check(connection: string, mappings: CompiledMapping[]): Promise<Finding[]> {
    const { destination, pools } = await this.#line(connection);
    const context = this.#context(connection, 'backfill', WRITE_WITHIN, pools);
    return withDeadline(destination.check(mappings, context), WRITE_WITHIN + GRACE);
  }

  /** Tells somebody of something that is no call. Rejects when it was not taken. */
  async notify(connection: string, notice: Notice): Promise<void> {
    const { destination, pools } = await this.#line(connection);
    if (!destination.notify) throw new Failure('mapping', `Connection ${connection} cannot take alerts.`);
    const context = this.#context(connection, 'live', SINGLE_WITHIN, pools);
    await withDeadline(destination.notify(notice, context), SINGLE_WITHIN + GRACE);
  }

  /** Cuts what is in flight: for the end of the grace time only. */
  abort(): void {
    this.#stopping.abort(new Failure('unavailable', 'The worker is stopping.'));
  }

  async close(): Promise<void> {
    for (const line of this.#lines.values()) await line.then(({ destination }) => destination.close()).catch(() => {});
    this.#lines.clear();
  }

  async #line(name: string): Promise<Line> {
    const connection = this.#config().connections[name];
    if (!connection) throw new Failure('mapping', `Connection ${name} is not in the configuration.`);
    const settings = JSON.stringify(connection.settings);
    const current = this.#lines.get(name);
    if (current) {
      const line = await current;
      if (line.settings === settings) return line;
      this.#lines.delete(name);
      void this.guard?.mended(name);
      // Batches in hand end on the old client, which is closed behind them.
      setTimeout(() => void line.destination.close().catch(() => {}), WRITE_WITHIN).unref();
    }
    const opening = this.#open(name, connection.kind, connection.settings, settings);
    this.#lines.set(name, opening);
    opening.catch(() => this.#lines.delete(name));
    return opening;
  }

  async #open(name: string, kindName: string, settings: unknown, fingerprint: string): Promise<Line> {
    const kind = KINDS[kindName];
    if (!kind) throw new Failure('mapping', `There is no destination of kind ${kindName}.`);
    const destination = await kind.connect(name, settings);
    const write = async (plans: Plan[]): Promise<WriteOutcome[]> => {
      // It may have been stopped while they gathered.
      const refusal = this.guard?.refusal(name);
      if (refusal) return plans.map(() => ({ ok: false, failure: refusal }));
      this.#onBatch(name, plans.length);
      // Plans of several priorities share a batch; it goes in the best of them.
      const priority = PRIORITIES.find((one) => plans.some((plan) => this.#priorities.get(plan) === one)) ?? 'live';
      const context = this.#context(name, priority, WRITE_WITHIN, kind.pools);
      const outcomes = await withDeadline(destination.write(plans, context), WRITE_WITHIN + GRACE).catch(
        (error): WriteOutcome[] => plans.map(() => ({ ok: false, failure: Failure.of(error) })),
      );
      const noted = this.guard?.note(name, outcomes);
      // Who failed must know whether the connection is stopped now; who was written need not wait for it.
      if (outcomes.some(({ ok }) => !ok)) await noted;
      return outcomes;
    };
    const gathering = { batch: destination.batch, coming: () => this.coming.to(name), write };
    return {
      destination,
      pools: kind.pools,
      settings: fingerprint,
      live: new Coalescer({ ...gathering, flights: FLIGHTS.live }),
      bulk: new Coalescer({ ...gathering, flights: FLIGHTS.bulk }),
    };
  }

  #context(
    connection: string,
    priority: Priority,
    within: number,
    pools: DestinationKind['pools'],
    probing = false,
  ): Context {
    return makeContext(this.#store, {
      connection,
      priority,
      within,
      probing,
      reserve: this.#config().connections[connection]?.reserve ?? 0,
      signal: this.#stopping.signal,
      log: this.#log,
      ...(pools ? { pools } : {}),
    });
  }
}

/** Everything but calls that have just ended. */
function isBulk(priority: Priority): boolean {
  return PRIORITIES.indexOf(priority) > PRIORITIES.indexOf('live');
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure('timeout', `The CRM did not finish within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
