import type { Agent } from 'node:http';
import type { Context, FailureCode, Usage } from '@wrapup/destination';
import {
  type Answer,
  answerThrough,
  exchange,
  type HttpAnswer,
  type HttpRequest,
  makeAgent,
  Session as Shared,
  Transport as SharedTransport,
} from '@wrapup/destination/http';
import { failureOf, readVendorError } from '../errors/classify.ts';
import type { HubSpotApiCall } from './api.ts';
import { type Auth, makeAuth } from './auth.ts';
import { datePath, GeneratedClient, type GeneratedModules, loadGenerated } from './generated.ts';
import type { HubSpotSettings } from './settings.ts';

/** Sends single requests of one connection: the official client builds them, our own exchange sends them. */
export class HubSpotTransport extends SharedTransport<HubSpotApiCall, string> {
  protected readonly crm = 'HubSpot';
  protected readonly place = 'the connection’s base_url';
  protected readonly blocking: ReadonlySet<FailureCode> = new Set(['throttled', 'daily_limit', 'locked']);
  readonly #modules: GeneratedModules;
  readonly #settings: HubSpotSettings;
  readonly #agent: Agent;
  readonly #auth: Auth;

  private constructor(modules: GeneratedModules, settings: HubSpotSettings) {
    super();
    this.#modules = modules;
    this.#settings = settings;
    this.#agent = makeAgent(settings.base_url);
    this.#auth = makeAuth(settings, (request, ctx) => this.#exchange(request, ctx));
  }

  static async open(settings: HubSpotSettings): Promise<HubSpotTransport> {
    return new HubSpotTransport(await loadGenerated(), settings);
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

  protected exchange({ build }: HubSpotApiCall, token: string, ctx: Context): Promise<HttpAnswer> {
    const { base_url, api_version } = this.#settings;
    const own = { authorization: `Bearer ${token}`, 'user-agent': 'wrapup' };
    const send = ({ url, headers, ...request }: HttpRequest) =>
      this.#exchange({ ...request, url: datePath(url, api_version), headers: { ...headers, ...own } }, ctx);
    if (typeof build === 'string')
      return send({ method: 'GET', url: `${base_url}${build}`, headers: { accept: 'application/json' } });
    return answerThrough(send, (through) => build(new GeneratedClient(this.#modules, base_url, through)));
  }

  protected usageOf(headers: HttpAnswer['headers']) {
    return readUsage(headers);
  }

  protected failureOf({ name, sent = [] }: HubSpotApiCall, { status, headers }: HttpAnswer, body: unknown) {
    return failureOf(readVendorError(status, body), { doing: name, retry_after: headers['retry-after'], sent });
  }

  #exchange(request: HttpRequest, ctx: Context): Promise<HttpAnswer> {
    const within = Math.min(this.#settings.timeout, ctx.deadline - Date.now());
    return exchange(request, { agent: this.#agent, within, signal: ctx.signal });
  }
}

/** The requests of one call of the destination to HubSpot. */
export class HubSpotSession extends Shared<HubSpotApiCall, Answer> {}

/**
 * What HubSpot's headers say about the quota. Search answers carry none; the daily ones are absent with OAuth.
 * https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
 */
export function readUsage(headers: Record<string, string>): Usage | undefined {
  const number = (name: string) => {
    const value = headers[`x-hubspot-ratelimit-${name}`];
    const parsed = value === undefined || value === '' ? Number.NaN : Number(value);
    return Number.isFinite(parsed) ? parsed : undefined;
  };
  const usage: Usage = {};
  const remaining = number('remaining');
  const limit = number('max');
  const interval = number('interval-milliseconds');
  const daily = number('daily-remaining');
  const dailyLimit = number('daily');
  if (remaining !== undefined) usage.remaining = remaining;
  if (limit !== undefined) usage.limit = limit;
  if (interval !== undefined) usage.resets_in = interval;
  if (daily !== undefined) usage.daily_remaining = daily;
  if (dailyLimit !== undefined) usage.daily_limit = dailyLimit;
  return Object.keys(usage).length > 0 ? usage : undefined;
}
