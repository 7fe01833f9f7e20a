import { type RequestHandler, type Response, Router } from 'express';
import type { Sandbox } from '../sandbox.ts';
import { ASSETS } from './assets.ts';
import { hubspotView } from './hubspot-view.ts';
import { renderPage } from './render.ts';
import { salesforceView } from './salesforce-view.ts';
import { hubspotAnchor, salesforceAnchor, type View } from './view.ts';

const HEADERS = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** `/` and what it needs. @param only who may see it */
export function pageRouter(sandbox: Sandbox, only: RequestHandler): Router {
  const router = Router();
  router.get('/', only, (_request, response) => {
    const page = renderPage({
      views: viewsOf(sandbox),
      requests: sandbox.requests.counts,
      faults: sandbox.faults.list().length,
    });
    answer(response, 'text/html; charset=utf-8', page.text);
  });
  // Where links to records lead, as the vendors write them.
  router.get('/contacts/:portal/record/:type/:id', only, (request, response) => {
    const { type, id } = request.params;
    const { singular } = sandbox.hubspot.schema.type(String(type));
    response.redirect(302, `/#${encodeURIComponent(hubspotAnchor(singular, String(id)))}`);
  });
  router.get(/^\/salesforce\/([a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?)$/, only, (request, response) => {
    response.redirect(302, `/#${salesforceAnchor(String(request.params[0]))}`);
  });
  router.use('/assets', only, (request, response, next) => {
    response.set(HEADERS);
    ASSETS.handler(request, response, next);
  });
  return router;
}

/** Both CRMs, or the one that was written to or asked. With neither, the first. */
function viewsOf({ hubspot, salesforce, requests }: Sandbox): View[] {
  const views = [hubspotView(hubspot), salesforceView(salesforce)];
  const used = views.filter(
    ({ crm, people, loose }) => people.length + loose.length > 0 || requests.hasFrom(crm.toLowerCase()),
  );
  return used.length > 0 ? used : views.slice(0, 1);
}

function answer(response: Response, type: string, text: string): void {
  response.set(HEADERS).set('content-type', type).send(text);
}
