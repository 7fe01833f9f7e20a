/**
 * Records that are there already (`find:`): looked for before anything of the plans' records is written, all of an object
 * together.
 *
 *   known      the record that this call was written to before, whatever has become of it
 *   by id      the one that the call names
 *   searched   the open one of the person, or those whose fields say so: `several:` decides
 *   by key     where those find none: the one that another call has made for the same person (`find-keys.ts`)
 *
 * What was found is noted under the call's own key, so that a revision or a replay changes the same record, also after a
 * crash.
 */
import { decideRecord, type FindBy, type Plan, type RecordPlan } from '@wrapup/mapping';
import { Failure, nameCandidates } from '../../port/failure.ts';
import { askedFor } from '../people/match-people.ts';
import {
  doneBefore,
  type Existing,
  type PlanReport,
  type PlanWrite,
  reportFailure,
  wantedRecords,
} from '../plan/plan-write.ts';
import { foundKey, foundMemory } from '../rows/written-values.ts';
import { holdKeys, keysOfNew, readKeys } from './find-keys.ts';
import type { Item, RecordReading, RecordVerbs } from './record-verbs.ts';

/** Candidates that are named when a person has to choose. */
const MAX_NAMED = 10;

type Candidates = Map<Item, Existing[] | Failure>;

type Finder = Pick<RecordVerbs, 'session' | 'readById' | 'readRelated' | 'search' | 'keys' | 'urlOf'>;

/** What became of a look. A key: none was found, and one is made under it. */
type Looked = Existing | { key: string } | 'absent' | { skipped: string } | Failure;

interface FoundRecords {
  /** The plans with what was found for them; those that end here are reported. */
  writes: PlanWrite[];
  reports: PlanReport[];
  /** To be called once the records are written. Never rejects. */
  release(): Promise<void>;
}

/**
 * Never rejects.
 * @param preview nothing is to be noted outside
 */
export async function findRecords(crm: Finder, writes: PlanWrite[], preview = false): Promise<FoundRecords> {
  const asked = writes.flatMap((write) =>
    wantedRecords(write)
      .filter((record) => record.find && doneBefore(write.plan, record.name) === undefined)
      .map((record): Item => ({ write, record, targets: write.person ? [{ name: 'person', ...write.person }] : [] })),
  );
  if (asked.length === 0) return { writes, reports: [], release: async () => {} };
  const answers = new Map<Item, Looked>();
  let release = async () => {};
  try {
    const held = preview ? undefined : await holdKeys(crm.session.ctx, asked);
    if (held) release = held.release;
    for (const [item, failure] of held?.failed ?? []) answers.set(item, failure);
    await look(
      crm,
      asked.filter((item) => !answers.has(item)),
      answers,
    );
  } catch (thrown) {
    for (const item of asked) answers.set(item, Failure.of(thrown));
  }
  const settled = settle(crm, writes, answers);
  if (preview) return { ...settled, release };
  const lost = await noteAll(crm, settled.writes, answers);
  return { ...(lost ? settle(crm, writes, answers) : settled), release };
}

/**
 * Notes what the plans that go on are written to, before any of it is. Of a plan that ends here nothing is noted: it was
 * written to nothing. What cannot be noted fails. Never rejects.
 * @returns whether any failed
 */
async function noteAll(crm: Finder, writes: PlanWrite[], answers: Map<Item, Looked>): Promise<boolean> {
  const going = new Set(writes.map(({ index }) => index));
  let lost = false;
  const one = async ([item, answer]: [Item, Looked]) => {
    try {
      await note(crm, item, answer);
    } catch (thrown) {
      answers.set(item, Failure.of(thrown));
      lost = true;
    }
  };
  await Promise.all([...answers].filter(([{ write }]) => going.has(write.index)).map(one));
  return lost;
}

async function look(crm: Finder, items: Item[], answers: Map<Item, Looked>): Promise<void> {
  const open = () => items.filter((item) => (answers.get(item) ?? 'absent') === 'absent');
  const take = (readings: ReadonlyMap<Item, Looked>) => {
    for (const [item, reading] of readings) answers.set(item, reading);
  };
  const known = await recall(crm, items);
  take((await crm.readById?.(known.ids)) ?? new Map<Item, RecordReading>());
  take(await readKeys(crm, known.keys));
  for (const [item, found] of await search(crm, open())) answers.set(item, choose(crm, item, found));
  take(await keysOfNew(crm, open()));
  for (const item of open()) answers.set(item, 'absent');
}

/** The newest first; of those that are found by their id alone nothing. */
async function search(crm: Finder, items: Item[]): Promise<Candidates> {
  const open = items.filter(({ record }) => record.find?.open);
  const valued = items.filter(({ record }) => record.find?.by);
  const found = open.length > 0 ? await openRecords(crm, open) : [];
  const others = valued.length > 0 ? await crm.search?.byValues(valued) : undefined;
  return new Map([...found, ...(others ?? [])]);
}

/** The record that this call was written to before, or the key under which it began to make one; else the one that it names. */
async function recall({ session }: Finder, items: Item[]) {
  const ids = new Map<Item, string>();
  const keys = new Map<Item, string>();
  const one = async (item: Item) => {
    const { record, write } = item;
    const noted = await session.ctx.memory.get(foundMemory(record.key));
    const id = (noted?.startsWith(KEY) ? undefined : noted) ?? write.plan.resume?.records[record.name];
    if (id !== undefined) ids.set(item, id);
    else if (noted !== undefined) keys.set(item, noted.slice(KEY.length));
    else if (record.find?.id !== undefined) ids.set(item, record.find.id);
  };
  await Promise.all(items.map(one));
  return { ids, keys };
}

/** What a note begins with that names a key instead of an id. */
const KEY = 'key:';

/** A key is noted before anything is made under it: a call that dies in between knows its record by it, open or closed. */
async function note({ session }: Finder, { record }: Item, answer: Looked): Promise<void> {
  if (!isFound(answer) && !isNew(answer)) return;
  await session.ctx.memory.set(foundMemory(record.key), isNew(answer) ? KEY + answer.key : answer.id, 'ledger');
}

const isFound = (answer: Looked): answer is Existing =>
  answer !== 'absent' && !(answer instanceof Failure) && 'id' in answer;
const isNew = (answer: Looked): answer is { key: string } =>
  answer !== 'absent' && !(answer instanceof Failure) && !('id' in answer) && 'key' in answer;

/** @param found the newest first */
function choose(crm: Finder, { record }: Item, found: Existing[] | Failure): Looked {
  if (found instanceof Failure) return found;
  const [newest, ...others] = found;
  if (!newest || !record.find) return 'absent';
  const decision = decideRecord(record.find, others.length === 0 ? 'one' : 'many');
  if (decision === 'use') return newest;
  const all = found.map(({ id }) => ({ object: record.object, id }));
  const candidates = nameCandidates(all, crm.urlOf);
  const addressOf = (id: string) => candidates.candidate_urls?.[id];
  const named = found.slice(0, MAX_NAMED).map(({ id }) => (addressOf(id) ? `${id} (${addressOf(id)})` : id));
  const more = found.length > named.length ? ` and ${found.length - named.length} more` : '';
  const which = `${found.length} ${record.find.open ? 'open ' : ''}${record.object} are found: ${named.join(', ')}${more}`;
  if (decision === 'skip') return { skipped: `${record.name} was not written: ${which}.` };
  return new Failure('ambiguous_record', `Which record ${record.name} is, is not certain: ${which}.`, {
    at: record.find.at,
    ...candidates,
    hint: 'Leave one of them in the CRM, or say several: newest in the mapping; then replay. Or drop the delivery.',
  });
}

function settle(crm: Finder, writes: PlanWrite[], answers: ReadonlyMap<Item, Looked>) {
  const reports: PlanReport[] = [];
  const known = new Map<string, Existing>();
  const byWrite = Map.groupBy(answers, ([{ write }]) => write);
  const settled = writes.flatMap((write): PlanWrite[] => {
    const found = new Map<string, Existing>();
    const made = new Map<string, string>();
    const gone = new Set<string>();
    for (const [{ record }, answer] of byWrite.get(write) ?? []) {
      const { name, find } = record;
      const failure = answer instanceof Failure ? answer : answer === 'absent' ? parkedWithout(record) : undefined;
      if (failure) {
        reports.push(reportFailure(write, name, failure));
        return [];
      }
      if (isFound(answer)) found.set(name, shared(crm, record, answer, known));
      else if (isNew(answer)) made.set(name, answer.key);
      const left = typeof answer === 'object' && 'skipped' in answer ? answer.skipped : undefined;
      const none =
        answer === 'absent' && find && decideRecord(find, 'none') === 'skip'
          ? `${name} was not written: ${find.why}.`
          : undefined;
      const note = left ?? none;
      if (note === undefined) continue;
      gone.add(name);
      reports.push({ plan: write.index, note, without: name });
    }
    const looked = new Map((byWrite.get(write) ?? []).map(([{ record }]) => [record.name, wayOf(record)]));
    return [{ ...write, plan: withRecords(write.plan, { found, made, gone }), found, looked }];
  });
  return { writes: settled, reports };
}

function wayOf({ find }: RecordPlan): FindBy {
  return find?.open ? 'open' : find?.by ? 'by' : 'id';
}

/** One object for each record of the CRM, with the key of ours that it carries: what one plan writes the next one sees. */
function shared(
  { search }: Finder,
  { object }: RecordPlan,
  existing: Existing,
  known: Map<string, Existing>,
): Existing {
  const name = `${object} ${existing.id}`;
  const { properties } = existing;
  const key = existing.key ?? (search && properties[search.keyProperty(object)]);
  const keyed = typeof key === 'string' && key !== '' ? { key } : {};
  const found = known.get(name) ?? { ...existing, ...keyed, properties: { ...properties } };
  known.set(name, found);
  return found;
}

function parkedWithout({ name, find }: RecordPlan): Failure | undefined {
  if (!find || decideRecord(find, 'none') !== 'park') return undefined;
  return new Failure('missing_record', `There is no record for ${name}: ${find.why}.`, {
    at: find.at,
    hint:
      find.open || find.by
        ? 'Make one in the CRM, or say none: create; then replay. Or drop the delivery.'
        : 'Correct the id in the CRM or in your list, or say none: create; then replay. Or drop the delivery.',
  });
}

interface Outcome {
  found: ReadonlyMap<string, Existing>;
  /** Keys of those that are made, where other calls can mean them. */
  made: ReadonlyMap<string, string>;
  gone: ReadonlySet<string>;
}

/** Found records are known by their own id, whichever call means them; those that are skipped are linked to nothing. */
function withRecords(plan: Plan, { found, made, gone }: Outcome): Plan {
  const records = plan.records
    .filter(({ name }) => !gone.has(name))
    .map((record): RecordPlan => {
      const { find: _, own_key, ...rest } = record;
      const id = found.get(record.name)?.id;
      const key = id === undefined ? made.get(record.name) : foundKey(id);
      const associate = record.associate.filter((name) => !gone.has(name));
      if (key !== undefined) return { ...rest, associate, key, own_key: { person: false } };
      return { ...rest, associate, ...(own_key ? { own_key } : {}) };
    });
  return { ...plan, records };
}

/*
 * The open records of people, else of the company or account that they belong to: read for all of a batch together, through
 * links or queries, which show a write at once.
 */

/** Whose records are asked for. */
interface Asked {
  item: Item;
  of: string;
  id: string;
}

/** The newest first. A look that failed is a failure, never an empty list. Never rejects. */
async function openRecords(crm: Finder, items: Item[]): Promise<Candidates> {
  const found: Candidates = new Map(items.map((item) => [item, []]));
  const asked = items.flatMap((item): Asked[] => {
    const { person } = item.write;
    return person ? [{ item, of: person.object, id: person.id }] : [];
  });
  for (const [item, own] of await openOf(crm, asked)) {
    const people = new Set([item.write.person?.id ?? '']);
    found.set(item, own instanceof Failure ? own : own.map((one) => ({ ...one, people })));
  }
  // A person's own come first: of a company there may be many that are other people's.
  const without = asked.filter(({ item }) => isEmpty(found.get(item)));
  const employers = await employersOf(crm, without);
  for (const [item, failure] of employers.failed) found.set(item, failure);
  for (const [item, theirs] of await openOf(crm, employers.known)) found.set(item, theirs);
  return found;
}

const isEmpty = (answer: Existing[] | Failure | undefined) => Array.isArray(answer) && answer.length === 0;

async function openOf(crm: Finder, asked: Asked[]): Promise<Candidates> {
  const found: Candidates = new Map();
  for (const group of groupsOf(asked, ({ item, of }) => `${of} ${item.record.object}`)) {
    const object = group[0]?.item.record.object ?? '';
    const records = group.map(({ item }) => item.record);
    const written = records.flatMap(({ fields }) => fields.map(({ name }) => name));
    const reads = records.flatMap((record) => crm.search?.reads(record) ?? []);
    const answers = await read(crm, group, object, [...new Set([...written, ...reads])]);
    for (const { item, id } of group) found.set(item, await thoseThatFit(crm, item, answers.get(id) ?? []));
  }
  return found;
}

async function thoseThatFit(
  { search }: Finder,
  item: Item,
  answer: Existing[] | Failure,
): Promise<Existing[] | Failure> {
  if (answer instanceof Failure) return answer;
  try {
    const fitting: Existing[] = [];
    for (const one of answer) if (await search?.fits(item, one)) fitting.push(one);
    return fitting;
  } catch (thrown) {
    return Failure.of(thrown);
  }
}

/** What the people belong to, where that is anything. */
async function employersOf(crm: Finder, asked: Asked[]): Promise<{ known: Asked[]; failed: Map<Item, Failure> }> {
  const of = crm.search?.employer ?? '';
  const known = asked.flatMap(({ item }) => {
    const id = item.write.person?.account;
    return id === undefined ? [] : [{ item, of, id }];
  });
  const failed = new Map<Item, Failure>();
  const unknown = asked.filter((one) => one.of !== of && !known.some(({ item }) => item === one.item));
  for (const group of groupsOf(unknown, (one) => one.of)) {
    const answers = await read(crm, group, of, []);
    for (const { item, id } of group) {
      const employers = answers.get(id) ?? [];
      if (employers instanceof Failure) failed.set(item, employers);
      else if (employers[0]) known.push({ item, of, id: employers[0].id });
    }
  }
  return { known, failed };
}

async function read(
  { readRelated }: Finder,
  group: Asked[],
  object: string,
  properties: string[],
): Promise<ReadonlyMap<string, Existing[] | Failure>> {
  const ids = askedFor(group.map(({ item, id }) => [id, [item.write.index]]));
  const [answers] = (await readRelated?.([{ of: group[0]?.of ?? '', ids, object, properties, all: true }])) ?? [];
  return answers ?? new Map();
}

function groupsOf(asked: Asked[], nameOf: (one: Asked) => string): Asked[][] {
  return [...Map.groupBy(asked, nameOf).values()];
}
