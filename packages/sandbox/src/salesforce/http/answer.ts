/**
 * How a request becomes an answer, in this order: version, session, what is left of the org's requests, body, endpoint.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Request } from 'express';
import type { FaultSpec } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import type { Sandbox } from '../../sandbox.ts';
import { LOCK_WAIT_MS } from '../records/locks.ts';
import type { Method, Prepared, SalesforceCall } from './endpoint.ts';
import { sessionInvalid } from './error-bodies.ts';
import type { Match } from './match-path.ts';
import { readMultipart } from './multipart.ts';
import { malformedJson, notFound, refusalReply, SalesforceRefusal } from './refusal.ts';

export interface SalesforceRequest {
  sandbox: Sandbox;
  request: Request;
  found: Match | undefined;
  /** Number in the request log. */
  n: number;
  fault: FaultSpec | undefined;
  /** In place of the one that came. */
  body?: unknown;
}

export async function answer(asked: SalesforceRequest): Promise<Reply> {
  const { sandbox, request, n } = asked;
  const { salesforce: org } = sandbox;
  const { settings } = org;
  const token = /^(?:Bearer|OAuth) +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || !org.tokens.isGood(token)) return sessionInvalid();
  let reply: Reply;
  try {
    org.usage.take(settings.limits);
    reply = await handle(asked);
  } catch (error) {
    if (!(error instanceof SalesforceRefusal)) throw error;
    reply = refusalReply(error);
  } finally {
    org.locks.release(n);
  }
  return { ...reply, headers: { ...org.usage.headers(settings.limits), ...reply.headers } };
}

async function handle({ sandbox, request, found, n, fault, body }: SalesforceRequest): Promise<Reply> {
  const { salesforce: org } = sandbox;
  const { settings } = org;
  if (!found) throw notFound();
  const version = Number(found.version);
  if (version < settings.oldest_version) {
    throw new SalesforceRefusal(
      'UNSUPPORTED_API_VERSION',
      `The requested API version ${found.version} is no longer served`,
      {
        status: 410,
      },
    );
  }
  if (version > settings.newest_version) throw notFound();
  const call: SalesforceCall = {
    org,
    settings,
    n,
    method: request.method as Method,
    version: found.version,
    root: `/services/data/v${found.version}`,
    params: found.params,
    query: new URLSearchParams(request.originalUrl.split('?', 2)[1] ?? ''),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    body: body ?? bodyOf(request),
    fault,
  };
  const prepared = await prepare(call, found);
  if (prepared && settings.race_window > 0) await pause(settings.race_window);
  return found.endpoint.handle(call, prepared);
}

/** With what the request needs held, unless another one has held some of it for longer than a write waits. */
async function prepare(call: SalesforceCall, { endpoint }: Match): Promise<Prepared | undefined> {
  const until = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const prepared = endpoint.prepare?.(call);
    const left = until - performance.now();
    if (!prepared || prepared.locked.size === 0 || call.settings.locks === 'fail' || left <= 0) return prepared;
    await call.org.locks.wait(call.n, left);
  }
}

/** @throws Refusal when there is a body that cannot be read */
export function bodyOf(request: Request): unknown {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (/^multipart\/form-data/i.test(type)) return readMultipart(bytes, type);
  if (!/^application\/json/i.test(type)) {
    throw new SalesforceRefusal(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Type header specified in HTTP request is not supported: ${type}`,
      { status: 415 },
    );
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw malformedJson(`Unexpected character at [line:1, column:1]: ${(error as Error).message}`);
  }
}
