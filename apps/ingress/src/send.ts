import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './refusal.ts';

/** A body is read to its end after a refusal when no more than this is still to come; the connection then lives on. */
const SHORT_REST = 64 * 1024;
/**
 * Otherwise the connection is closed, but not at once: closing with unread bytes resets it, and a sender that is still
 * sending would see a broken pipe instead of the answer. So what comes is thrown away for a while first.
 */
const LINGER_MS = 5_000;

export function sendJson(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) return void response.destroy();
  const body = refusal.toProblem();
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...refusal.headers,
  };
  if (request.complete || isShort(request)) {
    response.writeHead(refusal.status, headers).end(body);
    request.resume();
    return;
  }
  response.writeHead(refusal.status, { ...headers, connection: 'close' });
  response.write(body);
  throwAway(request, () => response.end());
}

function isShort(request: IncomingMessage): boolean {
  return Number(request.headers['content-length'] ?? Number.NaN) <= SHORT_REST;
}

function throwAway(request: IncomingMessage, done: () => void): void {
  const finish = () => {
    clearTimeout(timer);
    request.off('end', finish).off('close', finish);
    done();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('end', finish).on('close', finish).on('error', finish).resume();
}
