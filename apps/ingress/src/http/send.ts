import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpProblem } from './http-problem.ts';

/** After a problem a body of at most this length is read to its end, and the connection stays open. */
const MAX_REST_BYTES = 64 * 1024;
/**
 * Otherwise the connection is closed, but not at once: closing with unread bytes resets it, and a sender that is still
 * sending would get a broken pipe instead of the answer. So what arrives is discarded for this long first.
 */
const LINGER_MS = 5_000;

export function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendProblem(request: IncomingMessage, response: ServerResponse, problem: HttpProblem): void {
  if (response.headersSent) return void response.destroy();
  const body = problem.toJson();
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...problem.headers,
  };
  if (request.complete || isShort(request)) {
    response.writeHead(problem.status, headers).end(body);
    request.resume();
    return;
  }
  response.writeHead(problem.status, { ...headers, connection: 'close' });
  response.write(body);
  discard(request, () => response.end());
}

function isShort(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? Number.NaN) <= MAX_REST_BYTES;
}

function discard(request: IncomingMessage, done: () => void): void {
  const finish = () => {
    clearTimeout(timer);
    request.off('end', finish).off('close', finish);
    done();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('end', finish).on('close', finish).on('error', finish).resume();
}
