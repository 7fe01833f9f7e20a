import { scrub } from '@wrapup/destination';
import { type BulkAction, countUnindexed, listBulk, readBulk, startBulk, type UnresolvedState } from '@wrapup/queue';
import express, { type Request, type Response, Router } from 'express';
import { MAX_REASON_LENGTH } from '../../pages/actions.ts';
import { renderMessage, sendPage } from '../../pages/layout.ts';
import { renderLeft } from '../../pages/unresolved/bulk-preview-page.ts';
import { renderUnresolved, STILL_MS } from '../../pages/unresolved/unresolved-page.ts';
import { ask } from '../../queries/ask-redis.ts';
import { zoneOf } from '../../queries/time-range.ts';
import { configOfScope, isInScope, redirectTo, scopeOf } from '../../security/client-scope.ts';
import { hasRight, roleOf } from '../../security/rights.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noticeNameOfRun, noticeOf, readNotice } from '../notices.ts';
import { operatorOf } from '../operator.ts';
import { fieldOf, queryOf } from '../request.ts';
import { countsOfRun, followRun, isRunOf } from './follow-run.ts';
import { backTo, filterNoted, filterOf, filterOfForm, readQuery } from './query.ts';

/** Milliseconds that a search for a text may take, for the page and for its count, before it says "at least". */
const SEARCH_MS = 80;
/** Seconds after which a page that follows a run is read again. */
const REFRESH_S = 3;

/**
 * `/parked` and `/dead`: what is unresolved, all or by a filter, page by page, and `POST …/replay` and `…/drop` for all
 * that the filter names. What stopped after the page was made is left out. Each action is logged when it begins and when
 * it is done; a long one continues in this process, and `POST …/runs/:id` resumes one whose process ended.
 */
export function unresolvedRoutes(parts: HandlerParts): Router {
  const { store, config, connections } = parts;
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  for (const state of ['parked', 'dead'] as const) {
    router.get(`/${state}`, async (request, response) => {
      const now = Date.now();
      const query = readQuery((name) => queryOf(request, name));
      const scope = scopeOf(response);
      const filter = filterOf(query, now, scope, zoneOf(request));
      const [after, before] = [queryOf(request, 'after'), queryOf(request, 'before')];
      const [page, matching, partitions, unindexed, all, names] = await ask(store, () =>
        Promise.all([
          store.unresolved.page(state, filter, { after, before, within: SEARCH_MS }),
          store.unresolved.countMatches(state, filter, SEARCH_MS),
          store.unresolved.partitions(state, { client: scope.client }),
          // Counted for the installation as a whole.
          scope.client === undefined ? countUnindexed(store, state) : 0,
          listBulk(store),
          connections(),
        ]),
      );
      const own = all.filter((run) => isRunOf(run, scope));
      const runs = own.filter((run) => run.state === state && run.begun && run.ended === undefined);
      const { sources, routes } = configOfScope(config(), scope);
      const shown = own.find(({ id, ended }) => id === queryOf(request, 'run') && ended !== undefined);
      sendPage(response, {
        title: state === 'parked' ? 'Parked' : 'Dead',
        at: `/${state}`,
        notice: shown
          ? noticeOf(queryOf(request, 'did') ?? noticeNameOfRun(shown.action), countsOfRun(shown))
          : readNotice(request),
        extra: 'worklist',
        ...(runs.some(({ moved_at }) => now - moved_at < STILL_MS)
          ? { refresh: REFRESH_S }
          : { live: { one: `more is ${state}`, many: `more are ${state}` } }),
        body: renderUnresolved({
          ...{ state, page, matching, partitions, unindexed, query, now, runs },
          left: shown && renderLeft(shown),
          may: (right) => hasRight(roleOf(response), right),
          connections: names.filter((name) => isInScope(scope, name)),
          sources: Object.keys(sources),
          routes: routes.map(({ name }) => name),
        }),
      });
    });

    router.post(`/${state}/replay`, form, (request, response) => startRun(request, response, state, 'replay'));

    router.post(`/${state}/drop`, form, async (request, response) => {
      const why = scrub((fieldOf(request, 'why') ?? '').trim(), MAX_REASON_LENGTH);
      if (!why) return redirectTo(response, backTo(request, state, { did: 'reason' }));
      return startRun(request, response, state, 'drop', why);
    });

    router.post(`/${state}/runs/:id`, form, async (request, response) => {
      const run = await ask(store, () => readBulk(store, request.params.id as string));
      if (run?.state !== state || !isRunOf(run, scopeOf(response))) {
        const lines = ['The run is not known any more.'];
        return void response.status(404).send(renderMessage('No such run', lines));
      }
      await follow(request, response, run, state);
    });
  }

  async function startRun(
    request: Request,
    response: Response,
    state: UnresolvedState,
    action: BulkAction,
    why?: string,
  ): Promise<void> {
    const filter = filterOfForm(request, scopeOf(response));
    const given = { state, action, filter, by: operatorOf(request, response), ...(why === undefined ? {} : { why }) };
    await follow(request, response, await ask(store, () => startBulk(store, given)), state);
  }

  function follow(
    request: Request,
    response: Response,
    run: Parameters<typeof followRun>[3],
    state: UnresolvedState,
  ): Promise<void> {
    const toList = (further: Record<string, string>) => backTo(request, state, further);
    return followRun(parts, request, response, run, { noted: { filter: filterNoted(request) }, toList });
  }
  return router;
}
