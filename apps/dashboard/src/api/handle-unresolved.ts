import { attemptsOf } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import {
  type AuditedOperator,
  type BulkAction,
  type BulkRun,
  filterAlike,
  readBulk,
  readCursor,
  reasonFilter,
  runBulk,
  startAlike,
  startBulk,
  type UnresolvedFilter,
  type UnresolvedState,
} from '@wrapup/queue';
import type { z } from 'zod';
import { MAX_REASON_LENGTH } from '../pages/actions.ts';
import { ask } from '../queries/ask-redis.ts';
import type { HandlerParts } from '../routes/handler-parts.ts';
import { orLate } from '../routes/operator.ts';
import { isRunOf } from '../routes/unresolved/follow-run.ts';
import { isInScope } from '../security/client-scope.ts';
import type { Handlers } from './api-request.ts';
import { runOf, unresolvedOf } from './convert.ts';
import { ApiProblem, choiceProblem } from './problems.ts';
import type { BULK_ANSWER, REPLAY_MANY, UNRESOLVED_QUERY } from './schemas.ts';

type UnresolvedOperation =
  | ('listParked' | 'replayParked' | 'dropParked' | 'chooseParked' | 'listDead' | 'replayDead' | 'dropDead')
  | 'readRun';

/** Milliseconds that a search for a text may take, for a page and for a count, before it says "at least". */
const SEARCH_MS = 1_000;

interface Many {
  state: UnresolvedState;
  action: BulkAction;
  body: z.output<typeof REPLAY_MANY> & { why?: string };
  by: AuditedOperator;
  client: string | undefined;
}

export function handleUnresolved({ store, latest, log }: HandlerParts): Handlers<UnresolvedOperation> {
  async function list(
    state: UnresolvedState,
    { limit, cursor, client: _, ...places }: z.output<typeof UNRESOLVED_QUERY>,
    client: string | undefined,
  ) {
    if (cursor !== undefined && !readCursor(cursor, 2)) throw new ApiProblem('invalid-cursor');
    const filter = filterOf(places, client);
    const page = await ask(store, () =>
      store.unresolved.page(state, filter, { limit, after: cursor, within: SEARCH_MS }),
    );
    return { items: page.items.map(unresolvedOf), next: page.next ?? null };
  }

  async function many({ state, action, body, by, client }: Many): Promise<z.input<typeof BULK_ANSWER>> {
    const { filter: places, all, dry_run, why } = body;
    if (!all && Object.keys(places).length === 0) {
      const errors = [{ at: 'body.filter', message: 'an empty filter means all of them: say so with "all": true' }];
      throw new ApiProblem('invalid-request', { detail: 'Nothing says which.', errors });
    }
    const filter = filterOf(places, client);
    if (dry_run) {
      const counted = await ask(store, () => store.unresolved.countMatches(state, filter, SEARCH_MS));
      return { dry_run: true, ...counted };
    }
    const reason = why === undefined ? {} : { why: scrub(why, MAX_REASON_LENGTH) };
    return carryOut(await ask(store, () => startBulk(store, { state, action, filter, by, ...reason })), by);
  }

  /** Runs it, and answers when it is done, or after a moment with how far it is. */
  async function carryOut(begun: BulkRun, by: AuditedOperator): Promise<z.input<typeof BULK_ANSWER>> {
    const { config } = await latest();
    const how = { attempts: (route: string) => attemptsOf(config, route), config: config.hash, by };
    const work = runBulk(store, begun.id, how).catch((error: unknown) => {
      log.warn({ run: begun.id, err: error }, 'a bulk replay or drop was interrupted; it can be resumed');
      return undefined;
    });
    const run = await orLate(work);
    const now = run === 'late' || run === undefined ? await ask(store, () => readBulk(store, begun.id)) : run;
    return { dry_run: false, run: runOf(now ?? begun) };
  }

  return {
    listParked: ({ query, client }) => list('parked', query, client),
    replayParked: ({ body, by, client }) => many({ state: 'parked', action: 'replay', body, by, client }),
    dropParked: ({ body, by, client }) => many({ state: 'parked', action: 'drop', body, by, client }),
    async chooseParked({ body: { dry_run, person, remember, ...delivery }, by, client }) {
      const isInside = isInScope({ client }, delivery.source);
      const alike = isInside ? await ask(store, () => filterAlike(store, delivery)) : undefined;
      if (!alike) throw notAmbiguous(delivery);
      if (!alike.candidates.includes(person)) throw choiceProblem('no_candidate');
      if (dry_run) {
        const counted = await ask(store, () => store.unresolved.countMatches('parked', alike.filter, SEARCH_MS));
        return { dry_run: true, ...counted };
      }
      const begun = await ask(store, () => startAlike(store, delivery, { person, remember, by }));
      if (begun === 'moved') throw notAmbiguous(delivery);
      if (typeof begun === 'string') throw choiceProblem(begun);
      return carryOut(begun, by);
    },
    listDead: ({ query, client }) => list('dead', query, client),
    replayDead: ({ body, by, client }) => many({ state: 'dead', action: 'replay', body, by, client }),
    dropDead: ({ body, by, client }) => many({ state: 'dead', action: 'drop', body, by, client }),

    async readRun({ params, client }) {
      const run = await ask(store, () => readBulk(store, params.id ?? ''));
      if (!run || !isRunOf(run, { client }))
        throw new ApiProblem('not-found', { detail: 'No such run, or not any more.' });
      return runOf(run);
    },
  };
}

function notAmbiguous({ call_id, route }: { call_id: string; route: string }): ApiProblem {
  const detail = `Call ${call_id} is not parked on route ${route} for a number or address that several people have.`;
  return new ApiProblem('not-found', { detail });
}

function filterOf(
  { reason, since, until, ...places }: z.output<typeof REPLAY_MANY>['filter'],
  client: string | undefined,
): UnresolvedFilter {
  return {
    ...places,
    client,
    ...(reason === undefined ? {} : reasonFilter(reason)),
    ...(since === undefined ? {} : { since: Date.parse(since) }),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
  };
}
