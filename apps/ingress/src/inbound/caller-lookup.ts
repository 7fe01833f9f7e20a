/**
 * Finds the person behind a number in the CRM, within the time that a ringing phone leaves.
 *
 * Redis stores answers; concurrent look-ups of one number are one look-up, in this process and across processes. While the
 * circuit breaker is open, or the connection is paused, the CRM is not asked. Every failure rejects, and the event is then
 * answered without the caller.
 */
import { own } from '@wrapup/call';
import {
  type Config,
  type Connection,
  DestinationPool,
  type Inbound,
  type OpenDestination,
  retentionOf,
} from '@wrapup/config';
import {
  type Context,
  type Destination,
  Failure,
  type Log,
  type PersonAnswer,
  type RequestReport,
  withDeadline,
} from '@wrapup/destination';
import { rememberIssued } from '@wrapup/destination/engine';
import type { MatchStep } from '@wrapup/mapping';
import { type ConnectionState, explainPause, isPaused, keepShare, makeContext, type Store } from '@wrapup/queue';
import { countRequests, type Metrics } from '@wrapup/telemetry';
import {
  type CallerAnswer,
  type CallerQuestion,
  questionOf,
  readAnswer,
  reduceAnswer,
  storeAnswer,
} from './caller-memory.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

export interface CallerLookup {
  /**
   * Returns the one person of this number, none, or several.
   * @param inbound of the source that was called: where to look, and what is read
   * @param phone E.164
   * @param within milliseconds from now after which the answer is of no use
   */
  find(inbound: Inbound, phone: string, within: number): Promise<CallerAnswer>;
  /** Opens the connections of the current configuration ahead of the first call. Never rejects. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

export interface CallerLookupParts {
  config: () => Config;
  /** Opened on first use, so that an ingress without look-ups has no connection for them. */
  openStore: () => Store;
  log: Log;
  metrics: Metrics;
  /** Clock of the circuit breaker, in ms; default a monotonic one. */
  now?: (() => number) | undefined;
}

/** The look-up ends this long before the deadline of its caller, so that its failure arrives in time. */
const MARGIN_MS = 50;
/** How often to check whether another process has found the answer. */
const POLL_MS = 40;
/** How often the share of quota is renewed: it lasts three minutes. */
const SHARE_EVERY_MS = 60_000;

/** How long the state of a connection is cached. */
const PAUSE_TTL_MS = 1_000;

/** How long to wait for Redis at start; it may connect later. */
const REDIS_WAIT_MS = 1_000;

/** How long a look-up under way may use a client that was replaced. */
const CLOSE_AFTER_MS = 10_000;

/** The connection of the configuration as it is now, opened. */
interface OpenConnection extends OpenDestination<CircuitBreaker> {
  connection: Connection;
}

/** The failure of a deadline that passed while the phone rang. */
export function tooLate(): Failure {
  return new Failure('timeout', 'It took too long while the phone rang.');
}

export function openCallerLookup(parts: CallerLookupParts): CallerLookup {
  return new CrmCallerLookup(parts);
}

class CrmCallerLookup implements CallerLookup {
  readonly #config: () => Config;
  readonly #openStore: () => Store;
  readonly #log: Log;
  readonly #note: (result: string) => void;
  readonly #seconds: (since: number) => void;
  readonly #count: (connection: string, request: RequestReport) => void;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<CallerAnswer>>();
  readonly #share: NodeJS.Timeout;
  readonly #pool: DestinationPool<CircuitBreaker>;
  #opened: Store | undefined;
  readonly #pauses = new Map<string, { at: number; state: Promise<ConnectionState> }>();

  constructor({ config, openStore, log, metrics, now }: CallerLookupParts) {
    this.#pool = new DestinationPool({ attach: () => new CircuitBreaker(now), closeAfter: CLOSE_AFTER_MS });
    this.#config = config;
    this.#openStore = openStore;
    this.#log = log;
    const results = metrics.counter('ingress_callers_total');
    const seconds = metrics.histogram('ingress_caller_seconds');
    const count = countRequests(metrics);
    this.#count = (connection, request) => count(connection, 'inbound', request);
    this.#note = (result) => results.inc({ result });
    this.#seconds = (since) => seconds.observe((performance.now() - since) / 1000);
    this.#share = setInterval(() => void this.#keepShare(), SHARE_EVERY_MS);
    this.#share.unref();
  }

  async prepare(): Promise<void> {
    const asked = this.#inbounds();
    if (asked.length === 0) return;
    try {
      await Promise.all([...asked.map((inbound) => this.#connect(inbound)), this.#store().connected(REDIS_WAIT_MS)]);
    } catch (error) {
      this.#log.error({ code: Failure.of(error).code, err: error }, 'callers cannot be looked up');
    }
    await this.#keepShare();
  }

  async find(inbound: Inbound, phone: string, within: number): Promise<CallerAnswer> {
    const until = Date.now() + within;
    const line = await this.#connect(inbound);
    const caller = questionOf(line.connection, inbound.reads, phone);
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

  async #search(
    line: OpenConnection,
    inbound: Inbound,
    caller: CallerQuestion,
    phone: string,
    until: number,
  ): Promise<CallerAnswer> {
    const ctx = this.#context(line, until - Date.now() - MARGIN_MS);
    const known = await readAnswer(ctx, caller);
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
      throw new Failure('unavailable', `Connection ${line.connection.name} does not answer and is not asked for now.`);
    }
    const asking = this.#ask(line, inbound, caller, phone, ctx, leave === 'try');
    if (leave === 'ask') return asking;
    // The caller does not wait for a trial.
    asking.catch(() => {});
    this.#note('circuit_open');
    throw new Failure('unavailable', `Connection ${line.connection.name} is being tried again.`);
  }

  async #ask(
    { destination, attached: circuit, connection }: OpenConnection,
    { reads }: Inbound,
    caller: CallerQuestion,
    phone: string,
    ctx: Context,
    trial: boolean,
  ): Promise<CallerAnswer> {
    const begun = performance.now();
    let settled = false;
    try {
      const held = await this.#hold(ctx, caller);
      if (!held.release) {
        this.#note('joined');
        return held.answer;
      }
      try {
        // Adapters keep the deadline themselves; one that does not must not delay the next caller of this number.
        const { found, decided } = await withDeadline(
          this.#findPerson(destination, phone, reads, ctx),
          ctx.deadline - Date.now() + MARGIN_MS,
          tooLate,
        );
        circuit.succeeded();
        settled = true;
        this.#seconds(begun);
        const answer = reduceAnswer(decided, reads);
        this.#note(`found_${answer.found}`);
        await Promise.all([storeAnswer(ctx, caller, answer, { reads, found }), noteIssued(ctx, phone, answer)]).catch(
          () => {},
        );
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
      // Another process found the answer, and reports the CRM's state to its own breaker.
      if (!settled && trial) circuit.failed(undefined, true);
    }
  }

  /**
   * The person of a number: of several the one whom an operator chose for all calls of it.
   * @returns what the CRM found, and what is made of it
   */
  async #findPerson(
    destination: Destination,
    phone: string,
    { properties, related, open }: Inbound['reads'],
    ctx: Context,
  ): Promise<{ found: PersonAnswer['found']; decided: PersonAnswer }> {
    const ask = async (step: MatchStep): Promise<PersonAnswer> => {
      const [answer] = await destination.find([{ match: [step], properties, related, ...(open && { open }) }], ctx);
      if (!answer) throw new Failure('unaccounted', 'The look-up gave no answer.');
      return answer;
    };
    const answer = await ask({ by: 'phone', value: phone });
    const { found } = answer;
    if (answer.found !== 'many') return { found, decided: answer };
    const [choice] = await this.#store().choices.lasting(destination.connection, [{ by: 'phone', value: phone }]);
    const person = choice && answer.candidates.find(({ id }) => id === choice.id);
    if (!person) return { found, decided: answer };
    // Records are read along with one person only.
    const isAlone = Object.keys({ ...related, ...open }).length === 0;
    const decided = isAlone ? { ...answer, found: 'one' as const, person } : await ask({ by: 'id', value: person.id });
    return {
      found,
      decided: decided.found === 'one' ? { found: 'one', by: answer.by, person: decided.person } : answer,
    };
  }

  /** Why this connection may not be asked now: its circuit in the workers, or an operator, stopped it. */
  async #pauseOf(connection: string): Promise<string | undefined> {
    let known = this.#pauses.get(connection);
    if (!known || performance.now() - known.at > PAUSE_TTL_MS) {
      known = { at: performance.now(), state: this.#store().connections.read(connection) };
      this.#pauses.set(connection, known);
    }
    const state = await known.state.catch(() => undefined);
    return state && isPaused(state) ? explainPause(state) : undefined;
  }

  /** The right to ask for this number, or the answer of another process that had it. */
  async #hold(
    ctx: Context,
    caller: CallerQuestion,
  ): Promise<{ release: () => Promise<void> } | { release?: undefined; answer: CallerAnswer }> {
    for (;;) {
      const left = ctx.deadline - Date.now();
      if (left <= 0) throw new Failure('busy', 'Another process is still looking this caller up.');
      const held = await ctx.lease.take([caller.name], left);
      if (held) {
        // It may have been found between the check and the lease.
        const known = await readAnswer(ctx, caller).catch(() => undefined);
        if (!known) return held;
        await held.release().catch(() => {});
        return { answer: known };
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const known = await readAnswer(ctx, caller);
      if (known) return { answer: known };
    }
  }

  #context({ connection, pools }: OpenConnection, within: number): Context {
    return makeContext(this.#store(), {
      connection: connection.name,
      ledger_days: retentionOf(this.#config(), connection.name).ledger_days,
      priority: 'inbound',
      reserve: connection.reserve ?? 0,
      within: Math.max(0, within),
      signal: this.#stopping.signal,
      log: this.#log,
      count: (request) => this.#count(connection.name, request),
      ...(pools && { pools }),
    });
  }

  /** The connection of the current configuration. The vendor's client is loaded here, and only here. */
  async #connect({ look_up }: Inbound): Promise<OpenConnection> {
    const { connections } = this.#config();
    const connection = own(connections, look_up);
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

/** The id returns with the finished call, where it counts only for the number that it was issued for. */
async function noteIssued(ctx: Context, phone: string, answer: CallerAnswer): Promise<void> {
  if (answer.found === 'one') await rememberIssued(ctx, phone, answer.person.id);
}
