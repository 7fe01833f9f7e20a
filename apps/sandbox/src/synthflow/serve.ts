/**
 * How a request to the Synthflow API is served: key and region, a fault, latency, the answer.
 *
 * `/synthflow/v2` answers whoever has the key. `/synthflow/us/v2`, `/synthflow/eu/v2` and `/synthflow/global/v2` are the
 * hosts of the regions, to which the keys of other regions are unknown.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Request, type Response, Router } from 'express';
import { actOf, commits } from '../control/faults.ts';
import type { Hung } from '../hubspot/serve.ts';
import type { Sandbox } from '../sandbox.ts';
import { type Answer, ENDPOINTS, type Endpoint, refuse } from './endpoints.ts';

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
  endpoint: Endpoint,
  request: Request,
  response: Response,
): Promise<void> {
  const { path, operation } = endpoint;
  const open = sandbox.requests.open({ api: 'synthflow', method: request.method, path, operation });
  const fault = sandbox.faults.take({ method: request.method, path: request.originalUrl });
  const act = fault && actOf(fault, 200);
  let answer: Answer | undefined;
  if (!fault || commits(fault)) {
    if (act?.do === 'serve') await pause(act.ms);
    if (sandbox.settings.synthflow.latency > 0) await pause(sandbox.settings.synthflow.latency);
    answer = answerTo(sandbox, endpoint, request);
  }
  const end = (status: number) => open.close({ status, fault: fault?.kind });
  if (act?.do === 'hang') {
    hung.add(response);
    response.once('close', () => hung.delete(response));
    return end(0);
  }
  if (act?.do === 'reset') {
    request.socket.resetAndDestroy();
    return end(0);
  }
  if (act?.do === 'reply') {
    end(act.reply.status);
    response.writeHead(act.reply.status, act.reply.headers).end(act.reply.text);
    return;
  }
  const { status, body } = answer as Answer;
  end(status);
  response.status(status).json(body);
}

function answerTo(sandbox: Sandbox, endpoint: Endpoint, request: Request): Answer {
  const { synthflow: settings } = sandbox.settings;
  const { region, ...params } = request.params as Record<string, string>;
  const key = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const isKnown = key !== undefined && (settings.api_key === null || key === settings.api_key);
  // A key of another region is as unknown as a wrong one.
  if (!isKnown || (region !== undefined && region !== settings.region)) {
    return refuse(401, 'authentication_error', 'Invalid authentication credentials');
  }
  const query = new URL(request.originalUrl, 'http://sandbox').searchParams;
  return endpoint.answer({ workspace: sandbox.synthflow, settings, params, query });
}
