import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hubspotSettings } from '../src/settings.ts';
import { Transport } from '../src/transport.ts';

export interface TinyServer {
  url: string;
  /** Requests so far: method and path, and the body. */
  seen: { what: string; body: unknown }[];
  close(): Promise<void>;
}

/** A server that answers as a test says, for what no stand-in does by itself. */
export async function tinyServer(
  answer: (body: unknown, response: ServerResponse, request: IncomingMessage) => void,
): Promise<TinyServer> {
  const seen: TinyServer['seen'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      seen.push({ what: `${request.method} ${request.url}`, body });
      answer(body, response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function openTransport(
  url: string,
  settings: { timeout?: number; api_version?: string } = {},
): Promise<Transport> {
  return Transport.open(hubspotSettings.parse({ access_token: 'pat-na1-test', base_url: url, ...settings }));
}
