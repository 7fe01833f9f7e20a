/** A server that says what a test tells it to, on a real socket. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Ask, SynthflowApi, type SynthflowApiOptions } from '../../src/index.ts';

export interface Asked {
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
}

export type Say = { status?: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'reset';

/** @param say the answer to the nth request, from 1 */
export async function listen(say: (asked: Asked, n: number) => Say) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://local');
    const one = { path: url.pathname, query: Object.fromEntries(url.searchParams), headers: request.headers };
    asked.push(one);
    const answer = say(one, asked.length);
    if (answer === 'hang') return;
    if (answer === 'reset') return void request.socket.destroy();
    const { status = 200, body = {}, headers = {} } = answer;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export function clientFor(base_url: string, options: Partial<SynthflowApiOptions> = {}): SynthflowApi {
  const api = new SynthflowApi({ region: 'us', base_url, api_key: 'key-1', timeout: 500, base: 1, ...options });
  onTestFinished(() => api.close());
  return api;
}

export const ask: Ask = { signal: new AbortController().signal };

export async function all<T>(items: AsyncGenerator<T, boolean>): Promise<{ items: T[]; complete: boolean }> {
  const found: T[] = [];
  for (;;) {
    const next = await items.next();
    if (next.done) return { items: found, complete: next.value };
    found.push(next.value);
  }
}
