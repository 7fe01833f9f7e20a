import { own } from '@wrapup/call';
import type { AuditAction, LedgerEntry } from '@wrapup/queue';
import { type CallToPlan, planOn, readStanding, whyUnreadable } from '@wrapup/recovery/standing-call';
import express, { type Request, type Response, Router } from 'express';
import { renderCallPreview, renderTranscript } from '../../pages/call/looks.ts';
import { renderMessage, sendPage } from '../../pages/layout.ts';
import { askCrm } from '../../queries/ask-crm.ts';
import { ask } from '../../queries/ask-redis.ts';
import { configOfScope, isInScope, scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteLook } from '../operator.ts';
import { fieldOf } from '../request.ts';

/**
 * `POST /calls/:id/transcript` and `/preview`: what was said in a call, and what a replay would change, for the one who asks. Forms,
 * so that no link leads there by mistake; each is noted in the audit before anything is read, and nothing of it is kept.
 */
export function callLookRoutes({ store, config, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  async function findCall(
    request: Request,
    response: Response,
    action: AuditAction,
    connection?: string,
  ): Promise<{ entry: LedgerEntry; standing: CallToPlan } | undefined> {
    const source = fieldOf(request, 'source') ?? '';
    const call_id = request.params.id as string;
    const known = isInScope(scopeOf(response), source) ? own(config().sources, source) : undefined;
    const entry = known && (await ask(store, () => store.ledger.read(source, call_id)));
    if (!known || !entry) {
      response
        .status(404)
        .send(renderMessage('No such call', ['The ledger does not know this call, or its source is gone.']));
      return undefined;
    }
    const route = fieldOf(request, 'route');
    const what = { source, call_id, ...(route && { route }), ...(connection && { connection }) };
    await noteLook({ store, log }, request, response, what, action);
    const standing = await ask(store, () => readStanding(store, entry, known));
    if (standing) return { entry, standing };
    const why = `The payload of this call ${whyUnreadable(entry)}, so that there is nothing to show.`;
    response.status(410).send(renderMessage('The payload cannot be read', [why]));
    return undefined;
  }

  router.post('/calls/:id/transcript', form, async (request, response) => {
    const found = await findCall(request, response, 'read payload');
    if (!found) return;
    const { entry, standing } = found;
    sendPage(response, { title: 'What was said', at: '/calls', body: renderTranscript(entry, standing.call) });
  });

  router.post('/calls/:id/preview', form, async (request, response) => {
    const now = configOfScope(config(), scopeOf(response));
    const route = now.routes.find(({ name }) => name === fieldOf(request, 'route'));
    const connection = route && own(now.connections, route.to);
    if (!route || !connection) {
      const why = ['The route, or its connection, is not in the configuration any more.'];
      return void response.status(404).send(renderMessage('No such route', why));
    }
    const found = await findCall(request, response, 'look up', connection.name);
    if (!found) return;
    const { entry, standing } = found;
    const { plan, withheld } = planOn(route, standing);
    const delivery = entry.deliveries.find((one) => one.route === route.name);
    const answer = await askCrm(store, connection, plan, delivery);
    sendPage(response, {
      ...{ title: 'What would change', at: '/calls' },
      body: renderCallPreview(entry, {
        route: route.name,
        connection: connection.name,
        plan,
        withheld,
        answer,
        delivery,
      }),
    });
  });
  return router;
}
