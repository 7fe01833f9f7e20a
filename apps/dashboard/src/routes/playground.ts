import { type Config, chooseRoutes, planCall } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { normalise, readCallId } from '@wrapup/synthflow';
import express, { Router } from 'express';
import { askCrm } from '../ask-crm.ts';
import { renderPage } from '../pages/layout.ts';
import { type PlaygroundResult, renderPlayground } from '../pages/playground-page.ts';
import { fieldOf } from './request.ts';

/** A payload with a long transcript fits; the limit keeps a slip of the paste from holding up the process. */
const LIMIT = '5mb';

/**
 * `/playground`: a pasted payload, read and mapped as the worker would, without storing anything; the CRM is only read, and
 * only when that is asked for. The
 * only page that shows personal data: what whoever reads it has just pasted.
 */
export function playgroundRoutes({ store, config }: { store: Store; config: () => Config }): Router {
  const router = Router();
  const send = (given: Given, result?: PlaygroundResult) => {
    const { sources, routes } = config();
    return renderPage({
      title: 'Playground',
      at: '/playground',
      body: renderPlayground({
        ...given,
        sources: Object.keys(sources),
        routes: routes.map(({ name }) => name),
        ...(result ? { result } : {}),
      }),
    });
  };

  router.get('/playground', (_request, response) => void response.send(send({})));

  router.post('/playground', express.urlencoded({ extended: false, limit: LIMIT }), async (request, response) => {
    const payload = fieldOf(request, 'payload');
    const source = fieldOf(request, 'source');
    const route = fieldOf(request, 'route');
    const ask = fieldOf(request, 'ask');
    const given = {
      ...(payload ? { payload } : {}),
      ...(source ? { source } : {}),
      ...(route ? { route } : {}),
      ...(ask ? { ask } : {}),
    };
    const current = config();
    const result = tryOut(current, given);
    const connection = result.connection === undefined ? undefined : current.connections[result.connection];
    if (ask && connection && result.plan) result.answer = await askCrm(store, connection, result.plan);
    response.status(result.problem ? 422 : 200).send(send(given, result));
  });
  return router;
}

interface Given {
  payload?: string;
  source?: string;
  route?: string;
  ask?: string;
}

function tryOut(config: Config, given: Given): PlaygroundResult {
  const sourceName = given.source ?? Object.keys(config.sources)[0] ?? '';
  const source = Object.hasOwn(config.sources, sourceName) ? config.sources[sourceName] : undefined;
  if (!source) return { problem: 'Choose a source: the configuration has none of that name.' };
  if (!given.payload) return { problem: 'Paste a payload first.' };
  let payload: unknown;
  try {
    payload = JSON.parse(given.payload);
  } catch (error) {
    return { problem: `The payload is no JSON: ${(error as Error).message}` };
  }
  if (readCallId(payload) === undefined) {
    return { problem: 'The payload has no call id: neither call.call_id nor call_id is there.' };
  }
  const call = normalise(payload, {
    source: source.name,
    agents: source.agents,
    default_country: source.default_country,
    received_at: Date.now(),
  });
  const chosen = chooseRoutes(config, call).map(({ name }) => name);
  const name = given.route ?? chosen[0];
  const route = config.routes.find((one) => one.name === name);
  if (!route) return { call, chosen, ...(given.route ? { problem: 'The configuration has no such route.' } : {}) };
  return { call, chosen, route: route.name, connection: route.to, plan: planCall(route, call) };
}
