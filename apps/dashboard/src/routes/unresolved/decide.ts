import { own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import { filterAlike, type LedgerEntry, readBulk, readCursor, startAlike, type UnresolvedItem } from '@wrapup/queue';
import { planOn, readStanding } from '@wrapup/recovery/standing-call';
import { html } from '@wrapup/telemetry';
import express, { type Request, type Response, Router } from 'express';
import { renderMessage, sendPage } from '../../pages/layout.ts';
import { renderLeft } from '../../pages/unresolved/bulk-preview-page.ts';
import { type Asked, renderAlike, renderDecide, renderDecided } from '../../pages/unresolved/decide-page.ts';
import { addressOf } from '../../pages/unresolved/query.ts';
import { askWho } from '../../queries/ask-crm.ts';
import { ask } from '../../queries/ask-redis.ts';
import { MOST_PREVIEWED, previewReplays } from '../../queries/preview-replays.ts';
import { zoneOf } from '../../queries/time-range.ts';
import { configOfScope, isInScope, redirectTo, scopeOf } from '../../security/client-scope.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noticeOf, readNotice } from '../notices.ts';
import { noteLook, operatorOf } from '../operator.ts';
import { fieldOf, queryOf } from '../request.ts';
import { countsOfRun, followRun, isRunOf } from './follow-run.ts';
import { filterOf, readQuery } from './query.ts';

/** Milliseconds that a search may take before a count says "at least". */
const SEARCH_MS = 200;

/**
 * `/parked/decide`: what is parked, one after the other, with what the call says beside the candidates; `/parked/choose`: the same
 * decision for all of a number. Payload and CRM are read for the page, noted before, and nothing of them is kept.
 */
export function decideRoutes(parts: HandlerParts): Router {
  const { store, config, log } = parts;
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/parked/decide', async (request, response) => {
    const scope = scopeOf(response);
    const query = readQuery((name) => queryOf(request, name));
    const filter = filterOf(query, Date.now(), scope, zoneOf(request));
    const [item, left] = await ask(store, () =>
      Promise.all([findItem(), store.unresolved.countMatches('parked', filter, SEARCH_MS)]),
    );
    const run = await ask(store, () => readBulk(store, queryOf(request, 'run') ?? ''));
    const ended = run && isRunOf(run, scope) ? run : undefined;
    const notice = ended ? noticeOf(queryOf(request, 'did'), countsOfRun(ended)) : readNotice(request);
    const page = { title: 'Decide', at: '/parked', extra: 'worklist', notice } as const;
    const remains = ended && renderLeft(ended);
    if (!item) return sendPage(response, { ...page, body: html`${remains}${renderDecided(query, left.count)}` });
    const entry = await ask(store, () => store.ledger.read(item.source, item.call_id));
    const place = item.route === null || !item.candidates?.length ? undefined : { ...item, route: item.route };
    const alike = place && (await ask(store, () => filterAlike(store, place)));
    const others = alike && (await ask(store, () => store.unresolved.countMatches('parked', alike.filter, SEARCH_MS)));
    const [source, call_id] = [queryOf(request, 'last_source'), queryOf(request, 'last')];
    sendPage(response, {
      ...page,
      body: html`${remains}${renderDecide({
        ...{ item, query, left, alike: Math.max(0, (others?.count ?? 0) - 1) },
        asked: await readAsked(request, response, item, entry),
        before: source && call_id ? { source, call_id } : undefined,
      })}`,
    });

    /** The one that is named, or the next one behind a place in the list. */
    async function findItem(): Promise<UnresolvedItem | undefined> {
      const [id, named, route] = [queryOf(request, 'id'), queryOf(request, 'id_source'), queryOf(request, 'id_route')];
      if (id !== undefined) {
        const all = await store.unresolved.named('parked', [id], { client: scope.client });
        return all.find((one) => (named ?? one.source) === one.source && (route ?? '') === (one.route ?? ''));
      }
      const given = queryOf(request, 'after');
      const after = readCursor(given, 2) ? given : undefined;
      const { items } = await store.unresolved.page('parked', filter, { limit: 1, after });
      return items[0];
    }
  });

  /** What the call says, from its payload, and who the candidates are, from the CRM: each noted before it is read. */
  async function readAsked(
    request: Request,
    response: Response,
    { source: name, call_id, route: routeName, connection: to, candidates = [], code }: UnresolvedItem,
    entry: LedgerEntry | undefined,
  ): Promise<Asked> {
    const now: Config = configOfScope(config(), scopeOf(response));
    const source = own(now.sources, name);
    const place = { source: name, call_id, ...(routeName === null ? {} : { route: routeName }) };
    const gone = { people: candidates.map(({ id }) => ({ id })) };
    if (!source || !entry) return gone;
    await noteLook({ store, log }, request, response, place, 'read payload');
    const standing = await ask(store, () => readStanding(store, entry, source));
    const call = standing?.call;
    const connection = own(now.connections, to ?? '');
    // Records between which a person has to decide are no people.
    if (candidates.length === 0 || code !== 'ambiguous_person' || !connection) return { ...gone, call };
    const route = now.routes.find((one) => one.name === routeName);
    const person = route && standing ? planOn(route, standing).plan.person : null;
    await noteLook({ store, log }, request, response, { ...place, connection: connection.name });
    const ids = candidates.map(({ id }) => id);
    const answer = await askWho(store, connection, ids, person?.fields.map((field) => field.name) ?? []);
    return { call, person, people: 'failure' in answer ? answer : answer.people };
  }

  router.get('/parked/choose', async (request, response) => {
    const scope = scopeOf(response);
    const of = readDelivery((name) => queryOf(request, name));
    const person = queryOf(request, 'person');
    const alike = of && isInScope(scope, of.source) ? await ask(store, () => filterAlike(store, of)) : undefined;
    if (!of || !person || !alike?.candidates.includes(person)) return refuse(response);
    const [{ items }, matching] = await ask(store, () =>
      Promise.all([
        store.unresolved.page('parked', alike.filter, { limit: MOST_PREVIEWED, within: SEARCH_MS }),
        store.unresolved.countMatches('parked', alike.filter, SEARCH_MS),
      ]),
    );
    const note = (connection: string, count: number) =>
      noteLook({ store, log }, request, response, { connection, of: count });
    const previews = await previewReplays(store, configOfScope(config(), scope), items, note, person);
    const query = readQuery((name) => queryOf(request, name));
    sendPage(response, {
      ...{ title: 'Decide for all of a number', at: '/parked', extra: 'worklist' },
      body: renderAlike({ of, person, query, matching, items, previews }),
    });
  });

  router.post('/parked/choose', form, async (request, response) => {
    const of = readDelivery((name) => fieldOf(request, name));
    const person = fieldOf(request, 'person');
    if (!of || !person || !isInScope(scopeOf(response), of.source)) return refuse(response);
    const choice = { person, remember: fieldOf(request, 'remember') === 'yes', by: operatorOf(request, response) };
    const run = await ask(store, () => startAlike(store, of, choice));
    const query = readQuery((name) => fieldOf(request, name));
    if (typeof run === 'string') return redirectTo(response, addressOf('/parked/decide', query, { did: run }));
    await followRun(parts, request, response, run, {
      noted: { source: of.source, call_id: of.call_id, record: person },
      toList: (further) => addressOf('/parked', query, further),
      toNext: (further) => addressOf('/parked/decide', query, further),
    });
  });
  return router;
}

/** A delivery that a request names. */
function readDelivery(value: (name: string) => string | undefined) {
  const [source, call_id, route] = [value('of_source'), value('call_id'), value('of_route')];
  return source && call_id && route ? { source, call_id, route } : undefined;
}

function refuse(response: Response): void {
  const lines = ['It is not parked for several people any more, or the person is none of them. Nothing was changed.'];
  response.status(404).send(renderMessage('Nothing to decide', lines));
}
