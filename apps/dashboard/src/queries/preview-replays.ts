/** What replays of the first of many would write, asked of their CRMs in one batch each. Nothing is written, and nothing is kept. */
import { own } from '@wrapup/call';
import type { Config } from '@wrapup/config';
import type { OperatorChoice, Store, UnresolvedItem } from '@wrapup/queue';
import { type ReplayPreview, summariseReplay } from '@wrapup/recovery/replay-preview';
import { planOn, readStanding } from '@wrapup/recovery/standing-call';
import { askPreviews } from './ask-crm.ts';
import { ask } from './ask-redis.ts';

/** Of one item: what the CRM says, or why it was not asked. */
export type ItemPreview = ReplayPreview | 'no payload' | 'no route';

/** Items that a CRM is asked about together. */
export const MOST_PREVIEWED = 20;

/**
 * @param items the first of them are looked at
 * @param person whom each of them would be decided for
 * @param note called before a CRM is asked, with its connection and about how many
 * @returns by cursor of the item
 */
export async function previewReplays(
  store: Store,
  { sources, routes, connections }: Config,
  items: readonly UnresolvedItem[],
  note: (connection: string, of: number) => Promise<void>,
  person?: string,
): Promise<Map<string, ItemPreview>> {
  const found = new Map<string, ItemPreview>();
  const planned = await Promise.all(
    items.slice(0, MOST_PREVIEWED).map(async (item) => {
      const { source: name, call_id, cursor } = item;
      const route = routes.find((one) => one.name === item.route);
      const [source, connection] = [own(sources, name), own(connections, route?.to ?? '')];
      const entry = await ask(store, () => store.ledger.read(name, call_id));
      const delivery = entry?.deliveries.find((one) => one.route === item.route);
      if (!route || !source || !connection || !entry || !delivery) {
        found.set(cursor, 'no route');
        return [];
      }
      const standing = await ask(store, () => readStanding(store, entry, source));
      if (!standing) {
        found.set(cursor, 'no payload');
        return [];
      }
      const chosen: OperatorChoice | undefined = person === undefined ? delivery.chosen : { person, at: Date.now() };
      return [{ cursor, connection, planned: planOn(route, standing).plan, delivery: chosen ? { chosen } : {} }];
    }),
  );
  const asked = Map.groupBy(planned.flat(), ({ connection }) => connection);
  await Promise.all(
    [...asked].map(async ([connection, plans]) => {
      await note(connection.name, plans.length);
      const answer = await askPreviews(store, connection, plans);
      for (const [index, { cursor }] of plans.entries()) {
        const failed = { changes: 0, stays: [], records: [] };
        found.set(
          cursor,
          'failure' in answer ? { ...failed, error: answer.failure.message } : summariseReplay(answer.previews[index]),
        );
      }
    }),
  );
  return found;
}

/** Cursors of the items whose payload is kept. Of a call that stopped before its routes it is not looked for. */
export async function findDeliverable(store: Store, items: readonly UnresolvedItem[]): Promise<Set<string>> {
  const there = await Promise.all(
    items.map(async ({ source, call_id, route }) => {
      if (route === null) return true;
      const { deliveries = [] } = (await store.ledger.read(source, call_id)) ?? {};
      const delivery = deliveries.find((one) => one.route === route);
      return delivery !== undefined && store.payloads.has(source, call_id, delivery.revision);
    }),
  );
  return new Set(items.filter((_, index) => there[index]).map(({ cursor }) => cursor));
}
