import { Router } from 'express';
import { renderClients } from '../pages/clients-page.ts';
import { sendPage } from '../pages/layout.ts';
import { ask } from '../queries/ask-redis.ts';
import { readClients } from '../queries/clients.ts';
import { scopeOf } from '../security/client-scope.ts';
import type { HandlerParts } from './handler-parts.ts';

/** `/clients`: how each of them stands. Not there for a login that is bound to one. */
export function clientRoutes({ store, config }: HandlerParts): Router {
  const router = Router();
  router.get('/clients', async (_request, response, next) => {
    if (scopeOf(response).isBound) return next();
    const clients = await ask(store, () => readClients(store, config()));
    sendPage(response, { title: 'Clients', at: '/clients', live: 'page', body: renderClients(clients) });
  });
  return router;
}
