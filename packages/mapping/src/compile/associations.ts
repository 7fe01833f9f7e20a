/** What a record is associated with: the person, records of the same mapping, records that the person has already. */
import { isMap, type Node, type Place, suggest, textOf } from '@wrapup/findings';
import type { Compiling } from '../language/compile-path.ts';
import type { Dialect, RelatedDialect } from '../model/dialect.ts';
import type { RelatedPlan } from '../model/plan.ts';

/** A record, as far as its associations say. */
interface Associating {
  name: string;
  /** The CRM's own object. */
  object: string;
  at: Place;
  associate: { name: string; at: Place }[];
  /** Those of `associate` that mean records which the person has already. */
  related: Record<string, RelatedPlan>;
}

export function readLabels(
  node: Node | undefined,
  associate: Associating['associate'],
  { report }: Compiling,
): Record<string, string> | undefined {
  if (!isMap(node)) return undefined;
  const names = associate.map(({ name }) => name);
  const labels: Record<string, string> = {};
  for (const [name, { key, value }] of node.entries) {
    const label = textOf(value);
    if (!names.includes(name))
      report.error('unknown-record', `the record is not associated with "${name}"`, key, suggest(name, names));
    else if (label !== undefined) labels[name] = label;
  }
  return labels;
}

/** Says what is wrong with them, and finds out which are records that the person has already. */
export function checkAssociations(
  records: Associating[],
  hasPerson: boolean,
  dialect: Pick<Dialect, 'person' | 'records' | 'related'>,
  { report }: Compiling,
): void {
  const words = dialect.related ?? {};
  const byName = new Map(records.map((record) => [record.name, record]));
  const known = [...(hasPerson ? [PERSON, ...Object.keys(words)] : []), ...byName.keys()];
  for (const record of records)
    for (const [index, { name, at }] of record.associate.entries()) {
      const isTwice = record.associate.findIndex((one) => one.name === name) < index;
      if (name === record.name)
        report.error('bad-association', `${name} cannot be associated with itself`, at, 'take it out');
      else if (isTwice) report.error('bad-association', `${name} is listed twice`, at, 'keep one');
      else if (byName.has(name) || (name === PERSON && hasPerson)) continue;
      else if (Object.hasOwn(words, name)) {
        const { object, through } = words[name] as RelatedDialect;
        if (hasPerson) record.related[name] = { object, ...(through === undefined ? {} : { through }) };
        else
          report.error(
            'unknown-record',
            `${name} is of the person, and the mapping looks for none`,
            at,
            'add a person section',
          );
      } else {
        const here = Object.keys(words).find((word) => words[word]?.elsewhere.includes(name));
        report.error(
          'unknown-record',
          `there is no record "${name}"`,
          at,
          here ? `here it is called ${here}` : suggest(name, known),
        );
      }
    }
  for (const record of records) checkNeeded(record, byName, dialect, report);
  const done = new Set<string>();
  for (const { name } of records) reportCircle(name, byName, [], done, report);
}

/** Some objects are made only with a link to certain others. */
function checkNeeded(
  { object, at, name, associate, related }: Associating,
  records: Map<string, Associating>,
  { person, records: kinds }: Pick<Dialect, 'person' | 'records'>,
  report: Compiling['report'],
): void {
  const needed = Object.values(kinds).flatMap(({ any_object }) => any_object?.linkedTo?.(object) ?? []);
  const isMet = associate.some((one) => {
    const to = one.name === PERSON ? person.object : (related[one.name]?.object ?? records.get(one.name)?.object);
    return to !== undefined && needed.includes(to);
  });
  if (needed.length > 0 && !isMet)
    report.error(
      'bad-association',
      `${name}: ${object} are made only with a link to one of ${needed.join(', ')}`,
      at,
      'associate it with person, where the mapping looks for one, or with such a record',
    );
}

const PERSON = 'person';

/** Each record is written after those it is associated with, so there must be an order. */
function reportCircle(
  name: string,
  records: Map<string, Associating>,
  way: string[],
  done: Set<string>,
  report: Compiling['report'],
): void {
  const record = records.get(name);
  if (!record || done.has(name)) return;
  for (const { name: next, at } of record.associate) {
    const start = [...way, name].indexOf(next);
    if (start >= 0 && next !== name) {
      const circle = [...[...way, name].slice(start), next].join(' -> ');
      report.error(
        'bad-association',
        `the records are associated in a circle: ${circle}`,
        at,
        'one direction is enough',
      );
    } else if (next !== name) reportCircle(next, records, [...way, name], done, report);
  }
  done.add(name);
}
