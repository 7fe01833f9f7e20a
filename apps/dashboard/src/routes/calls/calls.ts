import { emailForm, numberForms, own } from '@wrapup/call';
import { agentName, type Config } from '@wrapup/config';
import {
  type AuditedAction,
  checkRedis,
  type DeliveryState,
  explainPause,
  type IndexedPerson,
  type LedgerEntry,
  readCursor,
  type Store,
  splitMember,
} from '@wrapup/queue';
import { html } from '@wrapup/telemetry';
import express, { type Request, type Response, Router } from 'express';
import { liveMark } from '../../live/shared-pages.ts';
import { renderStops } from '../../pages/banners/stops.ts';
import { renderCall, renderChoice } from '../../pages/call-page.ts';
import { type AskedNames, type CallsPage, personsOf, renderCalls } from '../../pages/calls-page.ts';
import { type PageNotice, renderMessage, sendPage } from '../../pages/layout.ts';
import { linkToCall } from '../../pages/parts.ts';
import { askNames, askWho, type Candidates } from '../../queries/ask-crm.ts';
import { ask } from '../../queries/ask-redis.ts';
import { CALL_STATES, type CallPage, type CallSearch, readCalls, searchCalls } from '../../queries/search-calls.ts';
import { readMoment, zoneOf } from '../../queries/time-range.ts';
import { type ClientScope, configOfScope, isInScope, redirectTo, scopeOf } from '../../security/client-scope.ts';
import { hasRight, roleOf } from '../../security/rights.ts';
import type { HandlerParts } from '../handler-parts.ts';
import { noticeOf, noticeOfReplay } from '../notices.ts';
import { noteLook } from '../operator.ts';
import { fieldOf, queryOf } from '../request.ts';

/** `/calls` the calls, `/calls/:id` one of them. They read and change nothing; a look into a CRM leaves a line in the log. */
export function callRoutes({ store, config, connections, log }: HandlerParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '100kb' });

  router.get('/calls', async (request, response) => {
    const zone = zoneOf(request);
    const query = readQuery((name) => queryOf(request, name), zone);
    const scope = scopeOf(response);
    const now = configOfScope(config(), scope);
    if (query.id && !query.after) {
      const id = query.id;
      const [exact, ...others] = await ask(store, () => store.ledger.find(id, Object.keys(now.sources)));
      if (exact && others.length === 0) return redirectTo(response, linkToCall(exact.source, exact.call_id));
    }
    const line = query.line;
    const page = await ask(store, async () =>
      line === undefined ? searchCalls(store, query, scope.client) : callsOfLine(line, query, scope),
    );
    await sendList(request, response, { page, query });
  });

  router.post('/calls/of-person', form, async (request, response) => {
    const scope = scopeOf(response);
    const given = fieldOf(request, 'person')?.trim() ?? '';
    const keys = personKeys(given, configOfScope(config(), scope));
    if (!keys) {
      response.status(422);
      return sendList(request, response, { ...NO_CALLS, notice: NOT_A_PERSON, isRefused: true });
    }
    await noteLook({ store, log }, request, response, { target: 'calls of a person' });
    const entries = await ask(store, async () => readCalls(store, await store.people.calls(keys), scope.client));
    await sendList(request, response, { page: { entries, cut: false }, query: {}, ofPerson: true });
  });

  router.post('/calls/names', form, async (request, response) => {
    const scope = scopeOf(response);
    const calls = (fieldOf(request, 'calls') ?? '').split(/\r?\n/).slice(0, MOST_NAMED);
    const entries = await ask(store, () => readCalls(store, calls.map(splitMember), scope.client));
    const note: NoteLook = (what) => noteLook({ store, log }, request, response, what);
    const names = await findNames(entries, configOfScope(config(), scope), note);
    const query = readQuery((name) => queryOf(request, name), zoneOf(request));
    await sendList(request, response, { page: { entries, cut: false }, query, names });
  });

  async function callsOfLine(id: string, query: CallSearch, scope: ClientScope): Promise<CallPage> {
    const own = (await connections()).filter((name) => isInScope(scope, name));
    const line = await store.omissions.find(id, own);
    const calls = line ? await store.omissions.calls(line, query.from, query.until) : [];
    return { entries: await readCalls(store, calls.slice(0, MOST_NAMED), scope.client), cut: false };
  }

  /** Who the calls are about: one read of each CRM, noted before, which is kept nowhere. */
  async function findNames(entries: readonly LedgerEntry[], now: Config, note: NoteLook): Promise<AskedNames> {
    const names: AskedNames = { people: new Map(), problems: new Map() };
    const wanted = Map.groupBy(entries.flatMap(personsOf), ({ connection }) => connection);
    await Promise.all(
      [...wanted].map(async ([name, persons]) => {
        const connection = own(now.connections, name);
        if (!connection) return;
        const ids = [...new Set(persons.map(({ id }) => id))];
        await note({ connection: name, of: ids.length });
        const answer = await askNames(store, connection, ids);
        if ('failure' in answer) names.problems.set(name, `${name} could not be asked: ${answer.failure.message}`);
        else for (const person of answer.people) names.people.set(`${name} ${person.id}`, person);
      }),
    );
    return names;
  }

  async function sendList(
    request: Request,
    response: Response,
    {
      notice,
      ...parts
    }: Pick<CallsPage, 'page' | 'query' | 'names' | 'ofPerson' | 'isRefused'> & { notice?: PageNotice },
  ): Promise<void> {
    const scope = scopeOf(response);
    const now = configOfScope(config(), scope);
    const [names, states, redis] = await ask(store, () =>
      Promise.all([
        connections(),
        store.connections.readAll(Object.keys(now.connections)),
        checkRedis(store.redis, store.keys),
      ]),
    );
    sendPage(response, {
      ...{ title: 'Calls', at: '/calls', notice, live: { one: 'new call', many: 'new calls' } },
      body: renderCalls({
        ...parts,
        zone: zoneOf(request),
        stops: renderStops(states, redis.ok ? [] : redis.problems),
        agents: agentsOf(now),
        agentName: (source, id) => agentName(now, source, id),
        sources: Object.keys(now.sources),
        routes: now.routes.map(({ name }) => name),
        connections: names.filter((name) => isInScope(scope, name)),
      }),
    });
  }

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
            html`<a href="/calls">All calls</a>`,
          ]),
        );
    }
    if (entries.length > 1) {
      return sendPage(response, { title: 'Which call?', body: renderChoice(entries) });
    }
    const routes = entry.deliveries.map(({ route }) => route);
    const [kept, pauses, timings] = await ask(store, () =>
      Promise.all([findKept(store, entry), findPauses(store, entry), store.timings.read(entry, routes)]),
    );
    const configured = Object.hasOwn(now.sources, entry.source);
    const agent = agentName(now, entry.source, entry.agent_id);
    const did = queryOf(request, 'did');
    // One that goes by an earlier configuration has a notice of its own.
    const replayed = did === 'replayed' ? replayedState(entry, queryOf(request, 'on')) : undefined;
    const follows = replayed === 'queued' && pauses.size === 0 && isRecent(queryOf(request, 'at'));
    // A page that is read again while one looks does not ask the CRM each time.
    const candidates =
      follows || liveMark(request) !== undefined || !hasRight(roleOf(response), 'look_up')
        ? NOT_ASKED
        : await findCandidates(store, now, entry, (what) => noteLook({ store, log }, request, response, what));
    sendPage(response, {
      title: `Call ${entry.call_id}`,
      notice: replayed === undefined ? noticeOf(did) : noticeOfReplay(replayed),
      ...(follows ? { refresh: REFRESH_S } : {}),
      ...(isMoving(entry) ? { live: { call: { source: entry.source, call_id: entry.call_id } } } : {}),
      body: renderCall({ entry, kept, configured, pauses, agent, candidates, timings, queues: !scope.isBound }),
    });
  });
  return router;
}

/** Something of it is still to be done. */
function isMoving({ routed, stopped, revisions, deliveries }: LedgerEntry): boolean {
  if (stopped) return false;
  return !routed || revisions.some(({ effect }) => !effect) || deliveries.some(({ state }) => state === 'queued');
}

/** Notes a look into a CRM before it is taken. */
type NoteLook = (what: Omit<AuditedAction, 'action'>) => Promise<void>;

/** Calls of one page whose people are asked for, or that are shown of one line. */
const MOST_NAMED = 200;
const NO_CALLS = { page: { entries: [], cut: false }, query: {} };
const NOT_A_PERSON: PageNotice = {
  kind: 'bad',
  text: 'That is neither a phone number nor an e-mail address. Calls are found by a number such as +1 415 555 0100, or by an address; names are not searched, since no call keeps one.',
};

/** Under what the person of a number or address is in the index of people. */
function personKeys(given: string, { sources }: Config): IndexedPerson[] | undefined {
  if (given.includes('@')) return [{ by: 'email', value: emailForm(given) }];
  const countries = Object.values(sources).flatMap(({ default_country }) => default_country ?? []);
  return numberForms(given, countries)?.numbers.map((value) => ({ by: 'number', value }));
}

/** Names of agents by their ids, as the sources have them: two may call one id by two names. */
function agentsOf({ sources }: Config): Map<string, string> {
  const agents = Object.values(sources).flatMap((source) => Object.entries(source.agents));
  const byId = Map.groupBy(agents, ([id]) => id);
  return new Map(
    [...byId].map(([id, named]) => [id, [...new Set(named.map(([, { name }]) => name ?? id))].join(', ')]),
  );
}

function readQuery(value: (name: string) => string | undefined, zone: string): CallSearch {
  const state = CALL_STATES.find((one) => one === value('state'));
  const id = value('id')?.trim();
  const after = readCursor(value('after'), 1) && value('after');
  const texts = ['route', 'connection', 'source', 'outcome', 'direction', 'agent', 'result', 'code'] as const;
  const chosen = texts.flatMap((name) => {
    const text = value(name);
    return text === undefined ? [] : [[name, text] as const];
  });
  const [from, until] = [readMoment(value('from'), zone), readMoment(value('to'), zone)];
  return {
    ...(state ? { state } : {}),
    ...Object.fromEntries(chosen),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(value('omitted') === '1' ? { omitted: '1' } : {}),
    ...(id ? { id } : {}),
    ...(value('line') ? { line: value('line') as string } : {}),
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
  note: NoteLook,
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
