/**
 * The open records of people, else of the company or account that they belong to: read for all of a batch together, through
 * links or queries, which show a write at once.
 */
import { Failure } from '../../port/failure.ts';
import { askedFor } from '../people/match-people.ts';
import type { Existing } from '../plan/plan-write.ts';
import type { Item, RecordVerbs } from './record-verbs.ts';

type Reader = Pick<RecordVerbs, 'search' | 'readRelated'>;
type Answers = Map<Item, Existing[] | Failure>;

/** Whose records are asked for. */
interface Asked {
  item: Item;
  of: string;
  id: string;
}

/** The newest first. A look that failed is a failure, never an empty list. Never rejects. */
export async function openRecords(crm: Reader, items: Item[]): Promise<Answers> {
  const found: Answers = new Map(items.map((item) => [item, []]));
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

async function openOf(crm: Reader, asked: Asked[]): Promise<Answers> {
  const found: Answers = new Map();
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
  { search }: Reader,
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
async function employersOf(crm: Reader, asked: Asked[]): Promise<{ known: Asked[]; failed: Map<Item, Failure> }> {
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
  { readRelated }: Reader,
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
