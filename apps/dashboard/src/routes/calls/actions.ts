import { attemptsOf } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import express, { type Request, type Response, Router } from 'express';
import { MAX_REASON_LENGTH, REPLAYABLE } from '../../pages/actions.ts';
import { renderMessage } from '../../pages/layout.ts';
import { linkToCall } from '../../pages/parts.ts';
import { ask } from '../../queries/ask-redis.ts';
import { isInScope, redirectTo, scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import type { NoticeName } from '../notices.ts';
import { noteAction, operatorOf } from '../operator.ts';
import { fieldOf } from '../request.ts';

/** `POST /calls/:id/replay`, `/choose` and `/drop`. Each is a form, each leaves a line in the log, each leads back to its page. */
export function actionRoutes({ store, latest, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.post('/calls/:id/replay', form, async (request, response) => {
    const target = readTarget(request);
    if (!target) return refuse(response);
    if (!isInScope(scopeOf(response), target.source)) return refuseForeign(response);
    const { source, call_id, route } = target;
    const { config, broken } = await latest();
    const by = operatorOf(request, response);
    const done = await ask(store, async () => {
      if (route === undefined) {
        return (await store.operations.replayCall(source, call_id, { config: config.hash, by })) ? 'replayed' : 'moved';
      }
      const attempts = attemptsOf(config, route);
      const how = { attempts, from: REPLAYABLE, config: config.hash, by };
      return store.operations.replay(source, call_id, route, how);
    });
    noteAction(log, request, response, { action: 'replay', ...target, done });
    back(request, response, done === 'replayed' && broken ? 'replayed_before' : done);
  });

  router.post('/calls/:id/choose', form, async (request, response) => {
    const target = readTarget(request);
    const person = fieldOf(request, 'person');
    if (target?.route === undefined || !person) return refuse(response);
    if (!isInScope(scopeOf(response), target.source)) return refuseForeign(response);
    const { source, call_id, route } = target;
    const { config, broken } = await latest();
    const choice = { person, by: operatorOf(request, response), remember: fieldOf(request, 'remember') === 'yes' };
    const how = { attempts: attemptsOf(config, route), config: config.hash };
    const done = await ask(store, () => store.operations.choose(source, call_id, route, choice, how));
    noteAction(log, request, response, {
      action: 'choose',
      ...target,
      record: person,
      remember: choice.remember,
      done,
    });
    back(request, response, done === 'replayed' && broken ? 'replayed_before' : done);
  });

  router.post('/calls/:id/drop', form, async (request, response) => {
    const target = readTarget(request);
    if (!target) return refuse(response);
    if (!isInScope(scopeOf(response), target.source)) return refuseForeign(response);
    const { source, call_id, route } = target;
    // It stays in the ledger, which holds no personal data.
    const reason = scrub((fieldOf(request, 'reason') ?? '').trim(), MAX_REASON_LENGTH);
    if (!reason) return back(request, response, 'reason');
    const why = { reason, by: operatorOf(request, response) };
    const done = await ask(store, async () =>
      route === undefined
        ? store.operations.dropCall(source, call_id, why)
        : (await store.operations.drop(source, call_id, route, why)) !== undefined,
    );
    noteAction(log, request, response, { action: 'drop', ...target, done });
    back(request, response, done ? 'dropped' : 'moved');
  });

  return router;
}

interface ActionTarget {
  source: string;
  call_id: string;
  route?: string;
}

function readTarget(request: Request): ActionTarget | undefined {
  const source = fieldOf(request, 'source');
  const route = fieldOf(request, 'route');
  if (source === undefined) return undefined;
  return { source, call_id: request.params.id as string, ...(route !== undefined ? { route } : {}) };
}

function refuse(response: Response): void {
  response.status(400).send(renderMessage('The request was not understood', ['It names no delivery.']));
}

function refuseForeign(response: Response): void {
  response.status(404).send(renderMessage('No such call', ['Nothing was changed.']));
}

/** Only to pages that have these buttons: an address from outside could lead anywhere. */
function back(request: Request, response: Response, notice: NoticeName): void {
  const wanted = fieldOf(request, 'back') ?? '';
  const [source, id] = [fieldOf(request, 'source') ?? '', request.params.id as string];
  if (wanted.startsWith('/parked/decide?')) {
    const parameters = new URLSearchParams(wanted.slice(wanted.indexOf('?')));
    for (const [name, value] of Object.entries({ did: notice, last: id, last_source: source }))
      parameters.set(name, value);
    redirectTo(response, `/parked/decide?${parameters}`);
    return;
  }
  const place = wanted === '/parked' || wanted === '/dead' ? `${wanted}?` : `${linkToCall(source, id)}&`;
  // The page of the call follows what was replayed.
  const route = fieldOf(request, 'route');
  const on = route === undefined ? '' : `&on=${encodeURIComponent(route)}`;
  const followed = notice === 'replayed' && place.startsWith('/calls/') ? `${on}&at=${Date.now()}` : '';
  redirectTo(response, `${place}did=${notice}${followed}`);
}
