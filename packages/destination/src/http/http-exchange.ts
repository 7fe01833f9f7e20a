/**
 * One HTTP request and its whole answer, with an end: sent once, whatever the other side does the socket is closed at the
 * deadline, and redirects are not followed. For clients that let another part send what they have built.
 */
import http from 'node:http';
import https from 'node:https';
import { parseJson } from '@wrapup/call';

export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string | Buffer | undefined;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  text: string;
}

/** Sends what a client has built. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

/** There is no whole answer. */
export class Unanswered extends Error {
  override name = 'Unanswered';
  readonly why: 'deadline' | 'withdrawn' | 'broken';
  /** Error of the socket: `ECONNRESET`. */
  readonly socket: string;

  constructor(why: Unanswered['why'], socket = '', cause?: unknown) {
    super(why, { cause });
    this.why = why;
    this.socket = socket;
  }
}

/** Sockets that are kept open for the next request: one pool per connection. */
export function makeAgent(url: string): http.Agent {
  return url.startsWith('https:') ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
}

/**
 * @param within milliseconds until the last byte of the answer must be there
 * @throws Unanswered
 */
export function exchange(
  { method, url, headers, body }: HttpRequest,
  { agent, within, signal }: { agent: http.Agent; within: number; signal: AbortSignal },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith('https:') ? https : http;
    const request = client.request(url, { method, headers: withLength(headers, body), agent });
    let ended = false;
    const end = (finish: () => void) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', withdraw);
      finish();
    };
    const fail = (why: Unanswered['why'], error?: unknown) =>
      end(() => {
        request.destroy();
        const { code } = (error ?? {}) as { code?: unknown };
        reject(new Unanswered(why, typeof code === 'string' ? code : '', error));
      });
    const withdraw = () => fail('withdrawn');
    const timer = setTimeout(() => fail('deadline'), Math.max(0, within));
    signal.addEventListener('abort', withdraw, { once: true });
    if (signal.aborted) withdraw();

    // Stays: a socket that breaks after the answer came must not end the process.
    request.on('error', (error) => fail('broken', error));
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', (error) => fail('broken', error));
      response.on('aborted', () => fail('broken', Object.assign(new Error('cut'), { code: 'ECONNRESET' })));
      response.on('end', () => {
        if (!response.complete) return fail('broken', Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
        const text = Buffer.concat(parts).toString('utf8');
        end(() => resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), text }));
      });
    });
    request.end(body);
  });
}

/**
 * The whole answer to what a client sends through `send`, whatever the client makes of it.
 * @param run has the client build its one request and hand it to `send`
 * @throws what `run` throws when no answer came
 */
export async function answerThrough(send: Send, run: (send: Send) => Promise<unknown>): Promise<HttpAnswer> {
  let answer: HttpAnswer | undefined;
  try {
    await run(async (request) => {
      answer = await send(request);
      return answer;
    });
  } catch (thrown) {
    if (!answer) throw thrown;
  }
  if (!answer) throw new Error('the client sent nothing');
  return answer;
}

function withLength(headers: Record<string, string>, body: HttpRequest['body']): Record<string, string> {
  // Clients count it in other ways, and a wrong length hangs the request.
  const rest = Object.entries(headers).filter(([name]) => !/^(?:content-length|transfer-encoding)$/i.test(name));
  return {
    ...Object.fromEntries(rest),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  };
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** Reading what came over the wire: whatever it is, it has the shape that is asked for, or is empty. */

export { asObject } from '@wrapup/call';

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** JSON, whatever the content type says; undefined when it is none. */
export function parseBody(text: string, contentType: string | undefined): unknown {
  if (contentType?.includes('html')) return undefined;
  return parseJson(text);
}
