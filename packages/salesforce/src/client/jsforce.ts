/**
 * jsforce over our own transport: it builds the requests, we send them.
 *
 * `_transport` is no public field of its classes. It is set here and nowhere else, the version of jsforce is pinned, and
 * transport.test.ts holds what depends on it. https://github.com/jsforce/jsforce
 */

import { PassThrough } from 'node:stream';
import type { HttpRequest, Send } from '@wrapup/destination/http';
import type { Connection, OAuth2 } from 'jsforce';

/** The parts of the client that are loaded: connection, tokens, and the promise that its transports return. */
export interface Jsforce {
  Connection: typeof Connection;
  OAuth2: typeof OAuth2;
  StreamPromise: { create<T>(build: () => { stream: unknown; promise: Promise<T> }): Promise<T> };
}

/** Loads the light entry of the client. Only called where a connection of this kind exists: it takes a third of a second. */
export async function loadJsforce(): Promise<Jsforce> {
  const [core, promise] = await Promise.all([
    import('jsforce/lib/core.js') as unknown as Promise<Pick<Jsforce, 'Connection' | 'OAuth2'>>,
    import('jsforce/lib/util/promise.js') as unknown as Promise<Pick<Jsforce, 'StreamPromise'>>,
  ]);
  return { Connection: core.Connection, OAuth2: core.OAuth2, StreamPromise: promise.StreamPromise };
}

/** Adds `connection.metadata`, which the light entry leaves out. */
export async function loadMetadataApi(): Promise<void> {
  await import('jsforce/lib/api/metadata.js');
}

interface Sending {
  _transport: unknown;
}

/** A connection for one request. It costs a fraction of a millisecond and keeps no state between requests. */
export function makeConnection(
  { Connection, ...jsforce }: Jsforce,
  { instanceUrl, accessToken, version }: { instanceUrl: string; accessToken: string; version: string },
  send: Send,
): Connection {
  const connection = new Connection({ instanceUrl, accessToken, version });
  (connection as unknown as Sending)._transport = transportOf(jsforce, send);
  return connection;
}

export function makeOAuth(
  { OAuth2, ...jsforce }: Jsforce,
  config: { loginUrl: string; clientId: string; clientSecret?: string },
  send: Send,
): OAuth2 {
  const oauth = new OAuth2(config);
  (oauth as unknown as Sending)._transport = transportOf(jsforce, send);
  return oauth;
}

function transportOf({ StreamPromise }: Omit<Jsforce, 'Connection' | 'OAuth2'>, send: Send) {
  return {
    httpRequest: ({ method, url, headers, body }: HttpRequest) =>
      StreamPromise.create(() => ({
        // No answer is read as a stream here, but jsforce wires them up.
        stream: new PassThrough().end(),
        promise: send({ method, url, headers: headers ?? {}, body }).then((answer) => ({
          statusCode: answer.status,
          headers: answer.headers,
          body: answer.text,
        })),
      })),
  };
}
