import { own } from '@wrapup/call';
import { type Config, chooseRoutes, planCall } from '@wrapup/config';
import { asReplay } from '@wrapup/mapping';
import { normalise, readCallId } from '@wrapup/synthflow';
import express, { type Response, Router } from 'express';
import { sendPage } from '../pages/layout.ts';
import { type PlaygroundResult, renderPlayground } from '../pages/playground-page.ts';
import { askCrm } from '../queries/ask-crm.ts';
import { configOfScope, scopeOf } from '../security/client-scope.ts';
import { hasRight, roleOf } from '../security/rights.ts';
import type { HandlerParts } from './handler-parts.ts';
import { noteLook } from './operator.ts';
import { fieldOf } from './request.ts';

/** A payload with a long transcript fits; the limit keeps a mistaken paste from blocking the process. */
const LIMIT = '5mb';

/**
 * `/playground`: a pasted payload, read and mapped as the worker would, without storing anything; the CRM is only read,
 * only when that is asked for, and not without a line in the log. The only page that shows personal data: what its
 * reader has just pasted.
 */
export function playgroundRoutes({ store, config, log }: HandlerParts): Router {
  const router = Router();
  const send = (response: Response, given: Given, result?: PlaygroundResult) => {
    const { sources, routes } = configOfScope(config(), scopeOf(response));
    sendPage(response, {
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

  router.get('/playground', (_request, response) => send(response, {}));

  router.post('/playground', express.urlencoded({ extended: false, limit: LIMIT }), async (request, response) => {
    const payload = fieldOf(request, 'payload');
    const source = fieldOf(request, 'source');
    const route = fieldOf(request, 'route');
    const ask = hasRight(roleOf(response), 'look_up') ? fieldOf(request, 'ask') : undefined;
    const given = {
      ...(payload ? { payload } : {}),
      ...(source ? { source } : {}),
      ...(route ? { route } : {}),
      ...(ask ? { ask } : {}),
    };
    const current = configOfScope(config(), scopeOf(response));
    const result = tryOut(current, given);
    const connection = result.connection === undefined ? undefined : own(current.connections, result.connection);
    if (ask && connection && result.plan) {
      // The address that is looked up stays out of the log.
      const route = result.route === undefined ? {} : { route: result.route };
      const fields = { ...(result.call && { source: result.call.source }), ...route, connection: connection.name };
      await noteLook({ store, log }, request, response, fields);
      const entry = result.call && (await store.ledger.read(result.call.source, result.call.id));
      const delivery = entry?.deliveries.find(({ route }) => route === result.route);
      result.answer = await askCrm(store, connection, asReplay(result.plan, delivery?.records ?? []), delivery);
    }
    response.status(result.problem ? 422 : 200);
    send(response, given, result);
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
  const source = own(config.sources, sourceName);
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
