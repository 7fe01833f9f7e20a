/**
 * Sends single requests of one connection through jsforce, each with a deadline, once, and classifies what comes.
 *
 * A 401 is answered with one new token and one repetition, since Salesforce has certainly done nothing: a second 401 is
 * the connection's failure. Nothing else is repeated here.
 */
import type { Agent } from 'node:http';
import type { Context } from '@wrapup/destination';
import type { ApiCall } from './api.ts';
import { failureOf, SalesforceFailure } from './errors.ts';
import { exchange, type HttpAnswer, type HttpRequest, makeAgent, Unanswered } from './exchange.ts';
import { type Jsforce, loadJsforce, makeConnection } from './jsforce.ts';
import { parseBody } from './json.ts';
import { readUsage } from './limits.ts';
import type { SalesforceSettings } from './settings.ts';
import { type Token, Tokens } from './tokens.ts';
import { readVendorError } from './vendor-error.ts';

/** A 2xx answer. What it says of each row is for the caller to account for. */
export interface Answer {
  status: number;
  body: unknown;
}

/** Failures that hold for every request of the org. */
const BLOCKING = new Set(['throttled', 'daily_limit']);

export class Transport {
  readonly #jsforce: Jsforce;
  readonly #agents = new Map<string, Agent>();
  readonly #settings: SalesforceSettings;
  readonly #tokens: Tokens;

  private constructor(jsforce: Jsforce, settings: SalesforceSettings) {
    this.#jsforce = jsforce;
    this.#settings = settings;
    this.#tokens = new Tokens(jsforce, settings, async (request, ctx) => {
      checkWanted(TOKEN_CALL, ctx);
      return { request, answer: await this.#exchange(TOKEN_CALL, request, ctx) };
    });
  }

  static async open(settings: SalesforceSettings): Promise<Transport> {
    return new Transport(await loadJsforce(), settings);
  }

  get api_version(): string {
    return this.#settings.api_version;
  }

  /** Whose token it is. @throws SalesforceFailure */
  async whose(ctx: Context): Promise<Token> {
    return this.#tokens.get(ctx);
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /**
   * Sends one request, when the budget has one. Rejects with a `SalesforceFailure` for everything but a 2xx with a body
   * that can be read; its `doubt` says whether Salesforce may have done it all the same.
   */
  async send(call: ApiCall, ctx: Context): Promise<Answer> {
    checkWanted(call, ctx);
    const token = await this.#tokens.get(ctx);
    const answer = await this.#sendWith(token, call, ctx);
    if (answer.status !== 401) return await this.#judge(call, answer, ctx);
    return await this.#judge(call, await this.#sendWith(await this.#tokens.renew(token, ctx), call, ctx), ctx);
  }

  async #sendWith(token: Token, call: ApiCall, ctx: Context): Promise<HttpAnswer> {
    try {
      await ctx.budget.take(call.pool);
    } catch (thrown) {
      throw ctx.signal.aborted ? withdrawn(call, false) : thrown;
    }
    checkWanted(call, ctx);
    const began = performance.now();
    let answer: HttpAnswer | undefined;
    const connection = makeConnection(
      this.#jsforce,
      { instanceUrl: token.instance_url, accessToken: token.access_token, version: this.#settings.api_version },
      async (request) => {
        answer = await this.#exchange(call, request, ctx);
        return answer;
      },
    );
    try {
      await call.run(connection);
    } catch (thrown) {
      // A complete answer counts, whatever the client made of it.
      if (!answer) throw thrown;
    }
    if (!answer) throw new SalesforceFailure('internal', `${call.name}: nothing was sent.`);
    const ms = Math.round(performance.now() - began);
    ctx.log.debug({ request: call.name, status: answer.status, ms }, 'asked Salesforce');
    const usage = readUsage(answer.headers);
    if (usage) await ctx.budget.report(usage, call.pool);
    return answer;
  }

  async #judge(call: ApiCall, { status, headers, text }: HttpAnswer, ctx: Context): Promise<Answer> {
    const body = parseBody(text, headers['content-type']);
    if (status >= 200 && status < 300) {
      if (status === 204 || body !== undefined) return { status, body };
      throw new SalesforceFailure(
        'unaccounted',
        `${call.name}: Salesforce answered ${status} with a body that cannot be read.`,
        { status },
        { doubt: call.writes },
      );
    }
    const failure = failureOf(readVendorError(status, body ?? text), {
      doing: call.name,
      request_id: headers['x-sfdc-request-id'],
      sent: call.sent ?? [],
    });
    // Everybody is held back, in all processes: asking again only costs the org more of its requests.
    if (BLOCKING.has(failure.code) && failure.details.retry_after !== undefined)
      await ctx.budget.report({ blocked_for: failure.details.retry_after }, call.pool);
    throw failure.doubt && !call.writes ? withoutDoubt(failure) : failure;
  }

  /** The whole answer, or a failure when none came. */
  async #exchange(call: Named, request: HttpRequest, ctx: Context): Promise<HttpAnswer> {
    const within = Math.min(this.#settings.timeout, ctx.deadline - Date.now());
    try {
      return await exchange(request, { agent: this.#agentFor(request.url), within, signal: ctx.signal });
    } catch (thrown) {
      throw unanswered(call, thrown);
    }
  }

  /** Sockets are kept by scheme: login and org may differ in it while a sandbox stands in. */
  #agentFor(url: string): Agent {
    const scheme = url.slice(0, url.indexOf(':'));
    const agent = this.#agents.get(scheme) ?? makeAgent(url);
    this.#agents.set(scheme, agent);
    return agent;
  }
}

type Named = Pick<ApiCall, 'name' | 'writes'>;

const TOKEN_CALL: Named = { name: 'get an access token', writes: false };

/** Nothing may be sent after the deadline, nor for work that nobody wants any more. */
function checkWanted(call: Named, ctx: Context): void {
  if (ctx.signal.aborted) throw withdrawn(call, false);
  if (Date.now() >= ctx.deadline)
    throw new SalesforceFailure('timeout', `${call.name}: not sent, the time for this batch was over.`, {
      hint: 'The delivery is tried again by itself.',
    });
}

function withdrawn(call: Named, sent: boolean): SalesforceFailure {
  return new SalesforceFailure(
    'busy',
    `${call.name}: given up, because the work was withdrawn (shutdown, or another worker has it).`,
    { retry_after: 0 },
    { doubt: sent && call.writes },
  );
}

function withoutDoubt({ code, message, next, details, vendor, fields, smaller }: SalesforceFailure): SalesforceFailure {
  return new SalesforceFailure(code, message, { next, ...details }, { fields, smaller, ...(vendor ? { vendor } : {}) });
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

function unanswered(call: Named, thrown: unknown): unknown {
  if (!(thrown instanceof Unanswered)) return thrown;
  if (thrown.why === 'withdrawn') return withdrawn(call, true);
  if (thrown.why === 'deadline')
    return new SalesforceFailure(
      'timeout',
      `${call.name}: no whole answer in time; the connection was closed.`,
      { hint: 'The delivery is tried again by itself; what Salesforce may have done meanwhile is found by its key.' },
      { doubt: call.writes },
    );
  return new SalesforceFailure(
    'network',
    `${call.name}: the connection failed${thrown.socket ? ` (${thrown.socket})` : ''}.`,
    { hint: 'Check that this machine reaches the connection’s login_url and the org.', cause: thrown },
    { doubt: call.writes && !NEVER_SENT.has(thrown.socket) },
  );
}
