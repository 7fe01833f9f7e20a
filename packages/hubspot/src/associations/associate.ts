/** Links records to people and to each other, apart from their creation. Every link is accounted for. */
import type { Failure } from '@wrapup/destination';
import type { Associated, Item, Written } from '@wrapup/destination/engine';
import { chunk, halvesOf } from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { linkRecords, MAX_LINKS } from '../client/api.ts';
import { asHubSpotFailure, failureOf, unaccounted } from '../errors/classify.ts';
import { itemStatus, readVendorError } from '../errors/vendor-error.ts';
import { linkType } from '../objects.ts';
import type { HubSpotSession } from '../session.ts';
import { setLabels } from './labels.ts';
import { unlinkPrevious } from './previous.ts';

interface Pair {
  from: string;
  to: string;
  item: Item;
}

/** Links what was not linked on creation, labels it, and takes off whom an earlier write had linked. Never rejects. */
export async function associate(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const done: Associated = { failed: new Map(), notes: [] };
  const left = () => written.filter(({ item }) => !done.failed.has(item));
  for (const step of [link, setLabels, unlinkPrevious]) {
    const { failed, notes } = await step(session, left());
    for (const [item, failure] of failed) done.failed.set(item, failure);
    done.notes.push(...notes);
  }
  return done;
}

async function link(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const pairs = new Map<string, Pair[]>();
  for (const { item, receipt, linked } of written)
    for (const target of item.targets) {
      const { object } = item.record;
      if (linked && linkType(object, target.object) !== undefined) continue;
      const kind = `${object}>${target.object}`;
      pairs.set(kind, [...(pairs.get(kind) ?? []), { from: receipt.id, to: target.id, item }]);
    }
  const failed = new Map<Item, Failure>();
  for (const [kind, all] of pairs) {
    const [from = '', to = ''] = kind.split('>');
    for (const part of chunk(all, MAX_LINKS))
      for (const [{ item }, failure] of await linkPart(session, from, to, part)) failed.set(item, failure);
  }
  return { failed, notes: [] };
}

/** @returns the pairs that do not hold, and why */
async function linkPart(session: HubSpotSession, from: string, to: string, pairs: Pair[]): Promise<[Pair, Failure][]> {
  const doing = `link ${from} to ${to}`;
  try {
    const plans = pairs.map(({ item }) => item.write.index);
    const body = asObject((await session.send(linkRecords(from, to, pairs), plans)).body);
    // A link holds in both directions, and may be answered in either.
    const held = new Set(
      asList(body.results).flatMap((item) => {
        const result = asObject(item);
        const [one, other] = [String(asObject(result.from).id), String(asObject(result.to).id)];
        return [`${one}>${other}`, `${other}>${one}`];
      }),
    );
    const open = new Set(pairs.filter((pair) => !held.has(`${pair.from}>${pair.to}`)));
    const failed: [Pair, Failure][] = [];
    const errors = asList(body.errors).map((item) => readVendorError(itemStatus(item), item));
    for (const error of errors) {
      const named = [...open].filter((pair) => error.ids.includes(pair.from) || error.ids.includes(pair.to));
      for (const pair of named.length > 0 ? named : pairs.length === 1 ? [...open] : []) {
        open.delete(pair);
        failed.push([pair, failureOf(error, { doing })]);
      }
    }
    if (open.size > 0 && errors.length > 0 && pairs.length > 1)
      return [...failed, ...(await inHalves(session, from, to, [...open]))];
    return [...failed, ...[...open].map((pair): [Pair, Failure] => [pair, unaccounted(doing)])];
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    const refused = failure.vendor !== undefined && failure.vendor.status < 409 && failure.next !== 'reauthenticate';
    if (pairs.length > 1 && refused) return inHalves(session, from, to, pairs);
    return pairs.map((pair) => [pair, failure]);
  }
}

/** Repeating a link changes nothing, so the halves may hold some that stand already. */
async function inHalves(session: HubSpotSession, from: string, to: string, pairs: Pair[]): Promise<[Pair, Failure][]> {
  const failed: [Pair, Failure][] = [];
  for (const half of halvesOf(pairs)) if (half.length > 0) failed.push(...(await linkPart(session, from, to, half)));
  return failed;
}
