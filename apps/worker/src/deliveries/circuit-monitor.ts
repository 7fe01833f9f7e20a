/**
 * Watches over this process's connections: stops one that is broken, probes it, and lets it go on (`connections/state.ts`
 * in packages/queue tells the whole state machine).
 *
 * Every second the shared state is read, so that a pause which another process or an operator made is known here too.
 * What is in hand when a connection stops is handed back to the queue unasked and unburnt.
 */
import { Failure, type Log, type Probe, type WriteOutcome } from '@wrapup/destination';
import { type CircuitChange, type ConnectionState, explainPause, isPaused, type Store } from '@wrapup/queue';
import type { CircuitCounts } from '../metrics.ts';

export interface GuardDeps {
  store: Store;
  log: Log;
  count: CircuitCounts;
  /** Asks a connection whether it works. Rejects with the failure when it does not. */
  probe(connection: string): Promise<Probe>;
  /** Hears of every pause of a circuit, once or more often, and of every end of one. */
  onChange(connection: string, change: CircuitChange): Promise<void>;
}

const LOOK_EVERY = 1_000;
/** A connection that was resumed and of which nothing more is heard for so long is well, in ms. */
const TRIAL = 60_000;
/** How long what is handed back waits, in ms: it goes on as soon as the connection does. */
export const HELD = 1_000;

export class Guard {
  readonly #deps: GuardDeps;
  readonly #states = new Map<string, ConnectionState>();
  /** Begin of the pauses that were told of. */
  readonly #told = new Map<string, number>();
  readonly #probing = new Set<string>();
  #connections: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(deps: GuardDeps) {
    this.#deps = deps;
  }

  /** Begins to watch these, and no others. Something may have been mended since: what is open is probed at once. */
  async watch(connections: string[]): Promise<void> {
    const added = connections.filter((name) => !this.#connections.includes(name));
    this.#connections = connections;
    for (const name of this.#states.keys()) if (!connections.includes(name)) this.#states.delete(name);
    for (const name of added) await this.#deps.store.connections.probeNow(name);
    if (added.length > 0) await this.look();
    this.#timer ??= setInterval(() => {
      // While Redis is away a look does not end: others must not pile up behind it.
      if (this.#looking) return;
      this.#looking = true;
      void this.look().finally(() => {
        this.#looking = false;
      });
    }, LOOK_EVERY);
  }

  /** Why nothing may be written to a connection now; undefined when it may. */
  refusal(connection: string): Failure | undefined {
    const state = this.#states.get(connection);
    if (state?.circuit !== 'open') return undefined;
    const hint = state.pause?.hint;
    return new Failure('busy', explainPause(state) ?? '', { retry_after: HELD, ...(hint ? { hint } : {}) });
  }

  /** Notes what a batch said of its connection. Never rejects: what a batch wrote must be noted whatever comes of this. */
  async note(connection: string, outcomes: readonly WriteOutcome[]): Promise<void> {
    try {
      const change = await this.#deps.store.connections.note(connection, outcomes);
      if (change) await this.#changed(connection, change);
      // Another process may have stopped it a moment ago: what failed here too should know.
      else if (outcomes.some(({ ok }) => !ok))
        this.#states.set(connection, await this.#deps.store.connections.read(connection));
    } catch (error) {
      this.#deps.log.warn({ connection, err: error }, 'the state of a connection could not be noted');
    }
  }

  /** Settings of a connection changed: if it is paused, that may be why. */
  async mended(connection: string): Promise<void> {
    await this.#deps.store.connections.probeNow(connection).catch(() => {});
  }

  /** Reads the shared state, and does what is due. Never rejects. */
  async look(): Promise<void> {
    const { store, log } = this.#deps;
    try {
      for (const state of await store.connections.readAll(this.#connections)) {
        const { connection, circuit, pause } = state;
        const before = this.#states.get(connection);
        this.#states.set(connection, state);
        if (before === undefined || isPaused(before) !== isPaused(state))
          await store.connections.syncQueuePause(connection);
        if (circuit === 'open' && pause && this.#told.get(connection) !== pause.since) {
          await this.#deps.onChange(connection, { became: 'opened', pause });
          this.#told.set(connection, pause.since);
        }
        if (circuit === 'open' && pause && pause.next_probe <= Date.now()) void this.#probe(connection);
        if (circuit === 'trial') {
          const change = await store.connections.endTrial(connection, Date.now() - TRIAL);
          if (change) await this.#changed(connection, change);
        }
      }
    } catch (error) {
      if (!this.#closed) log.warn({ err: error }, 'the state of the connections could not be read');
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async #probe(connection: string): Promise<void> {
    if (this.#probing.has(connection) || this.#closed) return;
    this.#probing.add(connection);
    const { store, log, count, probe } = this.#deps;
    try {
      const pause = await store.connections.claimProbe(connection);
      if (!pause) return;
      const failure = await probe(connection).then(
        () => undefined,
        (error) => Failure.of(error),
      );
      await store.connections.endProbe(connection, pause, failure);
      count.probe(connection, failure ? failure.code : 'answered');
      if (failure) log.info({ connection, code: failure.code, reason: failure.message }, 'a probe failed');
      else log.info({ connection, cause: pause.cause }, 'a probe was answered: the connection goes on');
      await this.look();
    } catch (error) {
      log.warn({ connection, err: error }, 'a connection could not be probed');
    } finally {
      this.#probing.delete(connection);
    }
  }

  async #changed(connection: string, change: CircuitChange): Promise<void> {
    const { log, count, store, onChange } = this.#deps;
    const { became, pause } = change;
    const { cause, code, reason, hint, since } = pause;
    count.change(connection, became, cause);
    if (became === 'closed') {
      log.info({ connection, cause, paused_ms: Date.now() - since }, 'a connection works again');
      this.#told.delete(connection);
      await onChange(connection, change);
    } else {
      log.error({ connection, cause, code, reason, hint }, 'a connection is paused');
    }
    const state = await store.connections.read(connection);
    this.#states.set(connection, state);
    if (state.circuit === 'open' && became !== 'closed') await this.look();
  }
}
