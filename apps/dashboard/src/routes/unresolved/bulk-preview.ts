import { explainPause, isSearch, type UnresolvedState } from '@wrapup/queue';
import express, { type Request, type Response, Router } from 'express';
import { sendPage } from '../../pages/layout.ts';
import { renderBulkPreview } from '../../pages/unresolved/bulk-preview-page.ts';
import { ask } from '../../queries/ask-redis.ts';
import { findDeliverable, type ItemPreview, MOST_PREVIEWED, previewReplays } from '../../queries/preview-replays.ts';
import { zoneOf } from '../../queries/time-range.ts';
import { configOfScope, scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noteLook } from '../operator.ts';
import { fieldOf, queryOf } from '../request.ts';
import { filterOf, readQuery, seenAt } from './query.ts';

/** Milliseconds that a search for a text may take before its count says "at least". */
const SEARCH_MS = 200;

/**
 * `/parked/preview` and `/dead/preview`: which deliveries a replay or drop of many would take and what would become of them. It
 * changes nothing; `POST` asks the CRMs what the first of them would write, and notes that before.
 */
export function bulkPreviewRoutes({ store, config, latest, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  for (const state of ['parked', 'dead'] as const) {
    router.get(`/${state}/preview`, (request, response) =>
      send(request, response, state, (name) => queryOf(request, name)),
    );
    router.post(`/${state}/preview`, form, (request, response) =>
      send(request, response, state, (name) => fieldOf(request, name), true),
    );
  }

  async function send(
    request: Request,
    response: Response,
    state: UnresolvedState,
    value: (name: string) => string | undefined,
    asks = false,
  ): Promise<void> {
    const scope = scopeOf(response);
    const action = value('action') === 'drop' ? 'drop' : 'replay';
    const query = readQuery(value);
    const seen = Math.min(seenAt(value('seen')) || Date.now(), Date.now());
    const filter = filterOf(query, seen, scope, zoneOf(request));
    const { broken } = await latest();
    const [page, matching, partitions] = await ask(store, () =>
      Promise.all([
        store.unresolved.page(state, filter, { limit: MOST_PREVIEWED, within: SEARCH_MS }),
        store.unresolved.countMatches(state, filter, SEARCH_MS),
        isSearch(filter) ? [] : store.unresolved.partitions(state, filter),
      ]),
    );
    const { items } = page;
    const [kept, states] = await ask(store, () =>
      Promise.all([
        findDeliverable(store, items),
        store.connections.readAll(new Set(items.flatMap(({ connection }) => connection ?? []))),
      ]),
    );
    let previews: Map<string, ItemPreview> | undefined;
    if (asks) {
      const note = (connection: string, of: number) => noteLook({ store, log }, request, response, { connection, of });
      previews = await previewReplays(store, configOfScope(config(), scope), items, note);
    }
    sendPage(response, {
      ...{ title: action === 'replay' ? 'Replay many' : 'Drop many', at: `/${state}`, extra: 'worklist' },
      body: renderBulkPreview({
        ...{ state, action, query, seen, matching, partitions, items, broken, previews, kept },
        pauses: states.map(explainPause).filter((why) => why !== undefined),
      }),
    });
  }
  return router;
}
