/** The HubSpot API over HTTP. */
import express, { type Request, type Response, Router } from 'express';
import { type Exchange, type Hung, serveExchange } from '../../control/exchange.ts';
import type { FaultSpec } from '../../control/faults.ts';
import type { Reply } from '../../reply.ts';
import type { Sandbox } from '../../sandbox.ts';
import { accountEndpoints } from '../routes/account.ts';
import { associationEndpoints } from '../routes/associations.ts';
import { batchEndpoints } from '../routes/batches.ts';
import { oauthEndpoints } from '../routes/oauth.ts';
import { objectEndpoints } from '../routes/objects.ts';
import { pipelineEndpoints } from '../routes/pipelines.ts';
import { propertyEndpoints } from '../routes/properties.ts';
import { groupEndpoints } from '../routes/property-groups.ts';
import { schemaEndpoints } from '../routes/schemas.ts';
import { searchEndpoints } from '../routes/search.ts';
import { answer, textOf } from './answer.ts';
import type { HubSpotEndpoint } from './endpoint.ts';
import { hubspotErrorBodies } from './error-bodies.ts';

/** Where two patterns match one path, the earlier one answers. */
const ENDPOINTS: HubSpotEndpoint[] = [
  ...batchEndpoints,
  ...searchEndpoints,
  ...groupEndpoints,
  ...propertyEndpoints,
  ...associationEndpoints,
  ...objectEndpoints,
  ...pipelineEndpoints,
  ...schemaEndpoints,
  ...accountEndpoints,
  ...oauthEndpoints,
];

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
    const body = { status: 'error', message: `The sandbox serves no ${request.method} ${request.path}` };
    const exchange: Exchange = {
      api: 'hubspot',
      path: '(unknown)',
      operation: 'unknown',
      latency: 0,
      errorBodies: hubspotErrorBodies(200),
      answer: () => ({ status: 404, body }),
    };
    return serveExchange(sandbox, hung, exchange, request, response);
  });
  return router;
}

async function serve(
  sandbox: Sandbox,
  hung: Hung,
  endpoint: HubSpotEndpoint,
  path: string,
  request: Request,
  response: Response,
): Promise<void> {
  const { object, pattern } = describe(sandbox, path, request);
  const inputs = inputsIn(request);
  const exchange: Exchange = {
    api: 'hubspot',
    path: pattern,
    object,
    operation: endpoint.operation,
    inputs,
    requestBody: textOf(request),
    latency: sandbox.settings.hubspot.latency,
    errorBodies: { ...hubspotErrorBodies(successOf(endpoint)), forms: sandbox.settings.hubspot.forms },
    adapt: (fault) => withoutRows(fault, inputs),
    answer: async (n, fault) => {
      if (fault?.kind === 'drop_rows' && fault.commit === false) dropInputs(request, fault);
      return dropRows(await answer(sandbox, endpoint, n, path, request), fault);
    },
  };
  await serveExchange(sandbox, hung, exchange, request, response);
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

function successOf({ operation }: HubSpotEndpoint): number {
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
