import { attemptsOf } from '@wrapup/config';
import { scrub } from '@wrapup/destination';
import { type DeliveryEntry, type LedgerEntry, readCursor } from '@wrapup/queue';
import { MAX_REASON_LENGTH, REPLAYABLE } from '../pages/actions.ts';
import { ask } from '../queries/ask-redis.ts';
import { type CallSearch, searchCalls } from '../queries/search-calls.ts';
import type { HandlerParts } from '../routes/handler-parts.ts';
import { isInScope } from '../security/client-scope.ts';
import type { Handlers } from './api-request.ts';
import { callOf, deliveryOfCall } from './convert.ts';
import { ApiProblem, choiceProblem } from './problems.ts';

type CallOperation =
  | ('listCalls' | 'readCall' | 'replayCall' | 'dropCall')
  | ('listDeliveries' | 'readDelivery' | 'replayDelivery' | 'dropDelivery' | 'chooseDelivery');

/** Where a call or a delivery is looked for. */
interface Sought {
  params: Record<string, string>;
  client: string | undefined;
}

export function handleCalls({ store, latest }: HandlerParts): Handlers<CallOperation> {
  /** @throws ApiProblem */
  async function findCall({ params, client }: Sought): Promise<LedgerEntry> {
    const { source = '', call_id = '' } = params;
    const isInside = isInScope({ client }, source);
    const entry = isInside ? await ask(store, () => store.ledger.read(source, call_id)) : undefined;
    if (entry) return entry;
    throw new ApiProblem('not-found', { detail: `No call ${call_id} of source ${source}.` });
  }

  async function findDelivery(sought: Sought): Promise<{ entry: LedgerEntry; delivery: DeliveryEntry }> {
    const entry = await findCall(sought);
    const { route = '' } = sought.params;
    const delivery = entry.deliveries.find((one) => one.route === route);
    if (delivery) return { entry, delivery };
    throw new ApiProblem('not-found', { detail: `Call ${entry.call_id} has no delivery on route ${route}.` });
  }

  function readTimings(entry: LedgerEntry, deliveries: readonly DeliveryEntry[]) {
    return ask(store, () =>
      store.timings.read(
        entry,
        deliveries.map(({ route }) => route),
      ),
    );
  }

  return {
    async listCalls({ query: { limit, cursor, since, client: _, ...search }, client }) {
      const page = await find(search, { limit, cursor, since, client });
      return { items: page.entries.map((entry) => callOf(entry)), next: page.next ?? null };
    },

    async readCall(request) {
      const entry = await findCall(request);
      return callOf(entry, await readTimings(entry, entry.deliveries));
    },

    async replayCall(request) {
      const { source, call_id } = await findCall(request);
      const { config } = await latest();
      const options = { config: config.hash, by: request.by };
      const isDone = await ask(store, () => store.operations.replayCall(source, call_id, options));
      return { done: isDone ? 'replayed' : 'moved' };
    },

    async dropCall(request) {
      const { source, call_id } = await findCall(request);
      const why = { reason: scrub(request.body.why, MAX_REASON_LENGTH), by: request.by };
      return { done: (await ask(store, () => store.operations.dropCall(source, call_id, why))) ? 'dropped' : 'moved' };
    },

    async listDeliveries({ query: { limit, cursor, since, client: _, ...search }, client }) {
      const page = await find(search, { limit, cursor, since, client });
      const { state, route, connection } = search;
      const items = page.entries.flatMap((entry) =>
        entry.deliveries
          .filter(
            (one) =>
              (state === undefined || one.state === state) &&
              (route === undefined || one.route === route) &&
              (connection === undefined || one.connection === connection),
          )
          .map((one) => deliveryOfCall(entry, one)),
      );
      return { items, next: page.next ?? null };
    },

    async readDelivery(request) {
      const { entry, delivery } = await findDelivery(request);
      return deliveryOfCall(entry, delivery, await readTimings(entry, [delivery]));
    },

    async replayDelivery(request) {
      const { entry, delivery } = await findDelivery(request);
      const { config } = await latest();
      const how = {
        attempts: attemptsOf(config, delivery.route),
        from: REPLAYABLE,
        config: config.hash,
        by: request.by,
      };
      return {
        done: await ask(store, () => store.operations.replay(entry.source, entry.call_id, delivery.route, how)),
      };
    },

    async dropDelivery(request) {
      const { entry, delivery } = await findDelivery(request);
      const why = { reason: scrub(request.body.why, MAX_REASON_LENGTH), by: request.by };
      const dropped = await ask(store, () => store.operations.drop(entry.source, entry.call_id, delivery.route, why));
      return { done: dropped ? 'dropped' : 'moved' };
    },

    async chooseDelivery(request) {
      const { entry, delivery } = await findDelivery(request);
      const { config } = await latest();
      const { person, remember } = request.body;
      const how = { attempts: attemptsOf(config, delivery.route), config: config.hash };
      const choice = { person, remember, by: request.by };
      const done = await ask(store, () =>
        store.operations.choose(entry.source, entry.call_id, delivery.route, choice, how),
      );
      if (done === 'no_candidate' || done === 'only_said') throw choiceProblem(done);
      return { done };
    },
  };

  function find(
    search: { [K in keyof CallSearch]?: CallSearch[K] | undefined },
    {
      limit,
      cursor,
      since,
      client,
    }: { limit: number; cursor: string | undefined; since: string | undefined; client: string | undefined },
  ) {
    if (cursor !== undefined && !readCursor(cursor, 1)) throw new ApiProblem('invalid-cursor');
    const query = { ...search, ...(cursor === undefined ? {} : { after: cursor }) } as CallSearch;
    return ask(store, () =>
      searchCalls(store, query, client, { limit, since: since === undefined ? 0 : Date.parse(since) }),
    );
  }
}
