import { attemptsOf, type Config, parseDuration } from '@wrapup/config';
import { OMISSIONS, type OmissionCode } from '@wrapup/destination';
import { readCounters } from '@wrapup/mapping';
import { replayOmitted, type Store } from '@wrapup/queue';
import express, { type Request, Router } from 'express';
import { renderMessage, sendPage } from '../pages/layout.ts';
import { type OmissionsQuery, type RouteHealth, renderOmissionsPage } from '../pages/omissions-page.ts';
import { ask } from '../queries/ask-redis.ts';
import { configOfScope, isInScope, redirectTo, scopeOf } from '../security/client-scope.ts';
import type { HandlerParts } from './handler-parts.ts';
import { readNotice } from './notices.ts';
import { noteAction, operatorOf, orLate } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

/**
 * `/omissions`, and `POST /omissions/:id/replay`, which is logged when it begins and when it is done; a long one continues in
 * this process. Interrupted, the same again does the rest: what is queued is left alone.
 */
export function omissionRoutes({ store, config, latest, connections, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/omissions', async (request, response) => {
    const scope = scopeOf(response);
    const query = readQuery((name) => queryOf(request, name));
    const now = configOfScope(config(), scope);
    const [names, lines, health] = await ask(store, async () => {
      const own = (await connections()).filter((name) => isInScope(scope, name));
      const chosen = own.filter((name) => query.connection === undefined || name === query.connection);
      const ago = parseDuration(query.since ?? '7d') ?? 0;
      return Promise.all([
        own,
        store.omissions.list({ connections: chosen, since: Date.now() - ago }),
        readHealth(store, now, query.connection),
      ]);
    });
    sendPage(response, {
      title: 'Omissions',
      at: '/omissions',
      live: 'page',
      notice: readNotice(request),
      body: renderOmissionsPage({
        ...{ query, health, connections: names },
        lines: lines.filter(({ code }) => query.reason === undefined || code === query.reason),
      }),
    });
  });

  router.post('/omissions/:id/replay', form, async (request, response) => {
    const scope = scopeOf(response);
    const id = request.params.id as string;
    const own = (await ask(store, connections)).filter((name) => isInScope(scope, name));
    const line = await ask(store, () => store.omissions.find(id, own));
    if (!line) {
      const why = ['Nothing was changed: the line is not known, or not any more.'];
      return void response.status(404).send(renderMessage('No such line', why));
    }
    const { config: now, broken } = await latest();
    const { connection, code } = line;
    const noted = { action: 'replay omissions', line: id, connection, code };
    noteAction(log, request, response, { ...noted, of: line.open });
    let done = 0;
    const work = replayOmitted(store, line, {
      ...{ attempts: (route) => attemptsOf(now, route), config: now.hash, by: operatorOf(request, response) },
      onCall: (_call, result) => {
        if (result === 'replayed') done += 1;
      },
    }).then(
      (counts) => {
        noteAction(log, request, response, { ...noted, of: counts.of, done: counts.replayed, gone: counts.expired });
        return counts;
      },
      (error: unknown) => {
        log.warn({ ...noted, done, err: error }, 'a replay of omissions was interrupted; the same again does the rest');
        return undefined;
      },
    );
    const counts = await orLate(work);
    if (counts === 'late') return redirectTo(response, backTo(request, { did: 'line_goes_on' }));
    if (counts === undefined) return redirectTo(response, backTo(request, { did: 'line_interrupted' }));
    const did = broken ? 'replayed_many_before' : 'replayed_many';
    redirectTo(response, backTo(request, { did, done: counts.replayed, of: counts.of, gone: counts.expired }));
  });
  return router;
}

async function readHealth(store: Store, { routes }: Config, connection: string | undefined): Promise<RouteHealth[]> {
  const chosen = routes.filter(({ to }) => connection === undefined || to === connection);
  return Promise.all(
    chosen.map(async ({ name, to, mapping }) => {
      const { fields, paths } = readCounters(mapping, await store.counters.sums({ connection: to, route: name }));
      return { route: name, connection: to, fields, never: paths.filter(({ never }) => never) };
    }),
  );
}

function readQuery(value: (name: string) => string | undefined): OmissionsQuery {
  const [connection, reason, since] = [value('connection'), value('reason'), value('since')];
  return {
    ...(connection === undefined ? {} : { connection }),
    ...(reason !== undefined && Object.hasOwn(OMISSIONS, reason) ? { reason: reason as OmissionCode } : {}),
    ...(since !== undefined && parseDuration(since) !== undefined ? { since } : {}),
  };
}

function backTo(request: Request, further: Record<string, string | number>): string {
  const parameters = new URLSearchParams(Object.entries(readQuery((name) => fieldOf(request, name))));
  for (const [name, value] of Object.entries(further)) parameters.set(name, String(value));
  return `/omissions?${parameters}`;
}
