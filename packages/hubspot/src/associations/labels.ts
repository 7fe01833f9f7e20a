/**
 * Labels of links ("Decision maker"). A record is linked first, as without labels; the label is then set on that link. An
 * account's labels are read when one is used, and remembered. A label that the account does not have, or refuses, is left
 * out with a note: the link stands without it.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
 */

import type { Associated, Item, Written } from '@wrapup/destination/engine';
import { chunk } from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { labelRecords, MAX_LINKS, readLabels } from '../client/api.ts';
import { asHubSpotFailure } from '../errors/classify.ts';
import type { HubSpotSession } from '../session.ts';

interface Labelled {
  item: Item;
  from: string;
  to: string;
  label: string;
}

interface LabelType {
  label: string;
  category: string;
  type: number;
}

/** How long an account's labels are remembered. */
const KEPT_MS = 10 * 60_000;

/** Never rejects. */
export async function setLabels(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const groups = new Map<string, Labelled[]>();
  for (const { item, receipt } of written)
    for (const [name, label] of Object.entries(item.record.labels ?? {})) {
      const target = item.targets.find((one) => one.name === name);
      if (!target) continue;
      const kind = `${item.record.object}>${target.object}`;
      groups.set(kind, [...(groups.get(kind) ?? []), { item, from: receipt.id, to: target.id, label }]);
    }
  const done: Associated = { failed: new Map(), notes: [] };
  for (const [kind, all] of groups) {
    const [from = '', to = ''] = kind.split('>');
    await labelGroup(session, from, to, all, ({ item }, why) => {
      done.notes.push([item, `${item.record.name}: a label of its links was left out: ${why}.`]);
    }).catch((thrown: unknown) => {
      for (const { item } of all) done.failed.set(item, asHubSpotFailure(thrown));
    });
  }
  return done;
}

/** @param leaveOut notes a label that is not set @throws the failure of a request that may succeed another time */
async function labelGroup(
  session: HubSpotSession,
  from: string,
  to: string,
  all: Labelled[],
  leaveOut: (one: Labelled, why: string) => void,
): Promise<void> {
  const plans = all.map(({ item }) => item.write.index);
  try {
    const types = await knownLabels(session, from, to, plans);
    const ready = all.flatMap((one) => {
      const type = types.find(({ label }) => label.toLowerCase() === one.label.trim().toLowerCase());
      if (!type) leaveOut(one, `the account has no such label between ${from} and ${to}`);
      return type ? [{ ...one, ...type, label: one.label }] : [];
    });
    for (const part of chunk(ready, MAX_LINKS)) {
      const results = asList(asObject((await session.send(labelRecords(from, to, part), plans)).body).results);
      const set = new Set(
        results.map(asObject).map(({ fromObjectId, toObjectId }) => `${String(fromObjectId)}>${String(toObjectId)}`),
      );
      for (const one of part) if (!set.has(`${one.from}>${one.to}`)) leaveOut(one, 'HubSpot did not set it');
    }
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (failure.next !== 'park' && failure.code !== 'missing_scope') throw failure;
    for (const one of all) leaveOut(one, failure.message);
  }
}

async function knownLabels(session: HubSpotSession, from: string, to: string, plans: number[]): Promise<LabelType[]> {
  const key = `labels:${from}>${to}`;
  const kept = await session.ctx.memory.get(key);
  if (kept !== undefined) return JSON.parse(kept) as LabelType[];
  const body = asObject((await session.send(readLabels(from, to), plans)).body);
  const types = asList(body.results)
    .map(asObject)
    .flatMap(({ label, category, typeId }): LabelType[] =>
      typeof label === 'string' && label !== '' ? [{ label, category: String(category), type: Number(typeId) }] : [],
    );
  await session.ctx.memory.set(key, JSON.stringify(types), KEPT_MS);
  return types;
}
