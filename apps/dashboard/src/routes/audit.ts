import { parseDuration } from '@wrapup/config';
import { AUDIT_ACTIONS } from '@wrapup/queue';
import { Router } from 'express';
import { type AuditQuery, renderAudit } from '../pages/access/audit-page.ts';
import { sendPage } from '../pages/layout.ts';
import { ask } from '../queries/ask-redis.ts';
import { scopeOf } from '../security/client-scope.ts';
import type { HandlerParts } from './handler-parts.ts';
import { queryOf } from './request.ts';

/** `/audit`: what operators did. */
export function auditRoutes({ store }: HandlerParts): Router {
  const router = Router();
  router.get('/audit', async (request, response) => {
    const query = readQuery((name) => queryOf(request, name));
    const { since, after, ...filter } = query;
    const ago = since === undefined ? undefined : parseDuration(since);
    const page = await ask(store, () =>
      store.audit.page(
        {
          ...filter,
          ...{ client: scopeOf(response).client, since: ago === undefined ? undefined : Date.now() - ago },
        },
        { after },
      ),
    );
    sendPage(response, { title: 'Audit', at: '/audit', body: renderAudit({ ...page, query }) });
  });
  return router;
}

function readQuery(value: (name: string) => string | undefined): AuditQuery {
  const action = AUDIT_ACTIONS.find((one) => one === value('action'));
  const [by, call_id, since, after] = [value('by')?.trim(), value('call_id')?.trim(), value('since'), value('after')];
  return {
    ...(action ? { action } : {}),
    ...(by ? { by } : {}),
    ...(call_id ? { call_id } : {}),
    ...(since !== undefined && parseDuration(since) !== undefined ? { since } : {}),
    ...(after ? { after } : {}),
  };
}
