import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { salesforceSettings } from '../src/settings.ts';
import { Transport } from '../src/transport.ts';

export interface TinyServer {
  url: string;
  /** Requests to the API so far, without those for tokens: method, path and body. */
  seen: { what: string; headers: IncomingMessage['headers']; body: string }[];
  /** Forms that were posted to the token endpoint. */
  tokens: Record<string, string>[];
  /** Connections that were ever opened. */
  sockets: Socket[];
  close(): Promise<void>;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers as a test says, for what no stand-in does by itself. Tokens are given unless a test says otherwise. */
export async function tinyServer(answer: Answer, token: Answer = giveToken): Promise<TinyServer> {
  const server: TinyServer = { url: '', seen: [], tokens: [], sockets: [], close: async () => {} };
  const http = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      if (url?.endsWith('/services/oauth2/token')) {
        server.tokens.push(Object.fromEntries(new URLSearchParams(body)));
        token(response, request);
        return;
      }
      server.seen.push({ what: `${method} ${url}`, headers, body });
      answer(response, request);
    });
  });
  http.on('connection', (socket) => server.sockets.push(socket));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  server.close = () =>
    new Promise((resolve) => {
      http.closeAllConnections();
      http.close(() => resolve());
    });
  return server;
}

let given = 0;

/** Another token each time. */
export function giveToken(response: ServerResponse, { headers }: IncomingMessage, more: object = {}): void {
  given += 1;
  const instance = `http://${headers.host}`;
  json(response, 200, {
    access_token: `00Dtoken!${given}`,
    instance_url: instance,
    id: `${instance}/id/00D000000000001EAA/005000000000001AAA`,
    token_type: 'Bearer',
    ...more,
  });
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=UTF-8', ...headers });
  response.end(JSON.stringify(body));
}

export const SESSION_INVALID = [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }];

export function openTransport(url: string, settings: Record<string, unknown> = {}): Promise<Transport> {
  return Transport.open(
    salesforceSettings.parse({ base_url: url, client_id: 'key', client_secret: 'secret', timeout: 2_000, ...settings }),
  );
}
