import { createHash } from 'node:crypto';
import type { Context, QuotaUsage, Secret } from '@wrapup/destination';
import {
  answerThrough,
  asObject,
  type HttpAnswer,
  type HttpRequest,
  parseBody,
  type Send,
  ApiSession as Shared,
  Transport as SharedTransport,
} from '@wrapup/destination/http';
import { asHubSpotFailure, failureOf, HubSpotFailure, readVendorError } from '../errors/classify.ts';
import type { HubSpotApiCall } from './api.ts';
import { datePath, GeneratedClient, type GeneratedModules, loadGenerated } from './generated.ts';
import type { HubSpotSettings } from './settings.ts';

/** Sends single requests of one connection: the official client builds them, our own exchange sends them. */
export class HubSpotTransport extends SharedTransport<HubSpotApiCall, string> {
  readonly #modules: GeneratedModules;
  readonly #settings: HubSpotSettings;
  readonly #auth: Auth;

  private constructor(modules: GeneratedModules, settings: HubSpotSettings) {
    const blocking = ['throttled', 'daily_limit', 'locked'] as const;
    super({ crm: 'HubSpot', place: 'the connection’s base_url', blocking, timeout: settings.timeout });
    this.#modules = modules;
    this.#settings = settings;
    this.#auth = makeAuth(settings, (request, ctx) => this.sendForToken(request, ctx));
  }

  static async open(settings: HubSpotSettings): Promise<HubSpotTransport> {
    return new HubSpotTransport(await loadGenerated(), settings);
  }

  protected token(ctx: Context): Promise<string> {
    return this.#auth.token(ctx);
  }

  protected refuse(token: string, ctx: Context): Promise<boolean> {
    return this.#auth.refused(ctx, token);
  }

  protected run({ build }: HubSpotApiCall, token: string, send: Send): Promise<HttpAnswer> {
    const { base_url, api_version } = this.#settings;
    const own = { authorization: `Bearer ${token}`, 'user-agent': 'wrapup' };
    const sendOwn: Send = ({ url, headers, ...request }) =>
      send({ ...request, url: datePath(url, api_version), headers: { ...headers, ...own } });
    if (typeof build === 'string')
      return sendOwn({ method: 'GET', url: `${base_url}${build}`, headers: { accept: 'application/json' } });
    return answerThrough(sendOwn, (through) => build(new GeneratedClient(this.#modules, base_url, through)));
  }

  protected usageOf(headers: HttpAnswer['headers']) {
    return readUsage(headers);
  }

  protected failureOf({ name, sent = [] }: HubSpotApiCall, { status, headers }: HttpAnswer, body: unknown) {
    return failureOf(readVendorError(status, body), { doing: name, retry_after: headers['retry-after'], sent });
  }
}

/** The requests of one call of the destination to HubSpot. */
export class HubSpotSession extends Shared<HubSpotApiCall> {}

/**
 * What HubSpot's headers say about the quota. Search answers carry none; the daily ones are absent with OAuth.
 * https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
 */
export function readUsage(headers: Record<string, string>): QuotaUsage | undefined {
  const said = Object.entries(USAGE).flatMap(([name, part]) => {
    const value = headers[`x-hubspot-ratelimit-${name}`] || undefined;
    return value !== undefined && Number.isFinite(Number(value)) ? [[part, Number(value)]] : [];
  });
  return said.length > 0 ? Object.fromEntries(said) : undefined;
}

const USAGE: Record<string, keyof QuotaUsage> = {
  remaining: 'remaining',
  max: 'limit',
  'interval-milliseconds': 'resets_in',
  'daily-remaining': 'daily_remaining',
  daily: 'daily_limit',
};

/*
 * The bearer token of a connection: a service key as it stands, or the access token of an OAuth app.
 *
 * An app's access token lives 30 minutes. `ctx.secrets` keeps it for all processes and has one of them renew it before its
 * end; a refresh token that HubSpot puts in place of the one just used is kept there too, encrypted where the
 * installation has a key. A refresh token that is changed in wrapup.yaml begins anew.
 * https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
 */

interface Auth {
  token(ctx: Context): Promise<string>;
  /** HubSpot refused `token`. @returns true when another one may be had */
  refused(ctx: Context, token: string): Promise<boolean>;
}

/** Sends a request to the token endpoint. @throws HubSpotFailure when no answer came */
type SendForm = (request: HttpRequest, ctx: Context) => Promise<HttpAnswer>;

function makeAuth(settings: HubSpotSettings, send: SendForm): Auth {
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
    const request = { method: 'POST', url: `${base_url}${path}`, headers, body: form.toString() };
    const { status, text } = await this.#send(request, ctx);
    return { status, body: parseBody(text, undefined) };
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
