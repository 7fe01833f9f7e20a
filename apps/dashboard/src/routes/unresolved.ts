import { attemptsOf, parseDuration } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import {
  type BulkAction,
  type BulkRun,
  countUnindexed,
  listBulk,
  readBulk,
  reasonFilter,
  runBulk,
  startBulk,
  type UnresolvedFilter,
  type UnresolvedState,
} from '@wrapup/queue';
import express, { type Request, type Response, Router } from 'express';
import { MAX_REASON_LENGTH } from '../pages/actions.ts';
import { renderMessage, sendPage } from '../pages/layout.ts';
import { renderUnresolved, STILL_MS, type UnresolvedQuery } from '../pages/unresolved-page.ts';
import { ask } from '../queries/ask-redis.ts';
import { type ClientScope, configOfScope, isInScope, redirectTo, scopeOf } from '../security/client-scope.ts';
import type { HandlerParts, Latest } from './handler-parts.ts';
import { noticeOf, readNotice } from './notices.ts';
import { noteAction, operatorOf, orLate } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

/** Milliseconds that a search for a text may take, for the page and for its count, before it says "at least". */
const SEARCH_MS = 80;
/** Seconds after which a page that follows a run is read again. */
const REFRESH_S = 3;

/**
 * `/parked` and `/dead`: what is unresolved, all or by a filter, page by page, and `POST …/replay` and `…/drop` for all
 * that the filter names. What stopped after the page was made is left out. Each action is logged when it begins and when
 * it is done; a long one continues in this process, and `POST …/runs/:id` resumes one whose process ended.
 */
export function unresolvedRoutes({ store, config, latest, connections, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  for (const state of ['parked', 'dead'] as const) {
    router.get(`/${state}`, async (request, response) => {
      const now = Date.now();
      const query = readQuery((name) => queryOf(request, name));
      const scope = scopeOf(response);
      const filter = filterOf(query, now, scope);
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
        notice: shown ? noticeOf(noticeNameOf(shown.action), countsOf(shown)) : readNotice(request),
        ...(runs.some(({ moved_at }) => now - moved_at < STILL_MS) ? { refresh: REFRESH_S } : {}),
        body: renderUnresolved({
          ...{ state, page, matching, partitions, unindexed, query, now, runs },
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
      await follow(request, response, run, await latest());
    });
  }

  async function startRun(
    request: Request,
    response: Response,
    state: UnresolvedState,
    action: BulkAction,
    why?: string,
  ): Promise<void> {
    const now = await latest();
    const seen = Number(fieldOf(request, 'seen'));
    const query = readQuery((name) => fieldOf(request, name));
    const filter = filterOf(query, Number.isFinite(seen) && seen > 0 ? seen : 0, scopeOf(response));
    const given = { state, action, filter, by: operatorOf(request, response), ...(why === undefined ? {} : { why }) };
    await follow(request, response, await ask(store, () => startBulk(store, given)), now);
  }

  /** Runs it, and answers when it is done, or after a moment with the page that follows it. */
  async function follow(
    request: Request,
    response: Response,
    { id, state, action, of }: BulkRun,
    { config: now, broken }: Latest,
  ): Promise<void> {
    const line = { action: `${action} ${state}`, run: id, filter: filterNoted(request) };
    noteAction(log, request, response, { ...line, of });
    const work = runBulk(store, id, {
      ...{ attempts: (route) => attemptsOf(now, route), config: now.hash },
      by: operatorOf(request, response),
    }).then(
      (run) => {
        noteAction(log, request, response, { ...line, ...countsOf(run) });
        return run;
      },
      (error: unknown) => {
        log.warn({ ...line, err: error }, 'a bulk replay or drop was interrupted; it can be resumed');
        return undefined;
      },
    );
    const run = await orLate(work);
    if (run === 'late') return redirectTo(response, backTo(request, state, { run: id }));
    if (run === undefined) return redirectTo(response, backTo(request, state, { did: 'interrupted' }));
    const did = action === 'replay' && broken ? 'replayed_many_before' : noticeNameOf(action);
    redirectTo(response, backTo(request, state, { did, ...countsOf(run) }));
  }
  return router;
}

function noticeNameOf(action: BulkAction): string {
  return action === 'replay' ? 'replayed_many' : 'dropped_many';
}

function countsOf({ done, of, matched, expired, filter }: BulkRun): { done: number; of: number; gone: number } {
  return { done, of: filter.text ? matched : of, gone: expired };
}

function readQuery(value: (name: string) => string | undefined): UnresolvedQuery {
  const query: UnresolvedQuery = {};
  for (const name of ['route', 'connection', 'source', 'code', 'reason', 'since'] as const) {
    const given = value(name)?.trim();
    if (given) query[name] = given;
  }
  if (query.since !== undefined && parseDuration(query.since) === undefined) delete query.since;
  return query;
}

/** Whether a run may be followed: within one client, only those of that client. */
export function isRunOf({ filter }: BulkRun, { client }: { client?: string | undefined }): boolean {
  return client === undefined || filter.client === client;
}

/** @param seen epoch ms of the page that the filter was chosen on */
function filterOf(
  { since, code, reason, ...places }: UnresolvedQuery,
  seen: number,
  { client }: ClientScope,
): UnresolvedFilter {
  const ago = since === undefined ? undefined : parseDuration(since);
  return {
    ...places,
    client,
    ...(reason === undefined ? {} : reasonFilter(reason)),
    ...(code === undefined ? {} : { codes: [code] }),
    until: seen,
    ...(ago === undefined ? {} : { since: seen - ago }),
  };
}

/** The filter for the log: its reason is free text. */
function filterNoted(request: Request): UnresolvedQuery {
  const query = readQuery((name) => fieldOf(request, name));
  return { ...query, ...(query.reason ? { reason: scrub(query.reason, MAX_REASON_LENGTH) } : {}) };
}

function backTo(request: Request, state: UnresolvedState, further: Record<string, string | number>): string {
  const parameters = new URLSearchParams(Object.entries(readQuery((name) => fieldOf(request, name))));
  for (const [name, value] of Object.entries(further)) parameters.set(name, String(value));
  return `/${state}?${parameters}`;
}
