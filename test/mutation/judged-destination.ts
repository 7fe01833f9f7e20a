/** Mutants of the write engine that change nothing a test could notice. */
import type { Judged } from './scopes.ts';

const MATCH_PEOPLE = 'packages/destination/src/engine/people/match-people.ts';
const PERSON_WRITE = 'packages/destination/src/engine/people/person-write.ts';
const SAID_ADDRESSES = 'packages/destination/src/engine/people/said-addresses.ts';
const FIND_KEYS = 'packages/destination/src/engine/records/find-keys.ts';
const RECORD_ROW = 'packages/destination/src/engine/records/record-row.ts';
const SHARED_KEY = 'packages/destination/src/engine/records/shared-key.ts';
const WRITE_ROWS = 'packages/destination/src/engine/rows/write-rows.ts';
const WRITTEN_VALUES = 'packages/destination/src/engine/rows/written-values.ts';
const OMISSION = 'packages/destination/src/port/omission.ts';

export const JUDGED_DESTINATION: readonly Judged[] = [
  {
    file: MATCH_PEOPLE,
    line: 'if (asked.length === 0) break;',
    instead: ['false'],
    why: 'It only saves time: a round without open questions asks nothing.',
  },
  {
    file: MATCH_PEOPLE,
    line: "const value = step.by === 'id' ? crm.personId(text) : step.by === 'email' ? text.toLowerCase() : text;",
    instead: ['true'],
    why: 'A number has no letters.',
  },
  {
    file: MATCH_PEOPLE,
    line: "const known = one.follow || step.by === 'id' ? undefined : await recall(crm, one, step);",
    instead: ["one.follow && step.by === 'id'", 'false'],
    why: 'It only saves a look into memory: whom to follow comes first, and an id is never remembered.',
  },
  {
    file: MATCH_PEOPLE,
    line: "if (one.answer || one.follow || step?.by !== 'phone') return;",
    instead: ['step.by'],
    why: 'A question without steps has its answer.',
  },
  {
    file: MATCH_PEOPLE,
    line: 'else if (hits.length === 1 && hits[0]?.follow !== undefined) one.follow = hits[0].follow;',
    instead: ['hits[0].follow'],
    why: 'Of one there is a first.',
  },
  {
    file: MATCH_PEOPLE,
    line: "return (byPhone ?? writes[0])?.plan.person?.key ?? '';",
    instead: ['(byPhone ?? writes[0]).plan'],
    why: 'A group has a write.',
  },
  {
    file: MATCH_PEOPLE,
    line: 'const tail = e164.slice(-6);',
    instead: ['+6'],
    why: 'It only saves time: the whole number is compared.',
  },
  {
    file: MATCH_PEOPLE,
    line: "if (typeof stored !== 'string' || !stored.replace(/\\D/g, '').includes(tail)) continue;",
    instead: ['false'],
    why: 'It only saves time: the whole number is compared.',
  },
  {
    file: MATCH_PEOPLE,
    line: 'if (parsePhone(stored, parsePhone(e164)?.country)?.e164 === e164) return true;',
    instead: ['parsePhone(e164).country'],
    why: 'The number that is sought is one.',
  },
  {
    file: PERSON_WRITE,
    line: "const usable = steps.filter(({ by, value }) => by !== 'id' || !gone.has(value));",
    instead: ['false'],
    why: 'No number and no address is the id of a record.',
  },
  {
    file: PERSON_WRITE,
    line: 'if (needsWatermark(person?.fields ?? [])) names.add(watermark);',
    instead: ['["Stryker was here"]'],
    why: 'What has no write mode needs no watermark.',
  },
  {
    file: PERSON_WRITE,
    line: 'const asking = writes.filter(({ done, plan }) => !done && needsWatermark(plan.person?.fields ?? []));',
    instead: ['["Stryker was here"]'],
    why: 'What has no write mode needs no watermark.',
  },
  {
    file: PERSON_WRITE,
    line: 'if (needsWatermark(wanted) && (latest === undefined || ended_at > latest)) latest = ended_at;',
    instead: ['ended_at >= latest'],
    why: 'It is the same moment.',
  },
  {
    file: PERSON_WRITE,
    line: 'if (latest !== undefined && latest !== watermark && crm.fields.has?.(object, crm.watermark) !== false)',
    instead: ['true'],
    why: 'Where no call ended that asks, there was no watermark before either, and the two are the same.',
  },
  {
    file: SAID_ADDRESSES,
    line: "if (!person?.match.some((step) => step.by === 'id' && step.issued_to !== undefined)) return plan;",
    instead: ['true'],
    why: 'Only an id is issued.',
  },
  {
    file: SAID_ADDRESSES,
    line: "if (step.by !== 'id' || step.issued_to === undefined) match.push(step);",
    instead: ['false'],
    why: 'Only an id is issued.',
  },
  {
    file: SAID_ADDRESSES,
    line: "if (!person || person.said === 'match') return 'same';",
    instead: ['false'],
    why: 'A mapping that trusts what is said marks nothing as said.',
  },
  {
    file: SAID_ADDRESSES,
    line: 'const { fallback, said_values = [] } = person;',
    instead: ['["Stryker was here"]'],
    why: 'No value is spelt so.',
  },
  {
    file: SAID_ADDRESSES,
    line: 'const said = [...(fallback.said ?? []).map((by) => fallback[by]), ...said_values];',
    instead: ['["Stryker was here"]'],
    why: 'No way of that name is there, and no value is that of none.',
  },
  {
    file: SAID_ADDRESSES,
    line: 'return said.some((one) => one?.trim().toLowerCase() === text);',
    instead: ['one.trim'],
    why: 'What is marked as said is there.',
  },
  {
    file: FIND_KEYS,
    line: 'const nameOf = ({ key, all }: { key: string; all: Item[] }) => [`find:${all[0]?.record.object}:${digest(key)}`];',
    instead: ['all[0].record'],
    why: 'A key has at least one record that asks for it.',
  },
  {
    file: FIND_KEYS,
    line: 'for (let from = 1, many = 1; open.length > 0 && from <= MAX_KEYS; from += many, many = 2 * from) {',
    instead: ['true', 'open.length >= 0', 'from < MAX_KEYS'],
    why: 'It only saves time: where nothing is open nothing is asked. No round begins at the thousandth key.',
  },
  {
    file: FIND_KEYS,
    line: "const reading = readings.get(item)?.get(key) ?? 'absent';",
    instead: ['readings.get(item).get'],
    why: 'All that is open was read.',
  },
  {
    file: FIND_KEYS,
    line: "return new Map([...keys].map(([item, key]) => [item, readings.get(item)?.get(key) ?? 'absent']));",
    instead: ['readings.get(item).get'],
    why: 'All that has a key was read.',
  },
  {
    file: RECORD_ROW,
    line: "const linked = Object.entries(links.fields).filter(([name]) => !isFound || (there?.properties[name] ?? '') === '');",
    instead: ['there.properties'],
    why: 'A record that was found is there.',
  },
  {
    file: SHARED_KEY,
    line: 'export function firstOfEachKey(items: Item[], joins: (item: Item) => boolean = () => false): Item[] {',
    instead: ['() => undefined'],
    why: 'Either joins none.',
  },
  {
    file: WRITE_ROWS,
    line: 'await new Promise((resolve) => setTimeout(resolve, Math.random() * LOCK_PAUSE_MS * locks));',
    instead: ['Math.random() * LOCK_PAUSE_MS / locks', 'Math.random() / LOCK_PAUSE_MS'],
    why: 'How long it waits decides nothing.',
  },
  {
    file: WRITE_ROWS,
    line: 'const batch = queue.splice(0, bytes === undefined ? limit : fitting(queue, limit, bytes));',
    instead: ['false'],
    why: 'No number of bytes is more than one that is not there.',
  },
  {
    file: WRITE_ROWS,
    line: 'const split = heavy.length > 0 && !passing && limit > 1 && batch.length > 1 && crm.session.usable;',
    instead: ['true', 'heavy.length >= 0', 'limit >= 1'],
    why: 'Where none is too heavy, all of them met a lock; and a request of several rows had room for them.',
  },
  {
    file: WRITE_ROWS,
    line: 'if (!split || !heavy.includes(row)) answers.set(row, answered.get(row) ?? unaccountedFor(verb, row));',
    instead: ['true'],
    why: 'What is sent again is answered again.',
  },
  {
    file: WRITE_ROWS,
    line: "return failure?.code === 'locked' && failure.vendor !== undefined;",
    instead: ['failure.code'],
    why: 'A row that is asked about was refused.',
  },
  {
    file: WRITTEN_VALUES,
    line: 'const fields = this.#known.get(name)?.fields ?? [];',
    instead: ['["Stryker was here"]'],
    why: 'No digest is spelt so.',
  },
  {
    file: WRITTEN_VALUES,
    line: 'async noteLinks(name: string, call: NotedCall, made: LinkEnd[], gone: LinkEnd[] = []): Promise<void> {',
    instead: ['["Stryker was here"]'],
    why: 'It is no link of any record.',
  },
  {
    file: WRITTEN_VALUES,
    line: 'const reported = new Map([...(stored ?? [])].filter(([property]) => kept.has(property)));',
    instead: ['["Stryker was here"]'],
    why: 'It is no property that was written.',
  },
  {
    file: WRITTEN_VALUES,
    line: 'if (end < 0 || !Number.isFinite(ended)) return undefined;',
    instead: ['end <= 0'],
    why: 'The mark is looked for behind the digest, never at the beginning.',
  },
  {
    file: WRITTEN_VALUES,
    line: 'const fields = Array.from({ length: Math.floor(all.length / width) }, (_, n) =>',
    instead: ['all.length * width'],
    why: 'What is cut from behind the end is empty, and no digest of any property.',
  },
  {
    file: OMISSION,
    line: 'const [record, field] = dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];',
    instead: ['dot <= 0'],
    why: 'No record has an empty name.',
  },
];
