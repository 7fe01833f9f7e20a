import { own } from '@wrapup/call';
import { agentName, type Config } from '@wrapup/config';
import {
  type AuditedAction,
  type DeliveryState,
  explainPause,
  type LedgerEntry,
  readCursor,
  readSchemaChecks,
  type Store,
} from '@wrapup/queue';
import { html, type Logger } from '@wrapup/telemetry';
import { Router } from 'express';
import { renderCall, renderChoice } from '../pages/call-page.ts';
import { renderCalls } from '../pages/calls-page.ts';
import { renderMessage, sendPage } from '../pages/layout.ts';
import { linkToCall } from '../pages/parts.ts';
import { askWho, type Candidates } from '../queries/ask-crm.ts';
import { ask } from '../queries/ask-redis.ts';
import { makeOverview } from '../queries/overview.ts';
import { readReconciliations } from '../queries/reconciliations.ts';
import { CALL_STATES, type CallSearch, searchCalls } from '../queries/search-calls.ts';
import { configOfScope, isInScope, redirectTo, scopeOf } from '../security/client-scope.ts';
import { hasRight, roleOf } from '../security/rights.ts';
import { noticeOf, noticeOfReplay } from './notices.ts';
import { noteLook } from './operator.ts';
import { queryOf } from './request.ts';

export interface CallRoutesParts {
  store: Store;
  config: () => Config;
  connections: () => Promise<string[]>;
  /** Names of the queues of calls and deliveries. */
  queues: () => Promise<string[]>;
  log: Logger;
}

/** `/` the calls, `/calls/:id` one of them. They read and change nothing; a look into a CRM leaves a line in the log. */
export function callRoutes({ store, config, connections, queues, log }: CallRoutesParts): Router {
  const router = Router();
  const overview = makeOverview(store, queues);

  router.get('/', async (request, response) => {
    const query = readQuery((name) => queryOf(request, name));
    const scope = scopeOf(response);
    const now = configOfScope(config(), scope);
    if (query.id && !query.after) {
      const id = query.id;
      const [exact, ...others] = await ask(store, () => store.ledger.find(id, Object.keys(now.sources)));
      if (exact && others.length === 0) return redirectTo(response, linkToCall(exact.source, exact.call_id));
    }
    const [page, numbers, names, reconciliations, schemaChecks] = await ask(store, () =>
      Promise.all([
        searchCalls(store, query, scope.client),
        overview(scope.client),
        connections(),
        readReconciliations(store, now),
        readSchemaChecks(store, Object.keys(now.connections)),
      ]),
    );
    const { sources, routes } = now;
    sendPage(response, {
      title: 'Calls',
      at: '/',
      body: renderCalls({
        page,
        query,
        overview: numbers,
        reconciliations,
        schemaChecks,
        sources: Object.keys(sources),
        routes: routes.map(({ name }) => name),
        connections: names.filter((name) => isInScope(scope, name)),
      }),
    });
  });

  router.get('/calls/:id', async (request, response) => {
    const id = request.params.id;
    const source = queryOf(request, 'source');
    const scope = scopeOf(response);
    const now = configOfScope(config(), scope);
    const sources = (source ? [source] : Object.keys(now.sources)).filter((name) => isInScope(scope, name));
    const entries = await ask(store, () => store.ledger.find(id, sources));
    const [entry] = entries;
    if (!entry) {
      return void response
        .status(404)
        .send(
          renderMessage('No such call', [
            'The ledger does not know this call. It never came in, or its retention has passed.',
            html`<a href="/">All calls</a>`,
          ]),
        );
    }
    if (entries.length > 1) {
      return sendPage(response, { title: 'Which call?', body: renderChoice(entries) });
    }
    const [kept, pauses] = await ask(store, () => Promise.all([findKept(store, entry), findPauses(store, entry)]));
    const configured = Object.hasOwn(now.sources, entry.source);
    const agent = agentName(now, entry.source, entry.agent_id);
    const did = queryOf(request, 'did');
    // One that goes by an earlier configuration has a notice of its own.
    const replayed = did === 'replayed' ? replayedState(entry, queryOf(request, 'on')) : undefined;
    const follows = replayed === 'queued' && pauses.size === 0 && isRecent(queryOf(request, 'at'));
    // A page that is read again every few seconds does not ask the CRM each time.
    const candidates =
      follows || !hasRight(roleOf(response), 'look_up')
        ? NOT_ASKED
        : await findCandidates(store, now, entry, (what) => noteLook({ store, log }, request, response, what));
    sendPage(response, {
      title: `Call ${entry.call_id}`,
      notice: replayed === undefined ? noticeOf(did) : noticeOfReplay(replayed),
      ...(follows ? { refresh: REFRESH_S } : {}),
      body: renderCall({ entry, kept, configured, pauses, agent, candidates }),
    });
  });
  return router;
}

function readQuery(value: (name: string) => string | undefined): CallSearch {
  const state = CALL_STATES.find((one) => one === value('state'));
  const id = value('id')?.trim();
  const after = readCursor(value('after'), 1) && value('after');
  const [route, connection, source, outcome] = [value('route'), value('connection'), value('source'), value('outcome')];
  return {
    ...(state ? { state } : {}),
    ...(route ? { route } : {}),
    ...(connection ? { connection } : {}),
    ...(source ? { source } : {}),
    ...(outcome ? { outcome } : {}),
    ...(value('omitted') === '1' ? { omitted: '1' } : {}),
    ...(id ? { id } : {}),
    ...(after ? { after } : {}),
  };
}

/** Connections that its deliveries go to and that are paused, with the reason. */
async function findPauses(store: Store, { deliveries }: LedgerEntry): Promise<Map<string, string>> {
  const pauses = new Map<string, string>();
  for (const state of await store.connections.readAll(new Set(deliveries.map(({ connection }) => connection)))) {
    const why = explainPause(state);
    if (why) pauses.set(state.connection, why);
  }
  return pauses;
}

/** Seconds after which a page that follows a replay is read again, and milliseconds for which it is. */
const REFRESH_S = 2;
const FOLLOWED_MS = 5 * 60_000;

/** What has become of a delivery that was replayed, or of a whole call. @param on route of the delivery */
function replayedState({ stopped, routed, deliveries }: LedgerEntry, on: string | undefined): DeliveryState {
  if (on === undefined && stopped) return stopped.state ?? 'dead';
  if (on === undefined && !routed) return 'queued';
  const states = new Set(deliveries.filter(({ route }) => on === undefined || route === on).map(({ state }) => state));
  return (['queued', 'parked', 'dead', 'written'] as const).find((state) => states.has(state)) ?? 'skipped';
}

/** @param at epoch ms of the replay */
function isRecent(at: string | undefined): boolean {
  return Math.abs(Date.now() - Number(at)) < FOLLOWED_MS;
}

const NOT_ASKED: ReadonlyMap<string, Candidates> = new Map();

/** People whom parked deliveries could be about, by route: read from the CRM for this page, and kept nowhere. @param note called before */
async function findCandidates(
  store: Store,
  config: Config,
  entry: LedgerEntry,
  note: (what: Omit<AuditedAction, 'action'>) => Promise<void>,
): Promise<Map<string, Candidates>> {
  const found = new Map<string, Candidates>();
  await Promise.all(
    entry.deliveries.map(async ({ route, connection: name, state, code, candidates }) => {
      const connection = own(config.connections, name);
      // Records between which a person has to decide are no people.
      if (state !== 'parked' || code === 'ambiguous_record' || !candidates?.length || !connection) return;
      await note({ source: entry.source, call_id: entry.call_id, route, connection: name });
      found.set(route, await askWho(store, connection, candidates));
    }),
  );
  return found;
}

/** Revisions whose bytes have not expired. */
async function findKept(store: Store, { source, call_id, revisions }: LedgerEntry): Promise<Set<string>> {
  const there = await Promise.all(
    revisions.map(({ hash }) => store.redis.exists(store.keys.payload(source, call_id, hash))),
  );
  return new Set(revisions.filter((_, index) => there[index] === 1).map(({ hash }) => hash));
}
