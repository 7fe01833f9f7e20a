import { agentName } from '@wrapup/config';
import { readSchemaChecks } from '@wrapup/queue';
import { Router } from 'express';
import { sendPage } from '../pages/layout.ts';
import { renderOverview } from '../pages/overview/overview-page.ts';
import { ask } from '../queries/ask-redis.ts';
import { readOverview } from '../queries/overview.ts';
import { readReconciliations } from '../queries/reconciliations.ts';
import { isSetUp } from '../queries/setup.ts';
import { readRange, zoneOf } from '../queries/time-range.ts';
import { configOfScope, isInScope, scopeOf } from '../security/client-scope.ts';
import type { HandlerParts } from './handler-parts.ts';
import { queryOf } from './request.ts';

/** `/`: how many calls there were, what they came to, and what needs a person. It reads and changes nothing. */
export function overviewRoutes({ store, config, connections }: HandlerParts): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    const scope = scopeOf(response);
    const own = configOfScope(config(), scope);
    const zone = zoneOf(request);
    const now = Date.now();
    const range = readRange((name) => queryOf(request, name), zone, now);
    const [overview, reconciliations, schemaChecks] = await ask(store, async () => {
      const names = (await connections()).filter((name) => isInScope(scope, name));
      return Promise.all([
        readOverview({ store, config: own, client: scope.client, connections: names, range, zone, now }),
        readReconciliations(store, own),
        readSchemaChecks(store, Object.keys(own.connections)),
      ]);
    });
    // Asked only where nothing was written in the time that is shown.
    const isDone =
      overview.states.some(({ name }) => name === 'written') ||
      (await ask(store, () => isSetUp(store, scope.client, now)));
    sendPage(response, {
      title: 'Overview',
      at: '/',
      live: 'page',
      body: renderOverview({
        ...{ overview, reconciliations, schemaChecks, isSetUp: isDone },
        agentName: (source, id) => agentName(own, source, id),
      }),
    });
  });
  return router;
}
