/**
 * How a request to the HubSpot API is served: a fault that swallows it, latency, the answer, a fault that changes the
 * answer or loses it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import express, { type Request, type Response, Router } from 'express';
import { type Act, actOf, commits, type FaultSpec, type RawReply } from '../control/faults.ts';
import type { Open } from '../control/request-log.ts';
import type { Sandbox } from '../sandbox.ts';
import { answer, textOf } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Reply } from './reply.ts';
import { accountEndpoints } from './routes/account.ts';
import { associationEndpoints } from './routes/associations.ts';
import { batchEndpoints } from './routes/batches.ts';
import { oauthEndpoints } from './routes/oauth.ts';
import { objectEndpoints } from './routes/objects.ts';
import { propertyEndpoints } from './routes/properties.ts';
import { groupEndpoints } from './routes/property-groups.ts';
import { searchEndpoints } from './routes/search.ts';

/** Where two patterns match one path, the earlier one answers. */
const ENDPOINTS: Endpoint[] = [
  ...batchEndpoints,
  ...searchEndpoints,
  ...groupEndpoints,
  ...propertyEndpoints,
  ...associationEndpoints,
  ...objectEndpoints,
  ...accountEndpoints,
  ...oauthEndpoints,
];

/** Sockets of clients that wait for an answer that never comes. */
export type Hung = Set<Response>;

export function hubspotRouter(sandbox: Sandbox, hung: Hung): Router {
  const router = Router();
  router.use(express.raw({ type: () => true, limit: '50mb' }));
  for (const endpoint of ENDPOINTS) {
    for (const path of endpoint.paths) {
      const method = endpoint.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
      router[method](path, (request, response) => serve(sandbox, hung, endpoint, path, request, response));
    }
  }
  router.use((request, response) => {
    const open = sandbox.requests.open({
      api: 'hubspot',
      method: request.method,
      path: '(unknown)',
      operation: 'unknown',
    });
    const body = { status: 'error', message: `The sandbox serves no ${request.method} ${request.path}` };
    deliver(response, open, { status: 404, headers: JSON_HEADERS, text: JSON.stringify(body) });
  });
  return router;
}

const JSON_HEADERS = { 'content-type': 'application/json;charset=utf-8' };

async function serve(
  sandbox: Sandbox,
  hung: Hung,
  endpoint: Endpoint,
  path: string,
  request: Request,
  response: Response,
): Promise<void> {
  const { object, pattern } = describe(sandbox, path, request);
  const open = sandbox.requests.open({
    api: 'hubspot',
    method: request.method,
    path: pattern,
    object,
    operation: endpoint.operation,
  });
  const taken = sandbox.faults.take({ method: request.method, path: request.originalUrl, object });
  const log = { fault: taken?.kind, inputs: inputsIn(request), requestBody: textOf(request) };
  const fault = taken && withoutRows(taken, log.inputs);
  const act: Act | undefined = fault && actOf(fault, successOf(endpoint));

  let reply: RawReply | undefined;
  if (!fault || commits(fault)) {
    if (act?.do === 'serve' && act.ms > 0) await pause(act.ms);
    if (sandbox.settings.hubspot.latency > 0) await pause(sandbox.settings.hubspot.latency);
    if (fault?.kind === 'drop_rows' && fault.commit === false) dropInputs(request, fault);
    reply = rawReply(dropRows(await answer(sandbox, endpoint, open.n, path, request), fault));
  }
  if (act?.do === 'hang') {
    hung.add(response);
    response.once('close', () => hung.delete(response));
    open.close({ ...log, status: 0 });
  } else if (act?.do === 'reset') {
    request.socket.resetAndDestroy();
    open.close({ ...log, status: 0 });
  } else {
    deliver(response, open, act?.do === 'reply' ? act.reply : (reply as RawReply), log);
  }
}

/** The path without what belongs to single records, and the object it is about. */
function describe(sandbox: Sandbox, path: string, request: Request): { object: string | undefined; pattern: string } {
  const { schema } = sandbox.hubspot;
  const nameOf = (param: string): string | undefined => {
    const given = request.params[param];
    try {
      return typeof given === 'string' ? schema.type(given).name : undefined;
    } catch {
      return undefined;
    }
  };
  const pattern = path.replace(/:(object|from|to)(?![a-zA-Z])/g, (match, param: string) => nameOf(param) ?? match);
  return { object: nameOf('object') ?? nameOf('from'), pattern };
}

function successOf({ operation }: Endpoint): number {
  return operation.endsWith('create') ? 201 : 200;
}

function inputsIn(request: Request): number | undefined {
  try {
    const { inputs } = JSON.parse(textOf(request)) as { inputs?: unknown };
    return Array.isArray(inputs) ? inputs.length : undefined;
  } catch {
    return undefined;
  }
}

/** When no row is left that takes effect, the answer is the empty success. */
function withoutRows(fault: FaultSpec, inputs: number | undefined): FaultSpec {
  const none =
    fault.kind === 'drop_rows' && fault.commit === false && (fault.rows ?? 1) >= (inputs ?? Number.POSITIVE_INFINITY);
  return none ? { kind: 'empty_success' } : fault;
}

/** Rows that take no effect, and of which nothing is said. */
function dropInputs(request: Request, fault: FaultSpec): void {
  const body = JSON.parse(textOf(request) || '{}') as { inputs?: unknown[] };
  if (!Array.isArray(body.inputs)) return;
  request.body = Buffer.from(JSON.stringify({ ...body, inputs: body.inputs.slice(fault.rows ?? 1) }));
}

/** Rows that took effect and are neither in the results nor in the errors. */
function dropRows(reply: Reply, fault: FaultSpec | undefined): Reply {
  const body = reply.body as { results?: unknown[] } | undefined;
  if (fault?.kind !== 'drop_rows' || fault.commit === false || !Array.isArray(body?.results)) return reply;
  return { ...reply, body: { ...body, results: body.results.slice(fault.rows ?? 1) } };
}

function rawReply({ status, body, headers = {} }: Reply): RawReply {
  if (body === undefined) return { status, headers, text: '' };
  return { status, headers: { ...JSON_HEADERS, ...headers }, text: JSON.stringify(body) };
}

function deliver(response: Response, open: Open, reply: RawReply, log: { requestBody?: string } & object = {}): void {
  open.close({ ...log, status: reply.status, responseBody: reply.text });
  if (response.destroyed) return;
  response
    .writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.text) })
    .end(reply.text);
}
