import type { Context } from '../port/context.ts';
import { Failure, type FailureCode } from '../port/failure.ts';

/** What a session has to know of a request. */
export interface Sendable {
  /** Pool of `Budget.take`. */
  pool?: string;
  /** True: what it is for can be done without, so that a missing scope breaks nothing else. */
  optional?: boolean;
}

/** Sends single requests of one connection. */
export interface Sender<Call extends Sendable, Answer> {
  send(call: Call, ctx: Context): Promise<Answer>;
}

/** After one of these the connection refuses everything else too: asking again only costs. */
const BROKEN: ReadonlySet<FailureCode> = new Set(['unauthorized', 'missing_scope', 'daily_limit', 'locked', 'busy']);

function isBroken({ code, next }: Failure): boolean {
  return BROKEN.has(code) || next === 'reauthenticate';
}

/** Answered without asking when less than this is left of the deadline, in ms: no answer could come in time. */
const TOO_LATE_MS = 20;

/**
 * The requests of one call of the destination: sends them, counts them for the plans that share them, and stops
 * asking once the connection has shown that it is broken.
 */
export class Session<Call extends Sendable = Sendable, Answer = unknown> {
  readonly ctx: Context;
  readonly #transport: Sender<Call, Answer>;
  readonly #costs = new Map<number, number>();
  #broken: Failure | undefined;
  /** A quota that is used up, by pool: waiting for it is the queue's business, which has other work meanwhile. */
  readonly #throttled = new Map<string | undefined, Failure>();

  constructor(transport: Sender<Call, Answer>, ctx: Context) {
    this.#transport = transport;
    this.ctx = ctx;
  }

  /** Milliseconds left. */
  get left(): number {
    return this.ctx.deadline - Date.now();
  }

  /** True while asking makes sense. */
  get usable(): boolean {
    return (
      this.#broken === undefined &&
      !this.#throttled.has(undefined) &&
      this.left > TOO_LATE_MS &&
      !this.ctx.signal.aborted
    );
  }

  /** @param plans numbers of the plans that share the request */
  async send(call: Call, plans: Iterable<number> = []): Promise<Answer> {
    const known = this.#broken ?? this.#throttled.get(call.pool);
    if (known) throw known;
    const sharers = [...new Set(plans)];
    const before = this.ctx.budget.spent;
    try {
      return await this.#transport.send(call, this.ctx);
    } catch (thrown) {
      const harmless = call.optional && thrown instanceof Failure && thrown.code === 'missing_scope';
      if (thrown instanceof Failure && isBroken(thrown) && !harmless) this.#broken = thrown;
      if (thrown instanceof Failure && thrown.code === 'throttled') this.#throttled.set(call.pool, thrown);
      throw thrown;
    } finally {
      const spent = Math.min(1, this.ctx.budget.spent - before);
      for (const plan of sharers) this.#costs.set(plan, this.costOf(plan) + spent / sharers.length);
    }
  }

  /** Requests that a plan has cost so far; a request shared by n plans counts 1/n. */
  costOf(plan: number): number {
    return this.#costs.get(plan) ?? 0;
  }
}
