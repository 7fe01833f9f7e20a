/**
 * What became of each line of a mapping over many calls, and which of the paths that it names a call has ever brought. Pure:
 * one call gives names of counters, and the sums of counters give the answers. Names of fields and variables, never values.
 */
import type { Call } from '@wrapup/call';
import { nearest, type Place } from '@wrapup/findings';
import { readOwn } from '../language/path.ts';
import { NAMED_ROOTS, type NamedRoot } from '../language/roots.ts';
import { isNothing } from '../values/found.ts';
import type { CompiledMapping, MappedPath } from './compiled.ts';
import { NOT_NOW, type Plan } from './plan.ts';

/** What a counter counts: the first letter of its name. */
const KINDS = { filled: 'f', absent: 'a', lost: 'l', present: 'p', missing: 'm', unread: 'n' } as const;
type CounterKind = keyof typeof KINDS;

/** Names under one root that are counted of one call. */
const MAX_NAMES = 50;
/** A name that is longer, or looks like data, is not counted: names are kept, values never. */
const PLAIN_NAME = /^\p{L}[\p{L}\p{N}_ .-]{0,59}$/u;

/**
 * Connected calls without a path, after which it counts as one that no call brings. What one call in twenty brings is
 * missed by a hundred in a row with a probability of 0.6 %.
 */
export const NEVER_AFTER = 100;
/** The same where a name has come that nothing reads and that is nearly the same: two signs that agree need fewer calls. */
export const NEVER_AFTER_NEAR = 20;

const counter = (kind: CounterKind, name: string) => `${KINDS[kind]}:${name}`;

/**
 * The counters that one delivery adds one to.
 * @param plan as it was written
 * @param written names of the records that the delivery wrote
 * @param lost names of fields that were left out although the call says something there: `person.budget`
 */
export function countersOf(
  { fields, reads }: Pick<CompiledMapping, 'fields' | 'reads'>,
  { call, person, records, left_out }: Pick<Plan, 'call' | 'person' | 'records' | 'left_out'>,
  written: ReadonlySet<string>,
  lost: ReadonlySet<string>,
): string[] {
  const counters = new Set<string>();
  const filled = new Set<string>();
  for (const { name, fields } of [...(person ? [{ name: 'person', fields: person.fields }] : []), ...records])
    if (written.has(name))
      for (const { name: property, value } of fields) if (value !== null) filled.add(`${name}.${property}`);
  const absent = new Set(
    left_out.filter(({ reason, unusable }) => !unusable && reason !== NOT_NOW).map(({ field }) => field),
  );
  for (const { record, property } of fields) {
    const name = `${record}.${property}`;
    if (lost.has(name)) counters.add(counter('lost', name));
    else if (filled.has(name)) counters.add(counter('filled', name));
    else if (absent.has(name) && written.has(record)) counters.add(counter('absent', name));
  }
  countPaths(reads, call, counters);
  return [...counters];
}

/** Only calls that were answered say anything of what an agent collects. */
function countPaths(reads: MappedPath[], call: Call, counters: Set<string>): void {
  if (call.outcome !== 'connected') return;
  for (const { path, segments } of reads)
    counters.add(counter(isNothing(readOwn(call, segments)) ? 'missing' : 'present', path));
  const known = namesOf(reads);
  for (const root of NAMED_ROOTS)
    for (const plain of Object.keys(call[root] ?? {}).slice(0, MAX_NAMES)) {
      if (!PLAIN_NAME.test(plain) || /\d{5}/.test(plain)) continue;
      const name = nameOf(root, plain);
      if (!known.has(name)) counters.add(counter('unread', name));
    }
}

const NAMES = new WeakMap<MappedPath[], ReadonlySet<string>>();

/** Names that a mapping reads, the same for every delivery. */
function namesOf(reads: MappedPath[]): ReadonlySet<string> {
  const known = NAMES.get(reads) ?? new Set(reads.map(nameOfPath));
  NAMES.set(reads, known);
  return known;
}

const nameOfPath = ({ segments: [root, name] }: MappedPath) => nameOf(root as NamedRoot, String(name));

/** `vars` holds what is collected and extracted: a name that one of them has is one name. */
function nameOf(root: NamedRoot, name: string): string {
  return `${root === 'collected' || root === 'extracted' ? 'vars' : root}.${name}`;
}

/** One line of a mapping, over the calls of a time. */
export interface FieldCount {
  /** `person`, `call_log`, or the record's name. */
  record: string;
  property: string;
  at: Place;
  /** Calls in which it was written, had no value, or was left out although the call says something there. */
  filled: number;
  absent: number;
  lost: number;
}

/** A path that the mapping reads, over the connected calls of a time. */
export interface PathCount {
  path: string;
  at: Place;
  present: number;
  absent: number;
  /** No call brought it, and there were calls enough to tell. */
  never: boolean;
  /** A name that comes and that may be meant. */
  meant?: string;
}

export interface MappingCounts {
  fields: FieldCount[];
  paths: PathCount[];
  /** Names that come and that no line of the mapping reads, by how often. */
  unread: { name: string; calls: number }[];
}

/** What the sums say of the mapping as it is now. @param sums by the names of counters */
export function readCounters(
  { fields, reads }: Pick<CompiledMapping, 'fields' | 'reads'>,
  sums: ReadonlyMap<string, number>,
): MappingCounts {
  const sum = (kind: CounterKind, name: string) => sums.get(counter(kind, name)) ?? 0;
  const prefix = counter('unread', '');
  const known = namesOf(reads);
  const unread = [...sums]
    .flatMap(([name, calls]) => (name.startsWith(prefix) ? [{ name: name.slice(prefix.length), calls }] : []))
    .filter(({ name }) => !known.has(name))
    .sort((a, b) => b.calls - a.calls || a.name.localeCompare(b.name));
  const come = reads.filter(({ path }) => sum('present', path) > 0).map(nameOfPath);
  return {
    fields: fields
      .filter(({ use }) => use === 'write')
      .map(({ record, property, at }) => {
        const name = `${record}.${property}`;
        return {
          record,
          property,
          at,
          filled: sum('filled', name),
          absent: sum('absent', name),
          lost: sum('lost', name),
        };
      }),
    // What stands in no file is no one's mistake: every mapping looks for the id of the person.
    paths: reads
      .filter(({ at }) => at.file !== '')
      .map((read) => countPath(read, sum('present', read.path), sum('missing', read.path), unread, come)),
    unread,
  };
}

function countPath(
  { path, segments: [root, name, ...rest], at }: MappedPath,
  present: number,
  absent: number,
  unread: MappingCounts['unread'],
  read: readonly string[],
): PathCount {
  const counts = { path, at, present, absent };
  if (present > 0) return { ...counts, never: false };
  const wanted = nameOf(root as NamedRoot, '');
  const nearOf = (names: readonly string[]) =>
    rest.length > 0
      ? undefined
      : nearest(
          String(name),
          names.filter((one) => one.startsWith(wanted)).map((one) => one.slice(wanted.length)),
        );
  const unmatched = nearOf(unread.map((one) => one.name));
  const near = unmatched ?? nearOf(read);
  const never = absent >= (unmatched === undefined ? NEVER_AFTER : NEVER_AFTER_NEAR);
  return { ...counts, never, ...(near === undefined ? {} : { meant: `${wanted}${near}` }) };
}
