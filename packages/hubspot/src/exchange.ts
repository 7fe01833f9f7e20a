/**
 * One request and its answer, below the official client.
 *
 * The client has no timeout, cannot be aborted, loses the status of answers it cannot parse, and refuses successes whose
 * status its specification does not list. So its middleware and Node's own request event, tied together by an async
 * context, take the answer as it came: status, headers and text. The client builds and sends the request.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import diagnostics from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

export interface Exchange {
  /** Path to ask instead of the typed method's own, for endpoints that the client has no method for. */
  path?: string;
  /** Body to send instead of the typed method's own. */
  body?: string;
  /** Status that the typed method takes for success. */
  accepts: number;
  /** Bearer token of this request. */
  token: string;
  request?: ClientRequest;
  answer?: { status: number; headers: Record<string, string>; text: string };
  /** Why it was given up. */
  stopped?: 'deadline' | 'withdrawn';
}

export const exchanges = new AsyncLocalStorage<Exchange>();

// The event is published in the constructor of the request, hence in the async context of the call that makes it.
// https://nodejs.org/docs/latest-v24.x/api/diagnostics_channel.html#http
diagnostics.subscribe('http.client.request.created', (message) => {
  const exchange = exchanges.getStore();
  if (exchange) exchange.request = (message as { request: ClientRequest }).request;
});

/** Ends the exchange now: the socket is closed, whatever the other side does. */
export function stop(exchange: Exchange, why: 'deadline' | 'withdrawn'): void {
  exchange.stopped ??= why;
  exchange.request?.destroy(new Error(why));
}

/** What the client's middleware is given; the client's types call it unknown. */
interface RequestContext {
  getUrl(): string;
  setUrl(url: string): void;
  setHeaderParam(name: string, value: string): void;
  setBody(body: string): void;
}
interface ResponseContext {
  httpStatusCode: number;
  headers: Record<string, string>;
  body: { text(): Promise<string>; binary(): Promise<Buffer> };
}

/** The client's own paths and the dated ones that replace them. */
const PATHS: [from: string, to: (version: string) => string][] = [
  ['/crm/v3/objects/', (version) => `/crm/objects/${version}/`],
  ['/crm/v4/objects/', (version) => `/crm/objects/${version}/`],
  ['/crm/v4/associations/', (version) => `/crm/associations/${version}/`],
  ['/crm/v3/properties/', (version) => `/crm/properties/${version}/`],
  // The client's own path ends in a slash, the dated one does not.
  ['/crm/v3/owners/?', (version) => `/crm/owners/${version}?`],
  ['/crm/v3/owners', (version) => `/crm/owners/${version}`],
];

/** Rewrites the client's v3 and v4 paths to `version`; `v3` leaves them. */
export function datePath(url: string, version: string): string {
  if (version === 'v3') return url;
  for (const [from, to] of PATHS) if (url.includes(from)) return url.replace(from, to(version));
  return url;
}

/** The client's middleware: sends to the dated paths, keeps the answer, and lets the client see a plain success. */
export function middleware(baseUrl: string, version: string) {
  return {
    pre(context: unknown): unknown {
      const request = context as RequestContext;
      const exchange = exchanges.getStore();
      const path = exchange?.path;
      // The client knows one token for its lifetime, an app's changes.
      if (exchange) request.setHeaderParam('Authorization', `Bearer ${exchange.token}`);
      if (exchange?.body !== undefined) request.setBody(exchange.body);
      request.setUrl(path === undefined ? datePath(request.getUrl(), version) : `${baseUrl}${path}`);
      return context;
    },
    async post(context: unknown): Promise<unknown> {
      const response = context as ResponseContext;
      const exchange = exchanges.getStore();
      if (!exchange) return context;
      const text = await response.body.text();
      exchange.answer = { status: response.httpStatusCode, headers: response.headers, text };
      response.httpStatusCode = exchange.accepts;
      response.headers = { ...response.headers, 'content-type': 'application/json' };
      response.body = { text: async () => 'null', binary: async () => Buffer.from('null') };
      return context;
    },
  };
}
