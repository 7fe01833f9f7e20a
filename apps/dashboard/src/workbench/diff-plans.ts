/** What is different in the plan of a call when its mapping is another one. */
import type { FieldWrite, OwnerPlan, RecordPlan } from '@wrapup/mapping';
import type { BarePlan } from './evaluate.ts';

export type LineDifference = 'same' | 'new' | 'gone' | 'changed';

/** A field, or a fact about a record such as what it is linked to. */
export interface ComparedLine {
  name: string;
  /** It says how the record is found or linked, and is no field of the CRM. */
  isFact: boolean;
  difference: LineDifference;
  /** As the mapping in force has it. */
  before?: FieldWrite;
  /** As edited. */
  after?: FieldWrite;
}

/** The person, or one of the records. */
export interface ComparedRecord {
  name: string;
  object: string;
  difference: LineDifference;
  lines: ComparedLine[];
}

/** @param before undefined where nothing is in force to compare with: all is the same then */
export function diffPlans(before: BarePlan | undefined, after: BarePlan): ComparedRecord[] {
  const [old, now] = [before && recordsOf(before), recordsOf(after)];
  const names = new Set([...now.keys(), ...(old?.keys() ?? [])]);
  return [...names].map((name): ComparedRecord => {
    const [was, is] = [old?.get(name), now.get(name)];
    const lines = compareLines(old ? (was?.lines ?? new Map()) : is?.lines, is?.lines ?? new Map());
    const differs = lines.some((line) => line.difference !== 'same') || was?.object !== is?.object;
    const difference = !old ? 'same' : !was ? 'new' : !is ? 'gone' : differs ? 'changed' : 'same';
    return { name, object: (is ?? was)?.object ?? '', difference, lines };
  });
}

/** How many lines differ, of all records. */
export function countDifferences(records: readonly ComparedRecord[]): number {
  return records.reduce((sum, { lines }) => sum + lines.filter(({ difference }) => difference !== 'same').length, 0);
}

interface Described {
  object: string;
  lines: Lines;
}
type Lines = ReadonlyMap<string, { isFact: boolean; line: FieldWrite }>;

function compareLines(before: Lines = new Map(), after: Lines): ComparedLine[] {
  return [...new Set([...after.keys(), ...before.keys()])].map((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    const isSame = was && is && textOf(was.line) === textOf(is.line);
    return {
      name,
      isFact: (is ?? was)?.isFact ?? false,
      difference: isSame ? 'same' : !was ? 'new' : !is ? 'gone' : 'changed',
      ...(was && { before: was.line }),
      ...(is && { after: is.line }),
    };
  });
}

/** Where it stands in the mapping does not count. */
function textOf({ value, write, order }: FieldWrite): string {
  return JSON.stringify([value, write, order]);
}

function recordsOf({ person, records }: BarePlan): Map<string, Described> {
  const all = new Map<string, Described>();
  if (person) {
    const { match, unmatched, ambiguous, said: counts, create_as, fields, owner } = person;
    const steps = match.map(({ by, value, said }) => `${by} ${value}${said ? ' (only said)' : ''}`).join(', then ');
    const facts = {
      ...{
        'looked for by': steps || 'nothing: the call says none',
        'if not found': unmatched,
        'if several': ambiguous,
      },
      ...(counts ? { 'only said': counts } : {}),
    };
    all.set('person', { object: create_as, lines: linesOf(facts, fields, owner) });
  }
  for (const record of records)
    all.set(record.name, { object: record.object, lines: linesOf(factsOf(record), record.fields, record.owner) });
  return all;
}

function factsOf({ associate, find }: RecordPlan): Record<string, string> {
  const by = find?.by?.map(({ name, value }) => `${name} ${value}`).join(', ');
  const sought = find && (find.id ?? by ?? (find.open ? 'the open one of the person' : `nothing: ${find.why}`));
  return {
    ...(find ? { 'looked for': sought ?? '', 'if not found': find.none, 'if several': find.several ?? 'park' } : {}),
    ...(associate.length > 0 ? { 'linked to': associate.join(', ') } : {}),
  };
}

function linesOf(facts: Record<string, string>, fields: readonly FieldWrite[], owner: OwnerPlan | undefined): Lines {
  const nowhere = { file: '', line: 0, column: 0 };
  const lines = new Map<string, { isFact: boolean; line: FieldWrite }>();
  for (const [name, value] of Object.entries(facts))
    lines.set(name, { isFact: true, line: { name, value, write: 'overwrite', at: nowhere } });
  for (const line of fields) lines.set(line.name, { isFact: false, line });
  if (owner) {
    const value = owner.steps.map((step) => step.value).join(', else ');
    lines.set(owner.property, {
      isFact: false,
      line: { name: owner.property, value, write: 'if_empty', at: owner.at },
    });
  }
  return lines;
}
