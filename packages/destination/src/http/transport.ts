/**
 * Sends single requests of one connection, each with a deadline, and classifies what comes. What differs between CRMs
 * (the client, the token, how answers are read) is the adapter's; what may happen to a request on its way is the same:
 *
 *   wanted?  withdrawn, or past the deadline: nothing is sent
 *   token    had once for all processes
 *   budget   waits for its turn; `throttled` when that would be too late
 *   answer   401: one new token and one repetition, since the CRM has certainly done nothing; a second 401 stands
 *            2xx with a body that can be read: the answer · without one: `unaccounted`
 *            anything else: a failure by the adapter's table; some of them hold every sender back
 *   none     `timeout`, `network` or `busy`, with `outcome_unknown` when the CRM may have done it all the same
 *
 * Nothing else is repeated here.
 */
import type { Agent } from 'node:http';
import type { Budget, Context, QuotaUsage } from '../port/context.ts';
import { Failure, type FailureCode } from '../port/failure.ts';
import {
  exchange,
  type HttpAnswer,
  type HttpRequest,
  makeAgent,
  parseBody,
  type Send,
  Unanswered,
} from './http-exchange.ts';
import { RequestFailure } from './request-failure.ts';
import { type RequestTimer, timeRequest } from './request-timer.ts';

/** One request, before it is sent. */
export interface ApiRequest extends Sendable {
  /** What it does, for messages and logs: `create 3 calls`. Holds no personal data. */
  name: string;
  /** True: a lost answer leaves open whether something was written. */
  writes: boolean;
}

/** A 2xx answer. What it says of each row is for the caller to account for. */
export interface ApiAnswer {
  status: number;
  /** Parsed JSON; undefined for a 204. */
  body: unknown;
}

/** What is the same for every request of a connection. */
interface TransportOptions {
  /** `HubSpot`, for messages. */
  crm: string;
  /** What says where the CRM is, for the hint of a broken connection: `the connection’s base_url`. */
  place: string;
  /** Failures that hold for every request of the pool: until they are over no request is sent, in all processes. */
  blocking: readonly FailureCode[];
  /** Milliseconds that one request may take. */
  timeout: number;
}

/** Reports of quota under way at once. */
const MAX_REPORTS = 64;
/** How long closing waits for them, ms. */
const CLOSING_MS = 1_000;

/** A request for a token: it changes nothing, and takes from no budget. */
const TOKEN_CALL: ApiRequest = { name: 'get an access token', writes: false };

/**
 * @typeParam Call a request in the words of the adapter's client
 * @typeParam Token what authorises a request
 */
export abstract class Transport<Call extends ApiRequest, Token> implements RequestSender<Call> {
  readonly #options: TransportOptions;
  /** By scheme: a login and an API may differ in it. */
  readonly #agents = new Map<string, Agent>();
  /** Those that are under way. None rejects. */
  readonly #reports = new Set<Promise<void>>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @throws RequestFailure when none can be had */
  protected abstract token(ctx: Context): Promise<Token>;
  /** The CRM refused it. @returns whether another one may be had */
  protected abstract refuse(token: Token, ctx: Context): Promise<boolean>;
  /** Has the client build the request and hand it to `send`, once. @returns the answer, whatever its status */
  protected abstract run(call: Call, token: Token, send: Send): Promise<HttpAnswer>;
  /** What the answer says of the quota. */
  protected abstract usageOf(headers: HttpAnswer['headers']): QuotaUsage | undefined;
  /** What an error answer means. @param body parsed JSON, else the text */
  protected abstract failureOf(call: Call, answer: HttpAnswer, body: unknown): RequestFailure;

  /** Closes the sockets, once what answers said of the quota is noted, or cannot be. */
  async close(): Promise<void> {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
    const late = new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref());
    await Promise.race([Promise.all(this.#reports), late]);
  }

  /** Sends a request to the token endpoint. @throws RequestFailure when no answer came */
  protected async sendForToken(request: HttpRequest, ctx: Context): Promise<HttpAnswer> {
    checkWanted(TOKEN_CALL, ctx);
    return this.#answered(TOKEN_CALL, () => this.#exchange(request, ctx));
  }

  /** Within the connection's timeout and the deadline. @throws Unanswered */
  async #exchange(request: HttpRequest, ctx: Context): Promise<HttpAnswer> {
    const scheme = request.url.slice(0, request.url.indexOf(':'));
    const agent = this.#agents.get(scheme) ?? makeAgent(request.url);
    this.#agents.set(scheme, agent);
    const within = Math.min(this.#options.timeout, ctx.deadline - Date.now());
    const answer = await exchange(request, { agent, within, signal: ctx.signal });
    ctx.observe?.({ request, answer });
    return answer;
  }

  /**
   * Sends one request, when the budget has one. Rejects with a `RequestFailure` for everything but a 2xx with a body that
   * can be read, and with the budget's own failure when its turn does not come in time.
   */
  async send(call: Call, ctx: Context): Promise<ApiAnswer> {
    checkWanted(call, ctx);
    const token = await this.token(ctx);
    const first = await this.#sendWith(token, call, ctx);
    if (first.answer.status !== 401 || !(await this.refuse(token, ctx))) return this.#judge(call, first, ctx);
    first.note('unauthorized', 401);
    return this.#judge(call, await this.#sendWith(await this.token(ctx), call, ctx), ctx);
  }

  /** @returns the answer, and what notes what came of it */
  async #sendWith(token: Token, call: Call, ctx: Context): Promise<Answered> {
    const timer = timeRequest(ctx, call.name, this.#options.crm);
    try {
      try {
        await ctx.budget.take(call.pool);
      } catch (thrown) {
        throw ctx.signal.aborted ? withdrawn(call, false) : thrown;
      }
      checkWanted(call, ctx);
      timer.sent();
      const send: Send = (request) => this.#exchange(request, ctx);
      const answer = await this.#answered(call, () => this.run(call, token, send));
      timer.answered();
      const usage = this.usageOf(answer.headers);
      // What headers say of the account's quota holds for that, whatever pool the request was of.
      if (usage) await this.#report(usage, ctx);
      return { answer, note: timer.note };
    } catch (thrown) {
      timer.note(Failure.of(thrown).code);
      throw thrown;
    }
  }

  /** Notes what an answer said of the quota, while the answer is worked on already. Never rejects. */
  async #report(usage: QuotaUsage, { budget, log }: Context): Promise<void> {
    const report = budget.report(usage).catch((thrown: unknown) => {
      log.warn({ error: Failure.of(thrown).message }, 'what the CRM said of the quota could not be noted');
    });
    this.#reports.add(report);
    void report.then(() => this.#reports.delete(report));
    // While they are noted more slowly than answers come, answers wait.
    if (this.#reports.size > MAX_REPORTS) await Promise.race(this.#reports);
  }

  async #answered(call: ApiRequest, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    try {
      return await send();
    } catch (thrown) {
      throw this.#unanswered(call, thrown);
    }
  }

  async #judge(call: Call, { answer, note }: Answered, ctx: Context): Promise<ApiAnswer> {
    try {
      const taken = await this.#read(call, answer, ctx);
      note('ok', answer.status);
      return taken;
    } catch (thrown) {
      const { code, details } = Failure.of(thrown);
      note(code, answer.status, details.retry_after);
      throw thrown;
    }
  }

  async #read(call: Call, answer: HttpAnswer, ctx: Context): Promise<ApiAnswer> {
    const { status, headers, text } = answer;
    const body = parseBody(text, headers['content-type']);
    if (status >= 200 && status < 300) {
      if (status === 204 || body !== undefined) return { status, body };
      throw new RequestFailure(
        'unaccounted',
        `${call.name}: ${this.#options.crm} answered ${status} with a body that cannot be read.`,
        { status },
        { outcome_unknown: call.writes },
      );
    }
    const failure = this.failureOf(call, answer, body ?? text);
    if (this.#options.blocking.includes(failure.code) && failure.details.retry_after !== undefined)
      await ctx.budget.report({ blocked_for: failure.details.retry_after }, call.pool);
    throw call.writes ? failure : failure.withKnownOutcome();
  }

  /** What it means that no answer came; whatever else was thrown stays what it is. */
  #unanswered(call: ApiRequest, thrown: unknown): unknown {
    if (!(thrown instanceof Unanswered)) return thrown;
    if (thrown.why === 'withdrawn') return withdrawn(call, true);
    if (thrown.why === 'deadline')
      return new RequestFailure(
        'timeout',
        `${call.name}: no whole answer in time; the connection was closed.`,
        {
          hint: `The delivery is tried again by itself; what ${this.#options.crm} may have done meanwhile is found by its key.`,
        },
        { outcome_unknown: call.writes },
      );
    return new RequestFailure(
      'network',
      `${call.name}: the connection failed${thrown.socket ? ` (${thrown.socket})` : ''}.`,
      { hint: `Check that this machine reaches ${this.#options.place}.`, cause: thrown },
      { outcome_unknown: call.writes && !NEVER_SENT.has(thrown.socket) },
    );
  }
}

interface Answered {
  answer: HttpAnswer;
  note: RequestTimer['note'];
}

/** Errors of the socket before anything was sent: what they refuse was certainly not done. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
]);

/** Nothing may be sent after the deadline, nor for work that was withdrawn. @throws RequestFailure */
function checkWanted(call: ApiRequest, ctx: Context): void {
  if (ctx.signal.aborted) throw withdrawn(call, false);
  if (Date.now() >= ctx.deadline)
    throw new RequestFailure('timeout', `${call.name}: not sent, the time for this batch was over.`, {
      hint: 'The delivery is tried again by itself.',
    });
}

function withdrawn(call: ApiRequest, sent: boolean): RequestFailure {
  return new RequestFailure(
    'busy',
    `${call.name}: given up, because the work was withdrawn (shutdown, or another worker has it).`,
    { retry_after: 0 },
    { outcome_unknown: sent && call.writes },
  );
}

/** What a session has to know of a request. */
interface Sendable {
  /** Pool of `Budget.take`. */
  pool?: string;
  /** True: what it is for can be done without, so that a missing scope breaks nothing else. */
  optional?: boolean;
}

/** Sends single requests of one connection. */
interface RequestSender<Call extends Sendable> {
  send(call: Call, ctx: Context): Promise<ApiAnswer>;
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
export class ApiSession<Call extends Sendable = Sendable> {
  readonly ctx: Context;
  /** Keys of the calls, by the number of their plan: what logs name a request by. */
  calls: readonly string[] = [];
  readonly #transport: RequestSender<Call>;
  readonly #costs = new Map<number, number>();
  #broken: Failure | undefined;
  /** A quota that is used up, by pool: waiting for it is the queue's business, which has other work meanwhile. */
  readonly #throttled = new Map<string | undefined, Failure>();

  constructor(transport: RequestSender<Call>, ctx: Context) {
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
  async send(call: Call, plans: Iterable<number> = []): Promise<ApiAnswer> {
    const known = this.#broken ?? this.#throttled.get(call.pool);
    if (known) throw known;
    const sharers = [...new Set(plans)];
    const calls = sharers.flatMap((plan) => this.calls[plan] ?? []);
    // Others may be under way: what this one takes is counted apart.
    const budget = new CountedBudget(this.ctx.budget);
    const ctx = { ...this.ctx, budget, ...(calls.length > 0 ? { calls } : {}) };
    try {
      return await this.#transport.send(call, ctx);
    } catch (thrown) {
      const harmless = call.optional && thrown instanceof Failure && thrown.code === 'missing_scope';
      if (thrown instanceof Failure && isBroken(thrown) && !harmless) this.#broken = thrown;
      if (thrown instanceof Failure && thrown.code === 'throttled') this.#throttled.set(call.pool, thrown);
      throw thrown;
    } finally {
      const spent = Math.min(1, budget.spent);
      for (const plan of sharers) this.#costs.set(plan, this.costOf(plan) + spent / sharers.length);
    }
  }

  /** Requests that a plan has cost so far; a request shared by n plans counts 1/n. */
  costOf(plan: number): number {
    return this.#costs.get(plan) ?? 0;
  }
}

/** Counts the requests that were taken through it. */
class CountedBudget implements Budget {
  spent = 0;
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  async take(pool?: string): Promise<void> {
    await this.#budget.take(pool);
    this.spent += 1;
  }

  report(usage: QuotaUsage, pool?: string): Promise<void> {
    return this.#budget.report(usage, pool);
  }
}
