/**
 * How a request to the Synthflow API is served: key and region, a fault, latency, the answer.
 *
 * `/synthflow/v2` answers those who have the key. `/synthflow/us/v2`, `/synthflow/eu/v2` and `/synthflow/global/v2` are the
 * hosts of the regions, to which the keys of other regions are unknown.
 */
import { type Request, type Response, Router } from 'express';
import { type Exchange, type Hung, serveExchange } from '../control/exchange.ts';
import type { ErrorBodies } from '../control/fault.ts';
import type { Sandbox } from '../sandbox.ts';
import { ENDPOINTS, refuse, type SynthflowAnswer, type SynthflowEndpoint } from './endpoints.ts';

export function synthflowRouter(sandbox: Sandbox, hung: Hung): Router {
  const router = Router();
  for (const prefix of ['/v2', '/:region/v2']) {
    for (const endpoint of ENDPOINTS) {
      router.get(`${prefix}${endpoint.path}`, (request, response) => serve(sandbox, hung, endpoint, request, response));
    }
  }
  router.use((request, response) => {
    response.status(404).json({ detail: `The sandbox serves no ${request.method} ${request.path}` });
  });
  return router;
}

async function serve(
  sandbox: Sandbox,
  hung: Hung,
  endpoint: SynthflowEndpoint,
  request: Request,
  response: Response,
): Promise<void> {
  const exchange: Exchange = {
    api: 'synthflow',
    path: endpoint.path,
    operation: endpoint.operation,
    latency: sandbox.settings.synthflow.latency,
    errorBodies: ERROR_BODIES,
    answer: () => answerTo(sandbox, endpoint, request),
  };
  await serveExchange(sandbox, hung, exchange, request, response);
}

const unauthorized = () => refuse(401, 'authentication_error', 'Invalid authentication credentials');
const ERROR_BODIES: ErrorBodies = {
  error: (status) => refuse(status, 'api_error', 'internal error').body,
  unauthorized,
  emptySuccess: () => ({ status: 200, body: {} }),
};

function answerTo(sandbox: Sandbox, endpoint: SynthflowEndpoint, request: Request): SynthflowAnswer {
  const { synthflow: settings } = sandbox.settings;
  const { region, ...params } = request.params as Record<string, string>;
  const key = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const isKnown = key !== undefined && (settings.api_key === null || key === settings.api_key);
  // A key of another region is as unknown as a wrong one.
  if (!isKnown || (region !== undefined && region !== settings.region)) {
    return unauthorized();
  }
  const query = new URL(request.originalUrl, 'http://sandbox').searchParams;
  return endpoint.answer({ workspace: sandbox.synthflow, settings, params, query });
}
