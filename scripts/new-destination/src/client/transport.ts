import { type ApiRequest, ApiSession, type HttpAnswer, type Send, Transport } from '@wrapup/destination/http';
import { failureOf, readVendorError } from '../errors/classify.ts';
import type { AcmeSettings } from './settings.ts';

/** One request to Acme. */
export interface AcmeCall extends ApiRequest {
  path: string;
  /** Sent as JSON by POST; absent: a GET. */
  body?: unknown;
  /** Values in the request, kept out of messages when Acme quotes them. */
  sent?: unknown[];
}

/** Sends single requests of one connection. Where Acme has an official client, `run` has that client build them. */
export class AcmeTransport extends Transport<AcmeCall, string> {
  readonly #settings: AcmeSettings;

  constructor(settings: AcmeSettings) {
    const place = 'the connection’s base_url';
    super({ crm: 'Acme', place, blocking: ['throttled'], timeout: settings.timeout });
    this.#settings = settings;
  }

  protected async token(): Promise<string> {
    return this.#settings.token;
  }

  /** The token is the only one there is. */
  protected async refuse(): Promise<boolean> {
    return false;
  }

  protected run({ path, body }: AcmeCall, token: string, send: Send): Promise<HttpAnswer> {
    return send({
      method: body === undefined ? 'GET' : 'POST',
      url: `${this.#settings.base_url}${path}`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** Acme's answers say nothing of its quota. A CRM whose headers do feeds the budget from here. */
  protected usageOf() {
    return undefined;
  }

  protected failureOf({ name, sent = [] }: AcmeCall, { status, headers }: HttpAnswer, body: unknown) {
    return failureOf(readVendorError(status, body), { doing: name, sent, retry_after: headers['retry-after'] });
  }
}

/** The requests of one call of the destination. */
export class AcmeSession extends ApiSession<AcmeCall> {}
