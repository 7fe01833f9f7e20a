/**
 * Access tokens: had once for all processes through `ctx.secrets`, renewed when Salesforce refuses one.
 *
 *   client_credentials   an external client app with a user of its own
 *   jwt                  an assertion signed with the app's private key
 *   refresh_token        of a user who allowed the app; a rotated one is kept in place of the configured one
 *
 * No answer of the token endpoint says how long a token lives: a 401 does, so a token is used until then and asked for
 * anew every hour at the latest. https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
 */

import { createHash, randomUUID, sign } from 'node:crypto';
import type { Context } from '@wrapup/destination';
import {
  answerThrough,
  asObject,
  asText,
  type HttpAnswer,
  type HttpRequest,
  parseBody,
} from '@wrapup/destination/http';
import {
  asSalesforceFailure,
  failureOf,
  readVendorError,
  type SalesforceFailure,
  unaccounted,
} from '../errors/classify.ts';
import { type Jsforce, makeOAuth } from './jsforce.ts';
import { flowOf, loginUrlOf, type SalesforceSettings } from './settings.ts';

/** One access token and what came with it. */
export interface Token {
  access_token: string;
  /** Where the org's API is. */
  instance_url: string;
  /** Ids of the org and of the user. */
  org: string;
  user: string;
}

const JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** Seconds that an assertion is valid; Salesforce takes five minutes at most. */
const ASSERTION_SECONDS = 180;
/** Ms after which a token is asked for anew although it may live longer. */
const KEPT_MS = 3_600_000;
/** Ms that a rotated refresh token is kept: as long as anything. */
const REFRESH_KEPT_MS = 10 * 365 * 24 * 3_600_000;
/** Tries while another process is being given a token, and the pause between them in ms. */
const MAX_ATTEMPTS = 4;
const PAUSE_MS = 400;

/** Sends a request to the token endpoint. @throws SalesforceFailure when no answer came */
type SendRequest = (request: HttpRequest, ctx: Context) => Promise<HttpAnswer>;

export class SalesforceTokens {
  readonly #jsforce: Jsforce;
  readonly #settings: SalesforceSettings;
  readonly #send: SendRequest;
  /** Other credentials are other tokens. */
  readonly #name: string;

  constructor(jsforce: Jsforce, settings: SalesforceSettings, send: SendRequest) {
    this.#jsforce = jsforce;
    this.#settings = settings;
    this.#send = send;
    const { login_url, base_url, client_id, client_secret, jwt, refresh_token } = settings;
    this.#name = digest(JSON.stringify([login_url, base_url, client_id, client_secret, jwt, refresh_token]));
  }

  /** The token in force. @throws SalesforceFailure */
  async get(ctx: Context): Promise<Token> {
    const kept = await ctx.secrets.get(`access-token:${this.#name}`, async () => ({
      value: JSON.stringify(await this.#ask(ctx)),
      expires_at: Date.now() + KEPT_MS,
    }));
    return JSON.parse(kept) as Token;
  }

  /** Forgets the token that was refused; not the one that another process may have obtained meanwhile. */
  async drop(refused: Token, ctx: Context): Promise<void> {
    const name = `access-token:${this.#name}`;
    const kept = await ctx.secrets.read(name);
    if (kept !== undefined && (JSON.parse(kept) as Token).access_token === refused.access_token)
      await ctx.secrets.drop(name);
  }

  async #ask(ctx: Context): Promise<Token> {
    for (let left = MAX_ATTEMPTS; ; left -= 1) {
      try {
        return await this.#askOnce(ctx);
      } catch (thrown) {
        const failure = asSalesforceFailure(thrown);
        // Two processes at one refresh token: Salesforce serves one of them at a time.
        if (failure.code !== 'busy' || !failure.vendor || left <= 1) throw failure;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
      }
    }
  }

  async #askOnce(ctx: Context): Promise<Token> {
    const { client_id, client_secret } = this.#settings;
    const config = {
      loginUrl: loginUrlOf(this.#settings),
      clientId: client_id,
      ...(client_secret === undefined ? {} : { clientSecret: client_secret }),
    };
    const refresh = await this.#refreshToken(ctx);
    const answer = await answerThrough(
      (request) => this.#send(request, ctx),
      (through) => {
        const oauth = makeOAuth(this.#jsforce, config, through);
        return refresh === undefined ? oauth.requestToken(this.#grant()) : oauth.refreshToken(refresh);
      },
    );
    return await this.#read(answer, refresh, ctx);
  }

  #grant(): { grant_type: string; [name: string]: string } {
    return flowOf(this.#settings) === 'jwt'
      ? { grant_type: JWT_GRANT, assertion: this.#assertion() }
      : { grant_type: 'client_credentials' };
  }

  #assertion(): string {
    const { client_id, jwt, login_url } = this.#settings;
    const claims = {
      iss: client_id,
      sub: jwt?.username,
      aud: jwt?.audience ?? login_url,
      exp: Math.floor(Date.now() / 1000) + ASSERTION_SECONDS,
      jti: randomUUID(),
    };
    const head = encode({ alg: 'RS256', typ: 'JWT' });
    const text = `${head}.${encode(claims)}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), jwt?.private_key ?? '').toString('base64url')}`;
  }

  /** The one that the last exchange gave, else the configured one. */
  async #refreshToken(ctx: Context): Promise<string | undefined> {
    if (flowOf(this.#settings) !== 'refresh_token') return undefined;
    return (await ctx.secrets.read(`refresh-token:${this.#name}`)) ?? this.#settings.refresh_token;
  }

  async #read(answer: HttpAnswer, refresh: string | undefined, ctx: Context): Promise<Token> {
    const { status, headers, text } = answer;
    const body = parseBody(text, headers['content-type']);
    if (status < 200 || status >= 300) throw this.#failed(status, body ?? text, headers['x-sfdc-request-id']);
    const { access_token, instance_url, id, refresh_token } = asObject(body);
    const [org, user] = asText(id).split('/').slice(-2);
    if (!asText(access_token) || !asText(instance_url)) throw unaccounted(DOING);
    if (refresh !== undefined && asText(refresh_token) && refresh_token !== refresh)
      await ctx.secrets.keep(`refresh-token:${this.#name}`, {
        value: asText(refresh_token),
        expires_at: Date.now() + REFRESH_KEPT_MS,
      });
    return {
      access_token: asText(access_token),
      instance_url: this.#settings.base_url ?? asText(instance_url).replace(/\/+$/, ''),
      org: org ?? '',
      user: user ?? '',
    };
  }

  #failed(status: number, body: unknown, request_id: string | undefined): SalesforceFailure {
    const { client_id, client_secret, refresh_token, jwt } = this.#settings;
    const sent = [client_id, client_secret, refresh_token, jwt?.username];
    return failureOf(readVendorError(status, body), { doing: DOING, request_id, sent });
  }
}

const DOING = 'get an access token';

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
