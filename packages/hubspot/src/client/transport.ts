import { createHash } from 'node:crypto';
import type { Agent } from 'node:http';
import { type Context, Failure, type FailureCode, type Secret, type Usage } from '@wrapup/destination';
import {
  type Answer,
  answerThrough,
  asObject,
  exchange,
  type HttpAnswer,
  type HttpRequest,
  makeAgent,
  parseBody,
  Session as Shared,
  Transport as SharedTransport,
  Unanswered,
} from '@wrapup/destination/http';
import { asHubSpotFailure, failureOf, HubSpotFailure, readVendorError } from '../errors/classify.ts';
import type { HubSpotApiCall } from './api.ts';
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

/*
 * The bearer token of a connection: a service key as it stands, or the access token of an OAuth app.
 *
 * An app's access token lives 30 minutes. `ctx.secrets` keeps it for all processes and has one of them renew it before its
 * end; a refresh token that HubSpot puts in place of the one just used is kept there too, encrypted where the
 * installation has a key. A refresh token that is changed in wrapup.yaml begins anew.
 * https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
 */

export interface Auth {
  token(ctx: Context): Promise<string>;
  /** HubSpot refused `token`. @returns true when another one may be had */
  refused(ctx: Context, token: string): Promise<boolean>;
}

/** Sends a request to the token endpoint, within the connection's timeout. @throws Unanswered */
type SendForm = (request: HttpRequest, ctx: Context) => Promise<HttpAnswer>;

export function makeAuth(settings: HubSpotSettings, send: SendForm): Auth {
  const { access_token } = settings;
  if (access_token !== undefined) return { token: async () => access_token, refused: async () => false };
  return new AppAuth(settings, send);
}

/** Ms that a refresh token which replaced the configured one is kept; each use keeps it anew. */
const REFRESH_KEPT_MS = 365 * 24 * 3_600_000;

class AppAuth implements Auth {
  readonly #settings: HubSpotSettings;
  readonly #access: string;
  readonly #refresh: string;
  readonly #send: SendForm;

  constructor(settings: HubSpotSettings, send: SendForm) {
    this.#settings = settings;
    this.#send = send;
    const { client_id = '', refresh_token = '' } = settings;
    const mark = createHash('sha256').update(`${client_id}\n${refresh_token}`).digest('hex').slice(0, 12);
    this.#access = `access-${mark}`;
    this.#refresh = `refresh-${mark}`;
  }

  async token(ctx: Context): Promise<string> {
    try {
      return await ctx.secrets.get(this.#access, () => this.#renew(ctx));
    } catch (thrown) {
      throw asHubSpotFailure(thrown);
    }
  }

  async refused(ctx: Context, token: string): Promise<boolean> {
    // Another process may have renewed it meanwhile: the new one must stay.
    if ((await ctx.secrets.read(this.#access)) === token) await ctx.secrets.drop(this.#access);
    return true;
  }

  async #renew(ctx: Context): Promise<Secret> {
    const { client_id = '', client_secret = '', refresh_token = '' } = this.#settings;
    const kept = await ctx.secrets.read(this.#refresh);
    const used = kept ?? refresh_token;
    const form = { grant_type: 'refresh_token', client_id, client_secret, refresh_token: used };
    const { status, body } = await this.#post(ctx, new URLSearchParams(form));
    const { access_token, refresh_token: next, expires_in } = asObject(body);
    if (status !== 200 || typeof access_token !== 'string') throw refusal(status, asObject(body));
    if (typeof next === 'string' && next !== '' && (next !== refresh_token || kept !== undefined)) {
      await ctx.secrets.keep(this.#refresh, { value: next, expires_at: Date.now() + REFRESH_KEPT_MS });
      if (!ctx.secrets.encrypted)
        ctx.log.warn({}, 'HubSpot replaced the refresh token; it is kept unencrypted: set WRAPUP_ENCRYPTION_KEY');
    }
    const lives = typeof expires_in === 'number' && expires_in > 0 ? expires_in : 1800;
    return { value: access_token, expires_at: Date.now() + lives * 1000 };
  }

  async #post(ctx: Context, form: URLSearchParams): Promise<{ status: number; body: unknown }> {
    const { base_url, api_version } = this.#settings;
    const path = api_version === 'v3' ? '/oauth/v1/token' : `/oauth/${api_version}/token`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    try {
      const request = { method: 'POST', url: `${base_url}${path}`, headers, body: form.toString() };
      const { status, text } = await this.#send(request, ctx);
      return { status, body: parseBody(text, undefined) };
    } catch (thrown) {
      if (!(thrown instanceof Unanswered)) throw thrown;
      if (thrown.why === 'withdrawn')
        throw new Failure('busy', 'renew the access token: given up, the work was withdrawn.', { retry_after: 0 });
      const late = thrown.why === 'deadline';
      throw new HubSpotFailure(
        late ? 'timeout' : 'network',
        `renew the access token: ${late ? 'no answer in time' : 'the connection failed'}.`,
        { hint: 'Nothing to do: it is tried again by itself.' },
      );
    }
  }
}

const RECONNECT =
  'Install the app again in HubSpot (its install URL), put the new refresh_token into the connection, then resume the connection.';

/** `{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN","message":…}`: only an operator can repair it. */
function refusal(status: number, body: Record<string, unknown>): HubSpotFailure {
  const code = typeof body.status === 'string' ? body.status : typeof body.error === 'string' ? body.error : undefined;
  const details = { status, ...(code ? { vendor_code: code.slice(0, 60) } : {}) };
  if (status === 429 || status >= 500 || status === 200)
    return new HubSpotFailure('unavailable', `renew the access token: HubSpot answered ${status}.`, details);
  const client = code === 'BAD_CLIENT_SECRET' || code === 'BAD_CLIENT_ID' || body.error === 'invalid_client';
  return new HubSpotFailure(
    'unauthorized',
    `renew the access token: HubSpot refuses the app’s ${client ? 'client id or secret' : 'refresh token'}.`,
    {
      ...details,
      hint: client ? 'Correct client_id and client_secret of the connection (HubSpot: the app, Auth).' : RECONNECT,
    },
  );
}
