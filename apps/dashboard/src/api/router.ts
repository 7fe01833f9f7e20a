/**
 * The HTTP API, `/api/v1`. In this order:
 *
 * /openapi.json   the document, for everyone: it says nothing of this installation
 * token           in the Authorization header alone. Cookies and passwords of the dashboard open nothing here, so that no page of
 *                 another site can make a browser do anything; guesses are slowed as those at passwords are
 * rate            of each token
 * right           what the role of the token allows
 * request         query and body against their schemas
 * client          the token's, or the one that is asked for
 *
 * What fails is answered as RFC 9457 has it: what, where, and what to do.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { own } from '@wrapup/call';
import { type LoginRole, ROLES } from '@wrapup/config';
import type { ApiToken } from '@wrapup/queue';
import { clientAddress, networkOf } from '@wrapup/telemetry';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import { ask, Unavailable } from '../queries/ask-redis.ts';
import type { HandlerParts } from '../routes/handler-parts.ts';
import { type LoginThrottle, makeLogFailure } from '../security/login-throttle.ts';
import { hasRight } from '../security/rights.ts';
import type { CheckedRequest, Handlers } from './api-request.ts';
import { type ApiOperation, OPERATIONS, type OperationId } from './contract.ts';
import { handleCalls } from './handle-calls.ts';
import { handleInstallation } from './handle-installation.ts';
import { handleUnresolved } from './handle-unresolved.ts';
import { makeOpenApi } from './openapi.ts';
import { ApiProblem } from './problems.ts';
import { RATE_PER_MINUTE, TokenRate } from './token-rate.ts';

/** Bytes of a body. */
const MAX_BODY = 64 * 1024;

export interface ApiRouterParts extends HandlerParts {
  /** Shared with the passwords: guesses at either count together. */
  throttle: LoginThrottle;
  /** Waits for the given milliseconds. */
  wait?: ((ms: number) => Promise<unknown>) | undefined;
  /** Epoch ms. */
  now?: (() => number) | undefined;
}

export function apiRouter({ throttle, wait = pause, now = Date.now, ...parts }: ApiRouterParts): Router {
  const { log } = parts;
  const router = Router({ caseSensitive: true, strict: true });
  const handlers: Handlers<OperationId> = {
    ...handleCalls(parts),
    ...handleUnresolved(parts),
    ...handleInstallation(parts),
  };
  const document = JSON.stringify(makeOpenApi());
  router.get('/openapi.json', (_request, response) => {
    response.type('application/json').send(document);
  });
  router.use(requireToken({ ...parts, throttle, wait, now }));
  const paths = new Map<string, string[]>();
  for (const [id, operation] of Object.entries<ApiOperation>(OPERATIONS)) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    paths.set(path, [...(paths.get(path) ?? []), operation.method.toUpperCase()]);
    const handle = handlers[id as OperationId] as (request: CheckedRequest) => Promise<unknown>;
    const answer: RequestHandler = async (request, response) => {
      const asked = await readRequest(parts, operation, request, response);
      response.json(await handle(asked));
    };
    if (operation.method === 'get') router.get(path, answer);
    else router.post(path, refuseOtherTypes, express.json({ limit: MAX_BODY, strict: true }), answer);
  }
  for (const [path, methods] of paths) {
    router.all(path, () => {
      const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
      throw new ApiProblem('method-not-allowed', { headers: { allow: allow.join(', ') } });
    });
  }
  router.use(() => {
    throw new ApiProblem('no-such-path');
  });
  router.use(explain(log));
  return router;
}

declare global {
  namespace Express {
    interface Locals {
      /** Set behind the check of the API's token. */
      token?: ApiToken & { role: LoginRole };
    }
  }
}

function requireToken({
  store,
  log,
  throttle,
  wait,
  now,
}: Required<Pick<ApiRouterParts, 'store' | 'log' | 'throttle'>> & {
  wait: (ms: number) => Promise<unknown>;
  now: () => number;
}): RequestHandler {
  const logFailure = makeLogFailure(log);
  const rate = new TokenRate(now);
  return async (request, response, next) => {
    const text = /^Bearer +([\w-]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const headers = { 'www-authenticate': 'Bearer realm="Wrapup API"' };
    if (text === undefined) throw new ApiProblem('no-token', { headers });
    const token = await ask(store, () => store.tokens.verify(text, now()));
    const role = ROLES.find((one) => one === token?.role);
    if (!token || !role) {
      const network = networkOf(clientAddress(request));
      throttle.failed(network);
      logFailure(request, 'wrong token');
      await wait(throttle.delay(network));
      throw new ApiProblem('wrong-token', { headers });
    }
    const seconds = rate.take(token.id);
    if (seconds > 0) {
      const detail = `${RATE_PER_MINUTE} a minute are answered.`;
      throw new ApiProblem('too-many-requests', { detail, headers: { 'retry-after': String(seconds) } });
    }
    response.locals.token = { ...token, role };
    next();
  };
}

/** A form or a text that a page of another site could send is no request of the API, whatever it holds. */
const refuseOtherTypes: RequestHandler = (request, _response, next) => {
  const hasBody = request.headers['content-length'] !== '0' && request.headers['transfer-encoding'] !== undefined;
  const length = Number(request.headers['content-length'] ?? 0);
  if ((hasBody || length > 0) && !request.is('application/json')) throw new ApiProblem('not-json');
  next();
};

/** @throws ApiProblem */
async function readRequest(
  { store, config }: Pick<HandlerParts, 'store' | 'config'>,
  operation: ApiOperation,
  request: Request,
  response: Response,
): Promise<CheckedRequest> {
  const { token } = response.locals;
  if (!token) throw new Error('the request has no token');
  const { right, whole, query: querySchema, body: bodySchema } = operation;
  if (!hasRight(token.role, right))
    throw new ApiProblem('not-allowed', { detail: `${right} is not for a ${token.role}.` });
  if (whole && token.client !== undefined)
    throw new ApiProblem('not-allowed', { detail: 'It is about all clients, and this token is bound to one.' });
  const given = request.query as Record<string, unknown>;
  const query = querySchema ? check('query', querySchema, given) : undefined;
  if (!querySchema && Object.keys(given).length > 0) refuseQuery(Object.keys(given));
  const body = bodySchema ? check('body', bodySchema, request.body ?? undefined) : undefined;
  const asked = (query as { client?: string } | undefined)?.client;
  if (asked !== undefined && !(await mayAsk(asked))) {
    throw new ApiProblem('not-found', { detail: `No client ${asked}, or not for this token.` });
  }
  const client = token.client ?? asked;
  const from = clientAddress(request) ?? '';
  return {
    params: request.params as Record<string, string>,
    ...{ query: query as never, body: body as never, token, client },
    by: { name: token.name, via: 'API', from, ...(token.client === undefined ? {} : { client: token.client }) },
  };

  async function mayAsk(name: string): Promise<boolean> {
    if (token?.client !== undefined) return token.client === name;
    return own(config().clients, name) !== undefined || (await ask(store, () => store.ledger.count(name))) > 0;
  }
}

/** @throws ApiProblem */
function refuseQuery(names: string[]): never {
  const errors = names.map((one) => ({ at: `query.${one}`, message: 'this operation takes no such parameter' }));
  throw new ApiProblem('invalid-request', { detail: 'It takes no parameters.', errors });
}

/** @throws ApiProblem that names each place */
function check(where: 'query' | 'body', schema: z.ZodType, given: unknown): unknown {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const errors = read.error.issues.map(({ path, message }) => ({
    at: [where, ...path.map(String)].join('.'),
    message,
  }));
  const [first] = errors;
  throw new ApiProblem('invalid-request', { detail: `${first?.at}: ${first?.message}`, errors });
}

function explain(log: HandlerParts['log']): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    problemOf(error, request, log).send(response);
  };
}

function problemOf(error: unknown, request: Request, log: HandlerParts['log']): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof Unavailable) {
    log.warn({ err: error }, 'Redis could not be asked');
    return new ApiProblem('unavailable', { headers: { 'retry-after': '2' } });
  }
  // Of the parser of bodies, and of a path that cannot be decoded.
  const { status, type } = error as { status?: number; type?: string };
  if (status === 413) return new ApiProblem('too-large', { detail: `At most ${MAX_BODY} bytes are taken.` });
  if (status === 415) return new ApiProblem('not-json');
  if (type === 'entity.parse.failed')
    return new ApiProblem('invalid-request', { detail: 'The body is no JSON object.' });
  if (status !== undefined && status >= 400 && status < 500) return new ApiProblem('invalid-request');
  log.error({ err: error, method: request.method }, 'a request of the API failed');
  return new ApiProblem('internal');
}
