import type { Context, QuotaUsage } from '@wrapup/destination';
import {
  answerThrough,
  type HttpAnswer,
  type Send,
  ApiSession as SharedSession,
  Transport as SharedTransport,
} from '@wrapup/destination/http';
import { failureOf, readVendorError } from '../errors/classify.ts';
import type { SalesforceApiCall } from './api.ts';
import { type Jsforce, loadJsforce, makeConnection } from './jsforce.ts';
import type { SalesforceSettings } from './settings.ts';
import { SalesforceTokens, type Token } from './tokens.ts';

type Parsed = Map<string, { text: string; value: unknown }>;

/** Sends single requests of one connection: jsforce builds them, our own exchange sends them. */
export class SalesforceTransport extends SharedTransport<SalesforceApiCall, Token> {
  /** What each remembered text was parsed to, by its name. Every write asks for the same definitions, of some 100 kB. */
  readonly parsed: Parsed = new Map();
  readonly #jsforce: Jsforce;
  readonly #settings: SalesforceSettings;
  readonly #tokens: SalesforceTokens;

  private constructor(jsforce: Jsforce, settings: SalesforceSettings) {
    const place = 'the connection’s login_url and the org';
    super({ crm: 'Salesforce', place, blocking: ['throttled', 'daily_limit'], timeout: settings.timeout });
    this.#jsforce = jsforce;
    this.#settings = settings;
    this.#tokens = new SalesforceTokens(jsforce, settings, (request, ctx) => this.sendForToken(request, ctx));
  }

  static async open(settings: SalesforceSettings): Promise<SalesforceTransport> {
    return new SalesforceTransport(await loadJsforce(), settings);
  }

  get api_version(): string {
    return this.#settings.api_version;
  }

  /** Whose token it is. @throws SalesforceFailure */
  async whose(ctx: Context): Promise<Token> {
    return this.#tokens.get(ctx);
  }

  protected token(ctx: Context): Promise<Token> {
    return this.#tokens.get(ctx);
  }

  protected async refuse(token: Token, ctx: Context): Promise<boolean> {
    await this.#tokens.drop(token, ctx);
    return true;
  }

  protected run(call: SalesforceApiCall, token: Token, send: Send): Promise<HttpAnswer> {
    const of = { instanceUrl: token.instance_url, accessToken: token.access_token, version: this.api_version };
    return answerThrough(send, (through) => call.run(makeConnection(this.#jsforce, of, through)));
  }

  protected usageOf(headers: HttpAnswer['headers']) {
    return readUsage(headers);
  }

  protected failureOf({ name, sent = [] }: SalesforceApiCall, { status, headers }: HttpAnswer, body: unknown) {
    const request_id = headers['x-sfdc-request-id'];
    return failureOf(readVendorError(status, body), { doing: name, request_id, sent });
  }
}

/* The requests of one call of the destination, and whose org they go to. */

export class SalesforceSession extends SharedSession<SalesforceApiCall> {
  readonly api_version: string;
  readonly parsed: Parsed;

  constructor(transport: SalesforceTransport, ctx: Context) {
    super(transport, ctx);
    this.api_version = transport.api_version;
    this.parsed = transport.parsed;
  }
}

/** Where people open the org's records. Undefined while no token can be had, and where a sandbox or proxy stands in. */
export async function orgUrl(
  transport: SalesforceTransport,
  { base_url }: Pick<SalesforceSettings, 'base_url'>,
  ctx: Context,
): Promise<string | undefined> {
  if (base_url !== undefined) return undefined;
  try {
    return (await transport.whose(ctx)).instance_url;
  } catch {
    // Links are left out; the first request says what is wrong.
    return undefined;
  }
}

/*
 * What the org has left of its API requests of 24 hours: the whole org's, of all its integrations. Salesforce has no
 * Retry-After and no short window; every answer says how many are used, and the budget leaves the org its reserve.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/headers-api-usage.html
 */

/** Reads `Sforce-Limit-Info: api-usage=45/15000`. */
export function readUsage(headers: Record<string, string>): QuotaUsage | undefined {
  const found = /(?:^|[^-\w])api-usage=(\d+)\/(\d+)/.exec(headers['sforce-limit-info'] ?? '');
  if (!found) return undefined;
  const [used, limit] = [Number(found[1]), Number(found[2])];
  return { daily_remaining: Math.max(0, limit - used), daily_limit: limit };
}
