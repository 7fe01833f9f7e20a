import http from 'node:http';
import https from 'node:https';
import type { Client } from '@hubspot/api-client';
import type { Context } from '@wrapup/destination';
import type { ApiCall } from './api.ts';
import { type Auth, makeAuth } from './auth.ts';
import { failureOf, HubSpotFailure } from './errors.ts';
import { type Exchange, exchanges, middleware, stop } from './exchange.ts';
import { readUsage } from './limits.ts';
import type { HubSpotSettings } from './settings.ts';
import { readVendorError } from './vendor-error.ts';

/** A 2xx answer. What it says of each input is for the caller to account for. */
export interface Answer {
  status: number;
  body: unknown;
}

/** Pause of all senders when HubSpot throttles without saying for how long is in the error table. */
const BLOCKING = new Set(['throttled', 'daily_limit', 'locked']);

/** Sends single requests of one connection through the official client, each with a deadline, and classifies what comes. */
export class Transport {
  readonly #client: Client;
  readonly #agent: http.Agent;
  readonly #timeout: number;

  readonly #auth: Auth;

  private constructor(client: Client, agent: http.Agent, timeout: number, auth: Auth) {
    this.#auth = auth;
    this.#client = client;
    this.#agent = agent;
    this.#timeout = timeout;
  }

  /** Loads the official client. Its own retry and limiter stay unset: both are shared by all clients of a process. */
  static async open(settings: HubSpotSettings): Promise<Transport> {
    const { Client } = await import('@hubspot/api-client');
    // With an agent the client sends over node:http, where a request can be closed; its fetch cannot.
    const agent = settings.base_url.startsWith('https:')
      ? new https.Agent({ keepAlive: true })
      : new http.Agent({ keepAlive: true });
    const client = new Client({
      accessToken: settings.access_token ?? 'given with each request',
      basePath: settings.base_url,
      httpAgent: agent,
      middleware: [middleware(settings.base_url, settings.api_version)],
    });
    return new Transport(client, agent, settings.timeout, makeAuth(settings));
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * Sends one request, when the budget has one. Rejects with a `HubSpotFailure` for everything but a 2xx with a body
   * that can be read; its `doubt` says whether HubSpot may have done it all the same.
   */
  async send(call: ApiCall, ctx: Context): Promise<Answer> {
    checkWanted(call, ctx);
    const token = await this.#auth.token(ctx);
    try {
      return await this.#sendWith(token, call, ctx);
    } catch (thrown) {
      // A refused token means that nothing was done: the renewed one may be tried at once, and only once.
      const refused = thrown instanceof HubSpotFailure && thrown.code === 'unauthorized';
      if (!refused || !(await this.#auth.refused(ctx, token))) throw thrown;
      return await this.#sendWith(await this.#auth.token(ctx), call, ctx);
    }
  }

  async #sendWith(token: string, call: ApiCall, ctx: Context): Promise<Answer> {
    checkWanted(call, ctx);
    try {
      await ctx.budget.take(call.pool);
    } catch (thrown) {
      throw ctx.signal.aborted ? withdrawn(call, false) : thrown;
    }
    checkWanted(call, ctx);
    const began = performance.now();
    const { status, headers, text } = await this.#exchange(call, token, ctx);
    ctx.log.debug({ request: call.name, status, ms: Math.round(performance.now() - began) }, 'asked HubSpot');
    const usage = readUsage(headers);
    if (usage) await ctx.budget.report(usage, call.pool);
    const body = parse(text, headers['content-type']);
    if (status >= 200 && status < 300) {
      if (status === 204 || body !== undefined) return { status, body };
      throw new HubSpotFailure(
        'unaccounted',
        `${call.name}: HubSpot answered ${status} with a body that cannot be read.`,
        { status },
        { doubt: call.writes },
      );
    }
    const error = readVendorError(status, body ?? text);
    const failure = failureOf(error, { doing: call.name, retry_after: headers['retry-after'], sent: call.sent ?? [] });
    if (BLOCKING.has(failure.code) && failure.details.retry_after !== undefined)
      await ctx.budget.report({ blocked_for: failure.details.retry_after }, call.pool);
    throw failure;
  }

  /** The answer as it came, or a failure when none came. */
  async #exchange(call: ApiCall, token: string, ctx: Context): Promise<NonNullable<Exchange['answer']>> {
    const exchange: Exchange = {
      accepts: call.accepts,
      token,
      ...(call.path === undefined ? {} : { path: call.path }),
    };
    const timer = setTimeout(() => stop(exchange, 'deadline'), Math.min(this.#timeout, ctx.deadline - Date.now()));
    const withdraw = () => stop(exchange, 'withdrawn');
    ctx.signal.addEventListener('abort', withdraw, { once: true });
    try {
      await exchanges.run(exchange, () => call.run(this.#client));
    } catch (thrown) {
      // A complete answer counts even when the client could make nothing of it.
      if (!exchange.answer) throw unanswered(call, exchange, thrown);
    } finally {
      clearTimeout(timer);
      ctx.signal.removeEventListener('abort', withdraw);
    }
    if (!exchange.answer) throw unanswered(call, exchange, new Error('no answer'));
    return exchange.answer;
  }
}

/** Nothing may be sent after the deadline, nor for work that nobody wants any more. */
function checkWanted(call: ApiCall, ctx: Context): void {
  if (ctx.signal.aborted) throw withdrawn(call, false);
  if (Date.now() >= ctx.deadline)
    throw new HubSpotFailure('timeout', `${call.name}: not sent, the time for this batch was over.`, {
      hint: 'The delivery is tried again by itself.',
    });
}

function withdrawn(call: ApiCall, sent: boolean): HubSpotFailure {
  return new HubSpotFailure(
    'busy',
    `${call.name}: given up, because the work was withdrawn (shutdown, or another worker has it).`,
    { retry_after: 0 },
    { doubt: sent && call.writes },
  );
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

function unanswered(call: ApiCall, exchange: Exchange, thrown: unknown): HubSpotFailure {
  if (exchange.stopped === 'withdrawn') return withdrawn(call, true);
  if (exchange.stopped === 'deadline')
    return new HubSpotFailure(
      'timeout',
      `${call.name}: no answer in time; the connection was closed.`,
      { hint: 'The delivery is tried again by itself; what HubSpot may have done meanwhile is found by its key.' },
      { doubt: call.writes },
    );
  const code = socketCode(thrown);
  return new HubSpotFailure(
    'network',
    `${call.name}: the connection failed${code ? ` (${code})` : ''}.`,
    { hint: 'Check that this machine reaches the connection’s base_url.', cause: thrown },
    { doubt: call.writes && !NEVER_SENT.has(code) },
  );
}

function socketCode(thrown: unknown): string {
  const error = thrown as { code?: unknown; cause?: { code?: unknown } } | undefined;
  const code = error?.code ?? error?.cause?.code;
  return typeof code === 'string' ? code : '';
}

/** JSON, whatever the content type says; undefined when it is none. */
function parse(text: string, contentType: string | undefined): unknown {
  if (contentType?.includes('html')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
