/**
 * Watches the connections of this process: pauses one that is broken, probes it, and resumes it
 * (`connections/connection-circuit.ts` in packages/queue has the whole state machine).
 *
 * Every second it is read which connections have changed their state, so that a pause by another process or an operator is known
 * here too; a connection that nothing happens to costs nothing. Deliveries in hand when a connection pauses go back to the
 * queue, and their attempts are not counted.
 */
import { Failure, type Log, type Probe, type WriteOutcome, withoutQuotes } from '@wrapup/destination';
import { type CircuitChange, type ConnectionState, explainPause, isPaused, type Store } from '@wrapup/queue';

interface CircuitMonitorParts {
  store: Store;
  log: Log;
  count: {
    change(connection: string, became: CircuitChange['became'], cause: string): void;
    /** @param result `answered`, or the code of the failure */
    probe(connection: string, result: string): void;
  };
  /** Asks a connection whether it works. Rejects with the failure when it does not. */
  probe(connection: string): Promise<Probe>;
  /** Called for every pause of a circuit and for every end of one; may be called again for the same one, after a crash. */
  onChange(connection: string, change: CircuitChange): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
/** Between two readings of all states: for changes that a process of an earlier version made, or that Redis has lost. */
const READ_ALL_EVERY_MS = 60_000;
/** A connection that was resumed and that nothing failed on for so long works. */
const TRIAL_MS = 60_000;
/** Wait of deliveries that a pause gives back: they go on as soon as the connection does. */
export const PAUSED_WAIT_MS = 1_000;

export class CircuitMonitor {
  readonly #parts: CircuitMonitorParts;
  /** Connections that are paused or on trial. */
  readonly #states = new Map<string, ConnectionState>();
  /** When the pauses began that `onChange` was called for. */
  readonly #announced = new Map<string, number>();
  readonly #probing = new Set<string>();
  #connections = new Set<string>();
  /** Of the states, as last read. */
  #version = 0;
  #readAllAt = 0;
  #reading: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(parts: CircuitMonitorParts) {
    this.#parts = parts;
  }

  /** Watches these connections and no others. New ones that are paused are probed at once: their settings may have changed. */
  async watch(connections: readonly string[]): Promise<void> {
    const added = connections.filter((name) => !this.#connections.has(name));
    this.#connections = new Set(connections);
    for (const name of this.#states.keys()) if (!this.#connections.has(name)) this.#states.delete(name);
    if (added.length > 0) {
      this.#readAllAt = 0;
      await this.#read();
      for (const name of added)
        if (this.#states.get(name)?.circuit === 'open') await this.#parts.store.connections.probeNow(name);
      await this.look();
    }
    this.#timer ??= setInterval(() => {
      // While Redis is away a look does not end: others must not pile up behind it.
      if (this.#isLooking) return;
      this.#isLooking = true;
      void this.look().finally(() => {
        this.#isLooking = false;
      });
    }, LOOK_EVERY_MS);
  }

  /** Why nothing may be written to a connection now; undefined when it may. */
  refusal(connection: string): Failure | undefined {
    const state = this.#states.get(connection);
    if (!state || !isPaused(state)) return undefined;
    const hint = state.pause?.hint;
    return new Failure('busy', explainPause(state) ?? '', { retry_after: PAUSED_WAIT_MS, ...(hint ? { hint } : {}) });
  }

  /** Notes what a batch says of its connection. Never rejects: what was written must be noted whatever happens here. */
  async note(connection: string, outcomes: readonly WriteOutcome[]): Promise<void> {
    try {
      const change = await this.#parts.store.connections.note(connection, outcomes);
      if (change) await this.#changed(connection, change);
      // Another process may have paused it a moment ago.
      else if (outcomes.some(({ ok }) => !ok)) this.#keep(await this.#parts.store.connections.read(connection));
    } catch (error) {
      this.#parts.log.warn({ connection, err: error }, 'the state of a connection could not be noted');
    }
  }

  /** Reads what has changed, and does what is due. Never rejects. */
  async look(): Promise<void> {
    const { store, log, onChange } = this.#parts;
    try {
      await this.#read();
      for (const { connection, circuit, pause } of [...this.#states.values()]) {
        if (circuit === 'open' && pause && this.#announced.get(connection) !== pause.since) {
          await onChange(connection, { became: 'opened', pause });
          this.#announced.set(connection, pause.since);
        }
        if (circuit === 'open' && pause && pause.next_probe <= Date.now()) void this.#probe(connection);
        if (circuit === 'trial') {
          const change = await store.connections.endTrial(connection, Date.now() - TRIAL_MS);
          if (change) await this.#changed(connection, change);
        }
      }
    } catch (error) {
      if (!this.#isClosed) log.warn({ err: error }, 'the state of the connections could not be read');
    }
  }

  /** One reading after the other, so that none puts an older state in the place of a newer one. */
  #read(): Promise<void> {
    const reading = this.#reading.catch(() => {}).then(() => this.#readChanged());
    this.#reading = reading;
    return reading;
  }

  async #readChanged(): Promise<void> {
    const { connections, queues } = this.#parts.store;
    // Before the states: what changes in between is read again next time.
    const changed = await connections.readChanges(this.#version);
    const isAll = performance.now() >= this.#readAllAt || changed.version < this.#version;
    const names = isAll ? [...this.#connections] : changed.connections.filter((name) => this.#connections.has(name));
    const standing = isAll ? await queues.paused(names) : undefined;
    for (const state of await connections.readAll(names)) {
      const { connection } = state;
      const before = this.#states.get(connection);
      const stood = standing ? standing.has(connection) : before !== undefined && isPaused(before);
      this.#keep(state);
      if (stood !== isPaused(state)) await connections.syncQueuePause(connection);
    }
    this.#version = changed.version;
    if (isAll) this.#readAllAt = performance.now() + READ_ALL_EVERY_MS;
  }

  #keep(state: ConnectionState): void {
    if (state.circuit !== 'closed' || isPaused(state)) this.#states.set(state.connection, state);
    else this.#states.delete(state.connection);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #probe(connection: string): Promise<void> {
    if (this.#probing.has(connection) || this.#isClosed) return;
    this.#probing.add(connection);
    const { store, log, count, probe } = this.#parts;
    try {
      const pause = await store.connections.claimProbe(connection);
      if (!pause) return;
      const failure = await probe(connection).then(
        () => undefined,
        (error) => Failure.of(error),
      );
      await store.connections.endProbe(connection, pause, failure);
      count.probe(connection, failure ? failure.code : 'answered');
      if (failure)
        log.info({ connection, code: failure.code, reason: withoutQuotes(failure.message) }, 'a probe failed');
      else log.info({ connection, cause: pause.cause }, 'a probe was answered: the connection goes on');
      await this.look();
    } catch (error) {
      log.warn({ connection, err: error }, 'a connection could not be probed');
    } finally {
      this.#probing.delete(connection);
    }
  }

  async #changed(connection: string, change: CircuitChange): Promise<void> {
    const { log, count, store, onChange } = this.#parts;
    const { became, pause } = change;
    const { cause, code, reason, hint, since } = pause;
    count.change(connection, became, cause);
    if (became === 'closed') {
      log.info({ connection, cause, paused_ms: Date.now() - since }, 'a connection works again');
      this.#announced.delete(connection);
      await onChange(connection, change);
    } else {
      log.error({ connection, cause, code, reason, hint }, 'a connection is paused');
    }
    const state = await store.connections.read(connection);
    this.#keep(state);
    if (state.circuit === 'open' && became !== 'closed') await this.look();
  }
}
