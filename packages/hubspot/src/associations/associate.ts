/** Links records to people and to each other, apart from their creation. Every link is accounted for. */
import { Failure, remembered } from '@wrapup/destination';
import {
  type Associated,
  askedFor,
  chunk,
  halvesOf,
  type Item,
  type PlanWrite,
  recallFormer,
  rememberFormer,
  type Written,
} from '@wrapup/destination/engine';
import { asList, asObject } from '@wrapup/destination/http';
import { labelRecords, linkRecords, MAX_LINKS, readLabels, unlinkRecords } from '../client/api.ts';
import { readMany } from '../client/batches.ts';
import { linkType } from '../client/objects.ts';
import type { HubSpotSession } from '../client/transport.ts';
import { asHubSpotFailure, failureOf, itemStatus, readVendorError, unaccounted } from '../errors/classify.ts';
import { readLinks } from '../records/related.ts';

interface Pair {
  from: string;
  to: string;
  item: Item;
}

const join = (...parts: Associated[]): Associated => ({
  failed: new Map(parts.flatMap(({ failed }) => [...failed])),
  notes: parts.flatMap(({ notes }) => notes),
  unlinked: parts.flatMap(({ unlinked = [] }) => unlinked),
});

/** Links by the objects of their two ends: a request has those of one pair of them. @param of `object` is the other end's */
function byKind<Of extends { item: Item; object: string }>(of: Of[]): { from: string; to: string; all: Of[] }[] {
  const groups = Map.groupBy(of, ({ item, object }) => `${item.record.object}>${object}`);
  return [...groups.values()].map((all) => ({
    from: all[0]?.item.record.object ?? '',
    to: all[0]?.object ?? '',
    all,
  }));
}

/** Links what was not linked on creation, labels it, and takes off whom an earlier write had linked. Never rejects. */
export async function associate(session: HubSpotSession, written: Written[]): Promise<Associated> {
  let done = join();
  for (const step of [link, setLabels, unlinkPrevious]) {
    const left = written.filter(({ item }) => !done.failed.has(item));
    done = join(done, await step(session, left));
  }
  return done;
}

async function link(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const pairs = written.flatMap(({ item, receipt, linked, links }) =>
    links
      .filter(({ object }) => !linked || linkType(item.record.object, object) === undefined)
      .map(({ object, id }) => ({ from: receipt.id, to: id, item, object })),
  );
  const parts = byKind(pairs).flatMap(({ from, to, all }) =>
    chunk(all, MAX_LINKS).map((part) => linkPart(session, from, to, part)),
  );
  const failed = (await Promise.all(parts)).flat();
  return { failed: new Map(failed.map(([{ item }, failure]) => [item, failure])), notes: [] };
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

/*
 * Labels of links ("Decision maker"). A record is linked first, as without labels; the label is then set on that link. An
 * account's labels are read when one is used, and remembered. A label that the account does not have, or refuses, is left
 * out with a note: the link stands without it.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
 */

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
const LABELS_KEPT_MS = 10 * 60_000;

/** Never rejects. */
async function setLabels(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const labelled = written.flatMap(({ item, receipt, links }) =>
    links.flatMap(({ name, object, id }) => {
      const label = item.record.labels?.[name];
      return label === undefined ? [] : [{ item, from: receipt.id, to: id, label, object }];
    }),
  );
  let done = join();
  for (const { from, to, all } of byKind(labelled)) done = join(done, await labelGroup(session, from, to, all));
  return done;
}

async function labelGroup(session: HubSpotSession, from: string, to: string, all: Labelled[]): Promise<Associated> {
  const plans = all.map(({ item }) => item.write.index);
  const leftOut = (some: Labelled[], why: string): Associated['notes'] =>
    some.map(({ item }) => [item, `${item.record.name}: a label of its links was left out: ${why}.`]);
  try {
    const types = await knownLabels(session, from, to, plans);
    const typeOf = (wanted: string) => types.find(({ label }) => label.toLowerCase() === wanted.trim().toLowerCase());
    const unknown = all.filter(({ label }) => !typeOf(label));
    const notes = leftOut(unknown, `the account has no such label between ${from} and ${to}`);
    const ready = all.flatMap((one) => {
      const type = typeOf(one.label);
      return type ? [{ ...one, ...type }] : [];
    });
    for (const part of chunk(ready, MAX_LINKS)) {
      const results = asList(asObject((await session.send(labelRecords(from, to, part), plans)).body).results);
      const set = new Set(
        results.map(asObject).map(({ fromObjectId, toObjectId }) => `${String(fromObjectId)}>${String(toObjectId)}`),
      );
      const unset = part.filter((one) => !set.has(`${one.from}>${one.to}`));
      notes.push(...leftOut(unset, 'HubSpot did not set it'));
    }
    return { failed: new Map(), notes };
  } catch (thrown) {
    const failure = asHubSpotFailure(thrown);
    if (failure.next === 'park' || failure.code === 'missing_scope')
      return { failed: new Map(), notes: leftOut(all, failure.message) };
    return { failed: new Map(all.map(({ item }) => [item, failure])), notes: [] };
  }
}

function knownLabels(session: HubSpotSession, from: string, to: string, plans: number[]): Promise<LabelType[]> {
  const read = async () =>
    asList(asObject((await session.send(readLabels(from, to), plans)).body).results)
      .map(asObject)
      .flatMap(({ label, category, typeId }): LabelType[] =>
        typeof label === 'string' && label !== '' ? [{ label, category: String(category), type: Number(typeId) }] : [],
      );
  return remembered(session.ctx, `labels:${from}>${to}`, LABELS_KEPT_MS, read);
}

/*
 * Takes records off the person whom an earlier write linked them to, when a replay finds another: one call log belongs
 * to one person. Who was merged into the person found now is that person, and keeps the link. What an earlier write said
 * on the previous contact itself stays; the receipt says so. What the previous contact brought along, such as their open deals,
 * goes with them, as far as it is known that Wrapup made the link.
 */

/** HubSpot's limit for taking links off. */
const UNLINK_BATCH = 100;

/**
 * Notes whom the plans' records were linked to before, so that an attempt that fails halfway does not forget it.
 * @returns what could not be noted
 */
export async function notePrevious({ ctx }: HubSpotSession, writes: PlanWrite[]): Promise<[PlanWrite, Failure][]> {
  const failed: [PlanWrite, Failure][] = [];
  for (const write of writes) {
    const known = write.plan.resume?.records.person;
    // That no person is found now is no reason to take the records off the one found before.
    if (known === undefined || write.person === undefined || known === write.person.id) continue;
    if (!/^\d+$/.test(known)) continue;
    await rememberFormer(ctx, write.plan.key, known).catch((thrown: unknown) => {
      failed.push([write, Failure.of(thrown)]);
    });
  }
  return failed;
}

interface Move {
  one: Written;
  previous: string;
}

/** Never rejects. */
async function unlinkPrevious(session: HubSpotSession, written: Written[]): Promise<Associated> {
  const done: Required<Associated> = { failed: new Map(), notes: [], unlinked: [] };
  const moves: Move[] = [];
  const look = async (one: Written): Promise<void> => {
    const { item, receipt } = one;
    const { write, record } = item;
    // What was made just now was linked to no one else.
    if (receipt.did === 'created' || !write.person || !record.associate.includes('person')) return;
    // A company is more people's than ours: who made the link is not known.
    if (record.object === 'companies') return;
    try {
      const previous = await recallFormer(session.ctx, write.plan.key);
      if (previous === undefined || previous === write.person.id) return;
      // One that other calls and colleagues mean as well is taken off the person whom Wrapup linked it to, and no other.
      const isShared = record.own_key !== undefined;
      if (!isShared || one.wasLinked({ object: 'contacts', id: previous })) moves.push({ one, previous });
    } catch (thrown) {
      done.failed.set(item, Failure.of(thrown));
    }
  };
  await Promise.all(written.map(look));
  const ids = askedFor(moves.map(({ one, previous }) => [previous, [one.item.write.index]]));
  const found = await readMany(session, { object: 'contacts', ids, properties: [] });
  const real: Move[] = [];
  for (const { previous, one } of moves) {
    const now = found.get(previous);
    if (now instanceof Failure) done.failed.set(one.item, now);
    // A contact that is gone holds no links any more.
    else if (now && now.id !== one.item.write.person?.id) real.push({ one, previous: now.id });
  }
  const ends = real.map(
    ({ one: { item, receipt }, previous }): Leaving => ({ item, object: 'contacts', from: receipt.id, to: previous }),
  );
  ends.push(...(await broughtAlong(session, real, done.failed)));
  await takeOff(session, ends, done);
  for (const { one, previous } of real)
    if (!done.failed.has(one.item))
      done.notes.push([
        one.item,
        `Moved from contact ${previous}, to whom an earlier write had linked it; what that write said on the contact itself stays.`,
      ]);
  return done;
}

/** A link that is to be taken off. */
interface Leaving extends Pair {
  object: string;
}

/** What Wrapup linked the records to because the previous contact had it, and the one found now does not. */
async function broughtAlong(session: HubSpotSession, moves: Move[], failed: Map<Item, Failure>): Promise<Leaving[]> {
  const leaving: Leaving[] = [];
  const asking = moves.flatMap(({ one }) =>
    Object.values(one.item.record.related ?? {}).map(({ object }) => ({ one, item: one.item, object })),
  );
  for (const { from: of, to: object, all } of byKind(asking)) {
    const ids = askedFor(all.map(({ one: { receipt, item } }) => [receipt.id, [item.write.index]]));
    const links = await readLinks(session, { of, object, ids, properties: [] });
    for (const { one } of all) {
      const linked = links.get(one.receipt.id) ?? [];
      if (linked instanceof Failure) failed.set(one.item, linked);
      else
        for (const { id } of linked) {
          const stays = one.item.targets.some((target) => target.object === object && target.id === id);
          if (!stays && one.wasLinked({ object, id }))
            leaving.push({ item: one.item, object, from: one.receipt.id, to: id });
        }
    }
  }
  return leaving;
}

async function takeOff(session: HubSpotSession, all: Leaving[], done: Required<Associated>): Promise<void> {
  for (const { from, to: object, all: leaving } of byKind(all))
    for (const part of chunk(leaving, UNLINK_BATCH)) {
      try {
        const plans = part.map(({ item }) => item.write.index);
        await session.send(unlinkRecords(from, object, part), plans);
        for (const { item, to } of part) done.unlinked.push([item, { object, id: to }]);
      } catch (thrown) {
        for (const { item } of part) done.failed.set(item, asHubSpotFailure(thrown));
      }
    }
}
