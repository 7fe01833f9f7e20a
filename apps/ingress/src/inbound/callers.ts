/**
 * Who is calling, as the CRM knows it, in the time that a ringing phone leaves.
 *
 * Redis remembers answers; look-ups of one number are one look-up, in this process and across processes; a circuit
 * leaves a CRM alone that does not answer, and so does a pause of the connection, whoever made it. Whatever goes wrong
 * rejects, and the caller is then answered without it.
 */
import { type Config, type Connection, DestinationPool, type Inbound, type OpenDestination } from '@wrapup/config';
import { type Context, Failure, type Log, withDeadline } from '@wrapup/destination';
import { rememberIssued } from '@wrapup/destination/engine';
import { type ConnectionState, explainPause, isPaused, keepShare, makeContext, type Store } from '@wrapup/queue';
import type { Metrics } from '@wrapup/telemetry';
import { Circuit } from './circuit.ts';
import { type Answer, type Caller, callerOf, recallAnswer, reduceAnswer, rememberAnswer } from './remembered-caller.ts';

export interface Callers {
  /**
   * The one person of this number, nobody, or several.
   * @param inbound of the source whose caller it is: says where to look, and what is read
   * @param phone E.164
   * @param within milliseconds from now after which the answer is of no use
   */
  find(inbound: Inbound, phone: string, within: number): Promise<Answer>;
  /** Connects what the configuration as it is now asks for, so that no caller has to wait for that. Never rejects. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

export interface CallersParts {
  config: () => Config;
  /** Opened on first use, so that an ingress without look-ups has no connection for them. */
  openStore: () => Store;
  log: Log;
  metrics: Metrics;
  /** What the circuit takes for the time, in ms; default a clock that only goes forward. */
  now?: (() => number) | undefined;
}

/** The look-up ends this much before its caller's time is over, in ms, so that its end is still heard. */
const MARGIN = 50;
/** How often to look whether another process has found the answer, in ms. */
const LOOK_AGAIN = 40;
/** How often the share of quota is asked for anew, in ms: it is kept for three minutes. */
const SHARE_EVERY = 60_000;

/** How long what was read of a connection's pauses is believed, in ms. */
const PAUSE_BELIEVED = 1_000;

/** How long to wait for Redis before going on without, in ms; it may come later. */
const CONNECTED = 1_000;

/** How long a look-up in hand may use a client that was replaced, in ms. */
const CLOSE_AFTER = 10_000;

/** The connection of the configuration as it is now, opened. */
interface Line extends OpenDestination<Circuit> {
  connection: Connection;
}

/** The failure of a deadline that passed while the phone rang. */
export function tooLate(): Failure {
  return new Failure('timeout', 'It took too long while the phone rang.');
}

export function openCallers(parts: CallersParts): Callers {
  return new CrmCallers(parts);
}

class CrmCallers implements Callers {
  readonly #config: () => Config;
  readonly #openStore: () => Store;
  readonly #log: Log;
  readonly #note: (result: string) => void;
  readonly #seconds: (since: number) => void;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<Answer>>();
  readonly #share: NodeJS.Timeout;
  readonly #pool: DestinationPool<Circuit>;
  #opened: Store | undefined;
  readonly #pauses = new Map<string, { at: number; state: Promise<ConnectionState> }>();

  constructor({ config, openStore, log, metrics, now }: CallersParts) {
    this.#pool = new DestinationPool({ attach: () => new Circuit(now), closeAfter: CLOSE_AFTER });
    this.#config = config;
    this.#openStore = openStore;
    this.#log = log;
    const results = metrics.counter('ingress_callers_total', 'Callers by how they were looked up', ['result']);
    const seconds = metrics.histogram('ingress_caller_seconds', 'Time to ask the CRM for a caller');
    this.#note = (result) => results.inc({ result });
    this.#seconds = (since) => seconds.observe((performance.now() - since) / 1000);
    this.#share = setInterval(() => void this.#keepShare(), SHARE_EVERY);
    this.#share.unref();
  }

  async prepare(): Promise<void> {
    const asked = this.#inbounds();
    if (asked.length === 0) return;
    try {
      await Promise.all([...asked.map((inbound) => this.#connect(inbound)), this.#store().connected(CONNECTED)]);
    } catch (error) {
      this.#log.error({ code: Failure.of(error).code, err: error }, 'callers cannot be looked up');
    }
    await this.#keepShare();
  }

  async find(inbound: Inbound, phone: string, within: number): Promise<Answer> {
    const until = Date.now() + within;
    const line = await this.#connect(inbound);
    const caller = callerOf(line.connection, inbound.reads, phone);
    const name = `${inbound.look_up} ${caller.name} ${caller.question}`;
    const running = this.#running.get(name);
    if (running) {
      this.#note('joined');
      return running;
    }
    const search = this.#search(line, inbound, caller, phone, until).finally(() => this.#running.delete(name));
    this.#running.set(name, search);
    return search;
  }

  async close(): Promise<void> {
    clearInterval(this.#share);
    this.#stopping.abort(new Failure('unavailable', 'Ingress is stopping.'));
    await this.#pool.close();
    await this.#opened?.close();
  }

  async #search(line: Line, inbound: Inbound, caller: Caller, phone: string, until: number): Promise<Answer> {
    const ctx = this.#context(line, until - Date.now() - MARGIN);
    const known = await recallAnswer(ctx, caller);
    if (known) {
      this.#note('remembered');
      return known;
    }
    const paused = await this.#pauseOf(line.connection.name);
    if (paused) {
      this.#note('paused');
      throw new Failure('unavailable', paused);
    }
    const leave = line.attached.ask();
    if (leave === 'leave') {
      this.#note('circuit_open');
      throw new Failure('unavailable', `Connection ${line.connection.name} does not answer and is left alone for now.`);
    }
    const asking = this.#ask(line, inbound, caller, phone, ctx, leave === 'try');
    if (leave === 'ask') return asking;
    // A trial is nobody's to wait for.
    asking.catch(() => {});
    this.#note('circuit_open');
    throw new Failure('unavailable', `Connection ${line.connection.name} is being tried again.`);
  }

  async #ask(
    { destination, attached: circuit, connection }: Line,
    { reads }: Inbound,
    caller: Caller,
    phone: string,
    ctx: Context,
    trial: boolean,
  ): Promise<Answer> {
    const begun = performance.now();
    let settled = false;
    try {
      const held = await this.#hold(ctx, caller);
      if (!held.release) {
        this.#note('joined');
        return held.answer;
      }
      try {
        const { properties, related } = reads;
        const question = { match: [{ by: 'phone' as const, value: phone }], properties, related };
        // Adapters end by the deadline themselves; one that does not must not keep the next caller of this number waiting.
        const [found] = await withDeadline(
          destination.find([question], ctx),
          ctx.deadline - Date.now() + MARGIN,
          tooLate,
        );
        if (!found) throw new Failure('unaccounted', 'The look-up gave no answer.');
        circuit.succeeded();
        settled = true;
        this.#seconds(begun);
        const answer = reduceAnswer(found, reads);
        this.#note(`found_${answer.found}`);
        await Promise.all([rememberAnswer(ctx, caller, answer, reads), noteIssued(ctx, phone, answer)]).catch(() => {});
        return answer;
      } finally {
        await held.release().catch(() => {});
      }
    } catch (error) {
      const wasOpen = circuit.open;
      circuit.failed(error, trial);
      settled = true;
      const { code, message } = Failure.of(error);
      this.#seconds(begun);
      this.#note(code);
      if (circuit.open && (!wasOpen || trial)) {
        this.#log.warn({ connection: connection.name, code, reason: message }, 'callers are not looked up for a while');
      }
      throw error;
    } finally {
      // Somebody else found it: what came of the CRM is theirs to say.
      if (!settled && trial) circuit.failed(undefined, true);
    }
  }

  /** Why nobody may ask this connection now: its circuit in the workers, or an operator, stopped it. */
  async #pauseOf(connection: string): Promise<string | undefined> {
    let known = this.#pauses.get(connection);
    if (!known || performance.now() - known.at > PAUSE_BELIEVED) {
      known = { at: performance.now(), state: this.#store().connections.read(connection) };
      this.#pauses.set(connection, known);
    }
    const state = await known.state.catch(() => undefined);
    return state && isPaused(state) ? explainPause(state) : undefined;
  }

  /** The right to ask for this number, or the answer of another process that had it. */
  async #hold(
    ctx: Context,
    caller: Caller,
  ): Promise<{ release: () => Promise<void> } | { release?: undefined; answer: Answer }> {
    for (;;) {
      const left = ctx.deadline - Date.now();
      if (left <= 0) throw new Failure('busy', 'Another process is still looking this caller up.');
      const held = await ctx.lease.take([caller.name], left);
      if (held) {
        // It may have been found between our look and our lease.
        const known = await recallAnswer(ctx, caller).catch(() => undefined);
        if (!known) return held;
        await held.release().catch(() => {});
        return { answer: known };
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
      const known = await recallAnswer(ctx, caller);
      if (known) return { answer: known };
    }
  }

  #context({ connection, pools }: Line, within: number): Context {
    return makeContext(this.#store(), {
      connection: connection.name,
      priority: 'inbound',
      reserve: connection.reserve ?? 0,
      within: Math.max(0, within),
      signal: this.#stopping.signal,
      log: this.#log,
      ...(pools && { pools }),
    });
  }

  /** The connection of the configuration as it is now. The vendor's client is loaded here, and only here. */
  async #connect({ look_up }: Inbound): Promise<Line> {
    const { connections } = this.#config();
    const connection = Object.hasOwn(connections, look_up) ? connections[look_up] : undefined;
    if (!connection) throw new Failure('mapping', 'The connection to look callers up in is not configured.');
    return { ...(await this.#pool.get(connection)), connection };
  }

  async #keepShare(): Promise<void> {
    const asked = this.#inbounds();
    if (asked.length === 0) return;
    const { redis, keys } = this.#store();
    await Promise.all(asked.map(({ look_up }) => keepShare(redis, keys, look_up).catch(() => {})));
  }

  /** Of all sources, one for each connection that is looked up in. */
  #inbounds(): Inbound[] {
    const all = Object.values(this.#config().sources).flatMap(({ inbound }) => inbound ?? []);
    return [...new Map(all.map((inbound) => [inbound.look_up, inbound])).values()];
  }

  #store(): Store {
    this.#opened ??= this.#openStore();
    return this.#opened;
  }
}

/** The id comes back with the finished call, where it counts only for the number that it was given for. */
async function noteIssued(ctx: Context, phone: string, answer: Answer): Promise<void> {
  if (answer.found === 'one') await rememberIssued(ctx, phone, answer.person.id);
}
