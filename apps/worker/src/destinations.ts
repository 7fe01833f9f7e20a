import type { Config } from '@wrapup/config';
import { KINDS } from '@wrapup/config';
import { type Destination, Failure, LANES, type Lane, type Log, type WriteOutcome } from '@wrapup/destination';
import type { Plan } from '@wrapup/mapping';
import { makeContext, type Store } from '@wrapup/queue';
import { Coalescer } from './coalescer.ts';

/** Milliseconds that one batch may take, all its requests and waits for quota included. */
const WRITE_WITHIN = 30_000;
/** A destination that is still at it so long after its deadline has a bug; its plans are failed and retried. */
const GRACE = 5_000;
/** Batches of one connection in flight per process. */
const FLIGHTS = 2;

interface Line {
  destination: Destination;
  /** What it was connected with, to notice a change. */
  settings: string;
  coalescer: Coalescer;
}

/** The connections of this process: connected on first use, again when their settings change. */
export class Destinations {
  readonly #store: Store;
  readonly #log: Log;
  readonly #config: () => Config;
  readonly #onBatch: (connection: string, size: number) => void;
  readonly #lines = new Map<string, Promise<Line>>();
  readonly #lanes = new WeakMap<Plan, Lane>();
  readonly #stopping = new AbortController();

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

  async write(connection: string, plan: Plan, lane: Lane): Promise<WriteOutcome> {
    this.#lanes.set(plan, lane);
    try {
      return await (await this.#line(connection)).coalescer.submit(plan);
    } catch (error) {
      return { ok: false, failure: Failure.of(error) };
    }
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
    const coalescer = new Coalescer({
      batch: destination.batch,
      flights: FLIGHTS,
      write: (plans) => {
        this.#onBatch(name, plans.length);
        const context = makeContext(this.#store, {
          connection: name,
          // Plans of several lanes share a batch; it goes in the best of them.
          lane: LANES.find((lane) => plans.some((plan) => this.#lanes.get(plan) === lane)) ?? 'live',
          within: WRITE_WITHIN,
          signal: this.#stopping.signal,
          log: this.#log,
          ...(kind.pools ? { pools: kind.pools } : {}),
        });
        return withDeadline(destination.write(plans, context), WRITE_WITHIN + GRACE);
      },
    });
    return { destination, settings: fingerprint, coalescer };
  }
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
