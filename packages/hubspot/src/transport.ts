import type { Agent } from 'node:http';
import type { Client } from '@hubspot/api-client';
import type { Context, FailureCode } from '@wrapup/destination';
import { type HttpAnswer, makeAgent, Transport as SharedTransport, Unanswered } from '@wrapup/destination/delivery';
import type { ApiCall } from './api.ts';
import { type Auth, makeAuth } from './auth.ts';
import { failureOf } from './errors.ts';
import { type Exchange, exchanges, middleware, stop } from './exchange.ts';
import { readUsage } from './limits.ts';
import type { HubSpotSettings } from './settings.ts';
import { readVendorError } from './vendor-error.ts';

/** Sends single requests of one connection through the official client. */
export class Transport extends SharedTransport<ApiCall, string> {
  protected readonly crm = 'HubSpot';
  protected readonly place = 'the connection’s base_url';
  protected readonly blocking: ReadonlySet<FailureCode> = new Set(['throttled', 'daily_limit', 'locked']);
  readonly #client: Client;
  readonly #agent: Agent;
  readonly #timeout: number;
  readonly #auth: Auth;

  private constructor(client: Client, agent: Agent, timeout: number, auth: Auth) {
    super();
    this.#auth = auth;
    this.#client = client;
    this.#agent = agent;
    this.#timeout = timeout;
  }

  /** Loads the official client. Its own retry and limiter stay unset: both are shared by all clients of a process. */
  static async open(settings: HubSpotSettings): Promise<Transport> {
    const { Client } = await import('@hubspot/api-client');
    // With an agent the client sends over node:http, where a request can be closed; its fetch cannot.
    const agent = makeAgent(settings.base_url);
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

  protected token(ctx: Context): Promise<string> {
    return this.#auth.token(ctx);
  }

  protected refuse(token: string, ctx: Context): Promise<boolean> {
    return this.#auth.refused(ctx, token);
  }

  protected async exchange(call: ApiCall, token: string, ctx: Context): Promise<HttpAnswer> {
    const exchange: Exchange = {
      accepts: call.accepts,
      token,
      ...(call.path === undefined ? {} : { path: call.path }),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
    const timer = setTimeout(() => stop(exchange, 'deadline'), Math.min(this.#timeout, ctx.deadline - Date.now()));
    const withdraw = () => stop(exchange, 'withdrawn');
    ctx.signal.addEventListener('abort', withdraw, { once: true });
    try {
      await exchanges.run(exchange, () => call.run(this.#client));
    } catch (thrown) {
      // A complete answer counts even when the client could make nothing of it.
      if (!exchange.answer) throw unanswered(exchange, thrown);
    } finally {
      clearTimeout(timer);
      ctx.signal.removeEventListener('abort', withdraw);
    }
    if (!exchange.answer) throw unanswered(exchange, new Error('no answer'));
    return exchange.answer;
  }

  protected usageOf(headers: HttpAnswer['headers']) {
    return readUsage(headers);
  }

  protected failureOf({ name, sent = [] }: ApiCall, { status, headers }: HttpAnswer, body: unknown) {
    return failureOf(readVendorError(status, body), { doing: name, retry_after: headers['retry-after'], sent });
  }
}

function unanswered({ stopped }: Exchange, thrown: unknown): Unanswered {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const socket = code ?? cause?.code;
  return new Unanswered(stopped ?? 'broken', typeof socket === 'string' ? socket : '', thrown);
}
