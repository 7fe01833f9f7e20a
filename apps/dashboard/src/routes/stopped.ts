import { attemptsOf, type Config, parseDuration } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import {
  dropStopped,
  listStopped,
  replayStopped,
  type Stopped,
  type StoppedFilter,
  type StoppedItem,
  type Store,
} from '@wrapup/queue';
import type { Logger } from '@wrapup/telemetry';
import express, { type Request, Router } from 'express';
import type { Latest } from '../dashboard.ts';
import { LONGEST_REASON } from '../pages/actions.ts';
import { sendPage } from '../pages/layout.ts';
import { MOST_AT_ONCE, renderStopped, type StoppedQuery } from '../pages/stopped-page.ts';
import { ask } from '../unavailable.ts';
import { noticeOf } from './notices.ts';
import { noteAction } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

export interface StoppedRoutesParts {
  store: Store;
  config: () => Config;
  latest: () => Promise<Latest>;
  connections: () => Promise<string[]>;
  log: Logger;
}

/** Deliveries that are under way to Redis at once. */
const AT_ONCE = 20;

/**
 * `/parked` and `/dead`: what stopped, all or by a filter, and `POST …/replay` and `…/drop` for all that the filter
 * names. What stopped after the page was made is not meant: nobody has seen it. Each press leaves a line in the log.
 */
export function stoppedRoutes({ store, config, latest, connections, log }: StoppedRoutesParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  for (const state of ['parked', 'dead'] as const) {
    router.get(`/${state}`, async (request, response) => {
      const now = Date.now();
      const query = readQuery((name) => queryOf(request, name));
      const [items, names] = await ask(store, () =>
        Promise.all([listStopped(store, state, filterOf(query, now)), connections()]),
      );
      const { sources, routes } = config();
      const counts = (name: string) => Number(queryOf(request, name)) || 0;
      const [done, of, gone] = ['done', 'of', 'gone'].map(counts) as [number, number, number];
      sendPage(response, {
        title: state === 'parked' ? 'Parked' : 'Dead',
        at: `/${state}`,
        notice: noticeOf(queryOf(request, 'did'), { done, of, gone }),
        body: renderStopped({
          ...{ state, items, query, now, connections: names },
          sources: Object.keys(sources),
          routes: routes.map(({ name }) => name),
        }),
      });
    });

    router.post(`/${state}/replay`, form, async (request, response) => {
      const { config: now, broken } = await latest();
      const attempts = (route: string) => attemptsOf(now, route);
      const counts = await actOnAll(request, state, (item) =>
        replayStopped(store, state, item, { attempts, config: now.hash }),
      );
      noteAction(log, request, response, { action: `replay ${state}`, ...counts, filter: filterNoted(request) });
      response.redirect(303, backTo(request, state, broken ? 'replayed_many_before' : 'replayed_many', counts));
    });

    router.post(`/${state}/drop`, form, async (request, response) => {
      const why = scrub((fieldOf(request, 'why') ?? '').trim(), LONGEST_REASON);
      if (!why) return response.redirect(303, backTo(request, state, 'reason'));
      const counts = await actOnAll(request, state, async (item) =>
        (await dropStopped(store, item, why)) ? 'dropped' : 'moved',
      );
      noteAction(log, request, response, { action: `drop ${state}`, ...counts, filter: filterNoted(request) });
      response.redirect(303, backTo(request, state, 'dropped_many', counts));
    });
  }

  /** The longest waiting first, so many a press. */
  async function actOnAll(
    request: Request,
    state: Stopped,
    act: (item: StoppedItem) => Promise<'replayed' | 'dropped' | 'moved' | 'expired'>,
  ): Promise<{ done: number; of: number; gone: number }> {
    const query = readQuery((name) => fieldOf(request, name));
    const seen = Number(fieldOf(request, 'seen'));
    const filter = filterOf(query, Number.isFinite(seen) && seen > 0 ? seen : 0);
    const items = (await ask(store, () => listStopped(store, state, filter))).slice(0, MOST_AT_ONCE);
    const told = { done: 0, of: items.length, gone: 0 };
    for (let start = 0; start < items.length; start += AT_ONCE) {
      const some = items.slice(start, start + AT_ONCE);
      for (const did of await ask(store, () => Promise.all(some.map(act)))) {
        if (did === 'expired') told.gone += 1;
        else if (did !== 'moved') told.done += 1;
      }
    }
    return told;
  }
  return router;
}

function readQuery(value: (name: string) => string | undefined): StoppedQuery {
  const query: StoppedQuery = {};
  for (const name of ['route', 'connection', 'source', 'reason', 'since'] as const) {
    const given = value(name)?.trim();
    if (given) query[name] = given;
  }
  if (query.since !== undefined && parseDuration(query.since) === undefined) delete query.since;
  return query;
}

/** @param seen epoch ms of the page that the filter was chosen on */
function filterOf({ since, ...rest }: StoppedQuery, seen: number): StoppedFilter {
  const ago = since === undefined ? undefined : parseDuration(since);
  return { ...rest, until: seen, ...(ago === undefined ? {} : { since: seen - ago }) };
}

/** The filter for the log: its reason is free text. */
function filterNoted(request: Request): StoppedQuery {
  const query = readQuery((name) => fieldOf(request, name));
  return { ...query, ...(query.reason ? { reason: scrub(query.reason, LONGEST_REASON) } : {}) };
}

function backTo(request: Request, state: Stopped, did: string, counts: Record<string, number> = {}): string {
  const parameters = new URLSearchParams(Object.entries(readQuery((name) => fieldOf(request, name))));
  parameters.set('did', did);
  for (const [name, number] of Object.entries(counts)) parameters.set(name, String(number));
  return `/${state}?${parameters}`;
}
