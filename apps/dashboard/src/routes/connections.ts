import { own } from '@wrapup/call';
import { scrub } from '@wrapup/destination';
import express, { Router } from 'express';
import { MAX_REASON_LENGTH } from '../pages/actions.ts';
import { renderConnections } from '../pages/connections-page.ts';
import { renderMessage, sendPage } from '../pages/layout.ts';
import { ask } from '../queries/ask-redis.ts';
import { configOfScope, isInScope, redirectTo, scopeOf } from '../security/client-scope.ts';
import type { HandlerParts } from './handler-parts.ts';
import { noticeOf } from './notices.ts';
import { noteAction, operatorOf } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

/** `/connections`, and `POST /connections/:name/pause` and `/resume`, each of which leaves a line in the log. */
export function connectionRoutes({ store, config, connections, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/connections', async (request, response) => {
    const scope = scopeOf(response);
    const { connections: configured, digests } = configOfScope(config(), scope);
    const [reports, sent] = await ask(store, async () => {
      const names = (await connections()).filter((name) => isInScope(scope, name));
      return Promise.all([
        Promise.all(names.map((name) => store.connections.report(name))),
        Promise.all(digests.map(async (digest) => ({ digest, ...(await store.digests.report(digest)) }))),
      ]);
    });
    sendPage(response, {
      title: 'Connections',
      at: '/connections',
      live: 'page',
      notice: noticeOf(queryOf(request, 'did')),
      body: renderConnections({
        connections: reports.map((report) => {
          const known = own(configured, report.connection);
          return { ...report, ...(known ? { kind: known.kind } : {}) };
        }),
        digests: sent,
      }),
    });
  });

  for (const action of ['pause', 'resume'] as const) {
    router.post(`/connections/:name/${action}`, form, async (request, response) => {
      const name = request.params.name as string;
      if (!isInScope(scopeOf(response), name) || !(await ask(store, connections)).includes(name)) {
        return void response.status(404).send(renderMessage('No such connection', ['Nothing was changed.']));
      }
      const reason = scrub((fieldOf(request, 'reason') ?? '').trim(), MAX_REASON_LENGTH);
      const state = await ask(store, () =>
        action === 'pause'
          ? store.connections.pause(name, reason || undefined, operatorOf(request, response))
          : store.connections.resume(name, operatorOf(request, response)),
      );
      noteAction(log, request, response, { action, connection: name });
      const did = action === 'pause' ? 'paused' : state.circuit === 'open' ? 'probing' : 'resumed';
      redirectTo(response, `/connections?did=${did}`);
    });
  }
  return router;
}
